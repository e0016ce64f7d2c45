package cluster

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// fields is a map of the grammar: its keys are looked up by name, and unknown ones have been reported.
type fields struct {
	c     *compiler
	at    Pos // of the key that holds the map
	what  string
	known keys
	found []field // in the order of known; without a value: not there

	merged bool // a merge key, which was reported, is meant to bring more keys
}

type field struct {
	key   Pos
	value *yaml.Node
}

// fields reads a map whose keys are known. An unknown key is reported; where it is near a known one that is missing, its
// value is taken for that, so that one misspelling is one error. The second result is false where the value is no map.
func (c *compiler) fields(n *yaml.Node, holder Pos, what string, table keys) (*fields, bool) {
	f := &fields{c: c, at: holder, what: what, known: table, found: make([]field, len(table))}
	if c.badNodes[n] {
		return f, false
	}
	if n.Kind != yaml.MappingNode {
		c.error(atValue(n, holder), codeType, "its keys are "+strings.Join(table.names(), ", "), "%s must be a map, not %s", what, describe(n))
		return f, false
	}
	var unknown []int
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if c.badNodes[key] {
			f.merged = f.merged || isMerge(key)
			continue
		}
		k := table.index(key.Value)
		if k < 0 {
			k = table.index(strings.ReplaceAll(key.Value, "_", "-"))
		}
		switch {
		case k < 0:
			unknown = append(unknown, i)
		case f.found[k].value != nil:
			c.error(at(key), codeDuplicate, "keep one of them", "the key %s stands here twice", quoted(table[k].name))
		default:
			f.found[k] = field{at(key), value}
		}
	}
	for _, i := range unknown {
		key := n.Content[i]
		var open []string
		for k := range table {
			if f.found[k].value == nil {
				open = append(open, table[k].name)
			}
		}
		near := c.nearest(key.Value, open)
		hint := c.didYouMean(key.Value, table.names())
		if near != "" {
			hint = "did you mean " + near + "?"
			f.found[table.index(near)] = field{at(key), n.Content[i+1]}
		} else {
			c.blindUses = true
		}
		c.error(at(key), codeUnknownKey, hint, "%s has no key %s", what, quoted(key.Value))
	}
	return f, true
}

// given gives a field that is there, with or without a value.
func (f *fields) given(name string) (field, bool) {
	if k := f.known.index(name); k >= 0 && f.found[k].value != nil {
		return f.found[k], true
	}
	return field{}, false
}

// names lists the fields that are there, in the order of the table.
func (f *fields) names() (names []string) {
	for k := range f.found {
		if f.found[k].value != nil {
			names = append(names, f.known[k].name)
		}
	}
	return names
}

// get gives a field that has a value; a key without one counts as left out.
func (f *fields) get(name string) (field, bool) {
	v, ok := f.given(name)
	if !ok || f.c.badNodes[v.value] || isNull(v.value) {
		return v, false
	}
	return v, true
}

// need is get for a key that must be there.
func (f *fields) need(name string) (field, bool) {
	v, ok := f.get(name)
	if ok || f.c.badNodes[v.value] || v.value == nil && f.merged {
		return v, ok
	}
	hint := f.known.must(name)
	if v.value != nil {
		f.c.error(v.key, codeMissingKey, hint, "%s has no value", name)
	} else {
		f.c.error(f.at, codeMissingKey, hint, "%s lacks the key %s", f.what, name)
	}
	return v, false
}

// text gives a field that must be a text; numbers and the like are taken as they are written.
func (f *fields) text(name string) (Word, bool) {
	v, ok := f.get(name)
	if !ok {
		return Word{}, false
	}
	return f.c.text(v.value, f.what, ".", name)
}

// text reads a text; what names it, in pieces.
func (c *compiler) text(n *yaml.Node, what ...string) (Word, bool) {
	if c.badNodes[n] {
		return Word{}, false
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		c.error(at(n), codeType, "", "%s must be text, not %s", strings.Join(what, ""), describe(n))
		return Word{}, false
	}
	return Word{n.Value, at(n)}, true
}

// integer reads a whole number within bounds.
func (c *compiler) integer(n *yaml.Node, what string, least, most int) (int, bool) {
	var i int
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || n.Decode(&i) != nil {
		c.error(at(n), codeType, "", "%s must be a whole number, not %s", what, describe(n))
		return 0, false
	}
	if i < least || i > most {
		c.error(at(n), codeValue, "", "%s must be from %d to %d", what, least, most)
		return 0, false
	}
	return i, true
}

// oneOf reads a text that is one of a few.
func (c *compiler) oneOf(n *yaml.Node, what string, known []string) string {
	w, ok := c.text(n, what)
	if ok && !slices.Contains(known, w.Text) {
		c.error(w.Pos, codeValue, didYouMean(w.Text, known), "%s cannot be %s", what, quoted(w.Text))
		return ""
	}
	return w.Text
}

// atValue is the place of a value; of an empty one, that of its key.
func atValue(n *yaml.Node, key Pos) Pos {
	if isNull(n) && n.Value == "" {
		return key
	}
	return at(n)
}

func isNull(n *yaml.Node) bool {
	return n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

// describe names what a value is, for a sentence.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!bool":
		return n.Value
	case "!!int", "!!float":
		return "the number " + n.Value
	}
	return "the text " + quoted(n.Value)
}
