package cluster

import (
	"fmt"
	"slices"
	"strings"
)

// kind is what is known of a value before any item runs: that it is a list of something, or what a satellite's schema says
// of it. The zero kind may be anything.
type kind struct {
	list   *kind // of its elements: a join lies between, or the schema says so; nil: no list, as far as is known
	schema *schema
	types  []string // JSON types that it can have; nil: any
}

var aMap = []string{"object"}

func kindOfSchema(s *schema) kind {
	types := s.types()
	if len(types) == 1 && types[0] == "array" {
		of := kindOfSchema(s.items())
		return kind{list: &of, types: types}
	}
	return kind{schema: s, types: types}
}

func listOf(k kind) kind { return kind{list: &k, types: []string{"array"}} }

// can tells whether the value may have one of the types.
func (k kind) can(types ...string) bool {
	if k.types == nil {
		return true
	}
	for _, t := range k.types {
		if slices.Contains(types, t) || t == "integer" && slices.Contains(types, "number") {
			return true
		}
	}
	return false
}

// String names the types for a person: "a number", "text or null".
func (k kind) String() string {
	names := map[string]string{"string": "text", "number": "a number", "integer": "a number", "boolean": "true or false", "object": "an object", "array": "a list", "null": "null"}
	var out []string
	for _, t := range k.types {
		if name := names[t]; !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, " or ")
}

// step goes one segment down, as walk does with values. A misfit says what is wrong with that, for any value of the kind.
func (k kind) step(s Segment, what string) (below kind, wrong *misfit) {
	if s.IsIndex {
		switch {
		case k.list != nil:
			return *k.list, nil
		case !k.can("array") && !s.Optional:
			return kind{}, &misfit{text: fmt.Sprintf("%s is %s, and [%d] takes from a list", what, k, s.Index)}
		}
		return kind{}, nil
	}
	if k.list != nil { // maps over it
		below, wrong = k.list.step(s, "an element of "+what)
		return listOf(below), wrong
	}
	if s.Optional { // null, if it is not there
		return kind{}, nil
	}
	if !k.can("object", "array") {
		return kind{}, &misfit{text: fmt.Sprintf("%s is %s, without fields", what, k)}
	}
	if k.schema.closed() && !k.schema.has(s.Name) && !k.can("array") {
		return kind{}, &misfit{field: s.Name, fields: k.schema.names()}
	}
	if !k.can("array") {
		if below := k.schema.property(s.Name); below != nil {
			return kindOfSchema(below), nil
		}
	}
	return kind{}, nil
}

// misfit is what is wrong with a step down: a sentence, or a field that is not there.
type misfit struct {
	text   string
	field  string
	fields []string // those that are
}

// outputKind is what an expression of n sees as the output of another step.
func (l *lookup) outputKind(other *node) kind {
	k := kind{types: aMap}
	if other.Satellite != nil {
		if s := l.schema(other.Satellite, "output"); s != nil {
			k.schema = s
		}
	}
	if l.n.seesList(other) {
		return listOf(k)
	}
	return k
}

// joinsOpen tells whether a join may lie between the step and those above it that is not known, and so lists for objects.
func (l *lookup) joinsOpen() bool { return l.n.vague || l.n.aboveOpen || l.g.childOpen }

// fits follows a path into what is known of an output, and reports the first segment that fits none of its values.
func (l *lookup) fits(p *Path, other *node) bool {
	k := l.outputKind(other)
	for i, s := range p.Segments[1:] {
		below, wrong := k.step(s, "")
		if wrong == nil {
			k = below
			continue
		}
		what := "the output of " + p.Step
		if i > 0 {
			what = "satellites." + p.Step + "." + pathTo(p.Segments[:i+1])
		}
		if _, wrong = k.step(s, what); wrong.text == "" {
			l.fail(codeOutputField, l.didYouMean(wrong.field, wrong.fields), "%s has no field %s", what, quoted(wrong.field))
			return false
		}
		if l.joinsOpen() {
			return true
		}
		hint := ""
		if s.IsIndex && i == 0 {
			hint = "it is a list only where a join lies between"
		}
		l.fail(codeOutputKind, hint, "%s", wrong.text)
		return false
	}
	return true
}

// pathTo writes segments as they stand in a path.
func pathTo(segments []Segment) string {
	var b strings.Builder
	for i, s := range segments {
		switch {
		case s.IsIndex:
			fmt.Fprintf(&b, "[%d]", s.Index)
		case i > 0:
			b.WriteString("." + s.Name)
		default:
			b.WriteString(s.Name)
		}
	}
	return b.String()
}
