package cluster

import (
	"encoding/json"
	"errors"

	"github.com/exospherehost/orbit"
)

// templateJSON is the stored form of a Template.
type templateJSON struct {
	Literal *orbit.Object `json:"v,omitempty"`
	Expr    *string       `json:"e,omitempty"`
	Text    []textJSON    `json:"t,omitempty"`
	Map     []entryJSON   `json:"m,omitempty"`
	List    []*Template   `json:"l,omitempty"`
}

type textJSON struct {
	Text string  `json:"v,omitempty"`
	Expr *string `json:"e,omitempty"`
}

type entryJSON struct {
	Key   string    `json:"k"`
	Value *Template `json:"v"`
}

// MarshalJSON implements json.Marshaler.
func (t *Template) MarshalJSON() ([]byte, error) {
	var j templateJSON
	switch {
	case t.Expr != nil:
		source := t.Expr.source()
		j.Expr = &source
	case t.Text != nil:
		for _, p := range t.Text {
			if p.Expr != nil {
				source := p.Expr.source()
				j.Text = append(j.Text, textJSON{Expr: &source})
			} else {
				j.Text = append(j.Text, textJSON{Text: p.Text})
			}
		}
	case t.Map != nil:
		for _, e := range t.Map {
			j.Map = append(j.Map, entryJSON(e))
		}
	case t.List != nil:
		j.List = t.List
	default:
		literal := t.Literal
		if literal == nil {
			literal = orbit.MustObject(nil)
		}
		j.Literal = &literal
	}
	return json.Marshal(j)
}

// UnmarshalJSON implements json.Unmarshaler; expressions are parsed again.
func (t *Template) UnmarshalJSON(text []byte) error {
	var raw struct {
		Literal json.RawMessage `json:"v"`
		templateRest
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	*t = Template{}
	switch {
	case raw.Expr != nil:
		e, err := ParseExpr(*raw.Expr)
		t.Expr = e
		return err
	case len(raw.Text) > 0:
		for _, p := range raw.Text {
			if p.Expr == nil {
				t.Text = append(t.Text, TextPart{Text: p.Text})
				continue
			}
			e, err := ParseExpr(*p.Expr)
			if err != nil {
				return err
			}
			t.Text = append(t.Text, TextPart{Expr: e})
		}
	case len(raw.Map) > 0:
		for _, e := range raw.Map {
			t.Map = append(t.Map, Entry(e))
		}
	case len(raw.List) > 0:
		t.List = raw.List
	case raw.Literal != nil:
		return t.Literal.UnmarshalJSON(raw.Literal)
	default:
		return errors.New("a template without a form")
	}
	return nil
}

type templateRest struct {
	Expr *string     `json:"e"`
	Text []textJSON  `json:"t"`
	Map  []entryJSON `json:"m"`
	List []*Template `json:"l"`
}
