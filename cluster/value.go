package cluster

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
)

// Value is a value of a config or input with the places of its parts. Exactly one of its forms is set; none: Scalar, which may be nil.
type Value struct {
	Pos    Pos
	Scalar any     // nil, bool, string, int, uint64, float64
	Pieces []Piece // text with expressions in it
	Alone  bool    // the one piece is all there is: the value keeps its type
	Fields []Field
	Items  []*Value

	isMap, isList bool
	broken        bool // reported: what it would be is not known
	merged        bool // a map with a merge key, which was reported: more keys are meant to be there
	node          *yaml.Node
}

// Field is a key of a map, in file order and in the schema's spelling.
type Field struct {
	Key   string
	Pos   Pos
	Value *Value
}

// Piece is a stretch of text, or an expression; Pos is that of the expression.
type Piece struct {
	Text string
	Expr *Expr
	Pos  Pos
}

// Get gives the value under a key of a map; nil where there is none.
func (v *Value) Get(key string) *Value {
	if v != nil {
		for _, f := range v.Fields {
			if f.Key == key {
				return f.Value
			}
		}
	}
	return nil
}

// each calls f for every expression, with the path of the field that it stands in, which begins with the given one and is
// good for the call; positions in lists are no part of it.
func (v *Value) each(path []string, f func(path []string, p *Piece)) {
	if v == nil {
		return
	}
	for i := range v.Pieces {
		if v.Pieces[i].Expr != nil {
			f(path, &v.Pieces[i])
		}
	}
	for _, e := range v.Fields {
		e.Value.each(append(path, e.Key), f)
	}
	for _, e := range v.Items {
		e.each(path, f)
	}
}

// plain gives the JSON-like value for Options.Check: null where an expression stands.
func (v *Value) plain() any {
	switch {
	case v.isMap:
		m := make(map[string]any, len(v.Fields))
		for _, f := range v.Fields {
			m[f.Key] = f.Value.plain()
		}
		return m
	case v.isList:
		list := make([]any, len(v.Items))
		for i, e := range v.Items {
			list[i] = e.plain()
		}
		return list
	}
	if u, ok := v.Scalar.(uint64); ok {
		return float64(u)
	}
	return v.Scalar
}

// open tells whether what the value will be is not known before the item runs.
func (v *Value) open() bool { return v.broken || len(v.Pieces) > 0 }

// template compiles the value: what holds no expression becomes one literal, and the keys of maps are sorted, so that
// their order does not change the plan's hash.
func (v *Value) template() *Template {
	if v == nil {
		return nil
	}
	switch {
	case v.constant():
		return &Template{Literal: orbit.MustObject(v.plain())}
	case len(v.Pieces) > 0 && v.Alone:
		return &Template{Expr: v.Pieces[0].Expr}
	case len(v.Pieces) > 0:
		t := &Template{Text: make([]TextPart, len(v.Pieces))}
		for i, p := range v.Pieces {
			t.Text[i] = TextPart{Text: p.Text, Expr: p.Expr}
		}
		return t
	case v.isMap:
		t := &Template{Map: make([]Entry, len(v.Fields))}
		for i, f := range v.Fields {
			t.Map[i] = Entry{f.Key, f.Value.template()}
		}
		slices.SortFunc(t.Map, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
		return t
	}
	t := &Template{List: make([]*Template, len(v.Items))}
	for i, e := range v.Items {
		t.List[i] = e.template()
	}
	return t
}

// constant tells whether no expression stands in the value.
func (v *Value) constant() bool {
	return len(v.Pieces) == 0 &&
		!slices.ContainsFunc(v.Fields, func(f Field) bool { return !f.Value.constant() }) &&
		!slices.ContainsFunc(v.Items, func(e *Value) bool { return !e.constant() })
}
