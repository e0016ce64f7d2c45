package cluster

import (
	"fmt"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
)

// Template is a value of a config or input with its expressions parsed: compiled once, resolved for each item. Exactly one of its
// forms is set; Map and List hold an expression somewhere below them, all else is folded into Literal.
type Template struct {
	Literal orbit.Object // a constant value; null where no form is set
	Expr    *Expr        // one expression and nothing else: the value keeps its type
	Text    []TextPart   // text with expressions in it
	Map     []Entry
	List    []*Template
}

// Entry is one key of a map, in file order.
type Entry struct {
	Key   string
	Value *Template
}

// TextPart is a piece of text, or an expression inside text.
type TextPart struct {
	Text string
	Expr *Expr
}

// Expr is the inside of ${{ }}: a path, a quoted string, or an operation on such.
type Expr struct {
	Path   *Path
	String *string // '…': a literal, the way to write ${{ itself
	Op     *Operation
}

// Scope is what expressions can see while one item is resolved.
type Scope struct {
	Plan    *Plan
	Secrets map[string]string
	Lacks   map[string]string              // of secrets without a value: why they have none, as a sentence
	Output  func(step string) (any, error) // the object of an ancestor, or the list of its objects; Payload; Failed. Loaded when first asked for
	Failure bool                           // a failure step: Output knows Failed
	Values  map[string]any                 // the roots cluster, run and trigger
}

// Resolve gives the value of the template: nil, bool, string, int, float64, []any, map[string]any. Values are inserted as data and never parsed again.
func (t *Template) Resolve(s *Scope) (any, error) {
	switch {
	case t == nil:
		return nil, nil
	case t.Expr != nil:
		return t.Expr.resolve(s)
	case t.Text != nil:
		var b strings.Builder
		for _, part := range t.Text {
			if part.Expr == nil {
				b.WriteString(part.Text)
				continue
			}
			v, err := part.Expr.resolve(s)
			if err != nil {
				return nil, err
			}
			text, err := asText(v, part.Expr, s)
			if err != nil {
				return nil, err
			}
			b.WriteString(text)
		}
		return b.String(), nil
	case t.Map != nil:
		m := make(map[string]any, len(t.Map))
		for _, e := range t.Map {
			v, err := e.Value.Resolve(s)
			if err != nil {
				return nil, err
			}
			m[e.Key] = v
		}
		return m, nil
	case t.List != nil:
		list := make([]any, len(t.List))
		for i, e := range t.List {
			v, err := e.Resolve(s)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}
	return t.Literal.Value()
}

// Walk calls f for every path and quoted string in the template's expressions, also inside operations.
func (t *Template) Walk(f func(*Expr)) {
	if t == nil {
		return
	}
	if t.Expr != nil {
		t.Expr.walk(f)
	}
	for _, p := range t.Text {
		if p.Expr != nil {
			p.Expr.walk(f)
		}
	}
	for _, e := range t.Map {
		e.Value.Walk(f)
	}
	for _, e := range t.List {
		e.Walk(f)
	}
}

// Key gives the value under a key of a map template; nil where there is none.
func (t *Template) Key(name string) *Template {
	if t == nil {
		return nil
	}
	for _, e := range t.Map {
		if e.Key == name {
			return e.Value
		}
	}
	if t.Map == nil && t.Expr == nil && t.Text == nil && t.List == nil {
		if v, err := t.Literal.Value(); err == nil {
			if m, ok := v.(map[string]any); ok {
				if below, ok := m[name]; ok {
					return &Template{Literal: orbit.MustObject(below)}
				}
			}
		}
	}
	return nil
}

// True tells whether a condition holds.
func (e *Expr) True(s *Scope) (bool, error) {
	v, err := e.resolve(s)
	return err == nil && truth(v), err
}

func (e *Expr) resolve(s *Scope) (any, error) {
	if e.String != nil {
		return *e.String, nil
	}
	if e.Op != nil {
		v, err := e.Op.resolve(s)
		if err != nil && e.Op.Source != "" {
			return nil, fmt.Errorf("${{ %s }}: %w", e.Op.Source, err)
		}
		return v, err
	}
	p := e.Path
	var v any
	segments := p.Segments
	switch p.Root {
	case "secrets":
		if len(segments) != 1 {
			return nil, fmt.Errorf("${{ %s }}: name one secret", p.Source)
		}
		value, ok := s.Secrets[segments[0].Name]
		if !ok {
			if why := s.Lacks[segments[0].Name]; why != "" {
				return nil, orbit.Permanent(orbit.CodeSecret, "the secret %s has no value: %s", segments[0].Name, why)
			}
			return nil, orbit.Permanent(orbit.CodeSecret, "the secret %s has no value", segments[0].Name)
		}
		return value, nil
	case "satellites":
		if len(segments) == 0 || segments[0].Name != "output" {
			return nil, fmt.Errorf("${{ %s }}: write satellites.%s.output", p.Source, p.Step)
		}
		if s.Failure && errorOf(p) { // the spelling of older files
			return fromFailure(s, p, p.Segments[1:])
		}
		out, err := s.Output(p.Step)
		if err != nil {
			return nil, fmt.Errorf("${{ %s }}: %w", p.Source, err)
		}
		v, segments = out, segments[1:]
	case "failure":
		return fromFailure(s, p, segments)
	case "trigger":
		if len(segments) > 0 && segments[0].Name == "payload" {
			out, err := s.Output(Payload)
			if err != nil {
				return nil, fmt.Errorf("${{ %s }}: %w", p.Source, err)
			}
			v, segments = out, segments[1:]
			break
		}
		v = s.Values[p.Root]
	default:
		v = s.Values[p.Root]
	}
	out, err := walk(v, segments)
	if err != nil {
		return nil, fmt.Errorf("${{ %s }}: %w", p.Source, err)
	}
	return out, nil
}

// errorOf tells whether a path is satellites.ID.output.error: in failure steps the sentence that says what failed.
func errorOf(p *Path) bool {
	return p.Root == "satellites" && len(p.Segments) == 2 && p.Segments[0].Name == "output" && p.Segments[1].Name == "error"
}

// fromFailure reads what failed.
func fromFailure(s *Scope, p *Path, segments []Segment) (any, error) {
	v, err := s.Output(Failed)
	if err == nil {
		v, err = walk(v, segments)
	}
	if err != nil {
		return nil, fmt.Errorf("${{ %s }}: %w", p.Source, err)
	}
	return v, nil
}

// asText is a value inside text: a string as it is, an object as its satellite's primary text field where it has one,
// anything else as compact JSON.
func asText(v any, e *Expr, s *Scope) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case map[string]any:
		if e.Path != nil && e.Path.Whole() && s.Plan != nil {
			if step, ok := s.Plan.Step(e.Path.Step); ok && step.PrimaryText != "" {
				if text, ok := v[step.PrimaryText].(string); ok {
					return text, nil
				}
			}
		}
	}
	o, err := orbit.NewObject(v)
	if err != nil {
		return "", err
	}
	text, err := o.MarshalJSON()
	return string(text), err
}

// ParseExpr reads the inside of ${{ }}.
func ParseExpr(source string) (*Expr, error) {
	path, err := ParsePath(source)
	text := strings.TrimSpace(source)
	if isOperation(text) {
		return parseOperation(source)
	}
	if err != nil {
		return nil, err
	}
	return &Expr{Path: path}, nil
}

// walk calls f for the paths and quoted strings of the expression.
func (e *Expr) walk(f func(*Expr)) {
	if e.Op == nil {
		f(e)
		return
	}
	for _, a := range e.Op.Args {
		a.walk(f)
	}
}

func (e *Expr) source() string {
	if e.String != nil {
		return "'" + strings.ReplaceAll(*e.String, "'", "''") + "'"
	}
	if e.Op != nil {
		return e.Op.Source
	}
	return e.Path.Source
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a text"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "a number"
}

// fieldList names the fields of an object for an error; at most eight of them.
func fieldList(m map[string]any) string {
	if len(m) == 0 {
		return "none"
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	if len(keys) > 8 {
		keys = append(keys[:8], "…")
	}
	return strings.Join(keys, ", ")
}
