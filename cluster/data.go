package cluster

import (
	"errors"
	"math"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// userData are the keys below which nothing is renamed or turned into a map, whatever a schema says: it is the user's.
var userData = map[string]bool{"body": true, "output-schema": true}

// configValue reads a config. The key at index skip is left out: it is the input.
func (c *compiler) configValue(n *yaml.Node, s *schema, skip int) *Value {
	if skip >= 0 {
		rest := *n
		rest.Content = append(append([]*yaml.Node{}, n.Content[:skip]...), n.Content[skip+2:]...)
		n = &rest
	}
	return c.value(n, s, []string{"config"}, true)
}

// inputValue reads an input. Its own keys are those of the schema; what is below them is the user's, but that a list of
// one-key maps stands for a map there too.
func (c *compiler) inputValue(n *yaml.Node, s *schema) *Value {
	return c.value(n, s, []string{"input"}, false)
}

// value reads a value in the light of its schema, nil where there is none. What are the keys that lead to it. Deep tells
// whether the schema holds below the first level too.
func (c *compiler) value(n *yaml.Node, s *schema, what []string, deep bool) *Value {
	v := &Value{Pos: at(n), node: n}
	switch {
	case c.badNodes[n]:
		v.broken = true
		c.blindUses = c.blindUses || n.Kind == yaml.AliasNode
	case n.Kind == yaml.MappingNode:
		c.mapValue(v, []*yaml.Node{n}, s, what, deep)
	case n.Kind == yaml.SequenceNode && s.wantsMap() && oneKeyMaps(n):
		c.mapValue(v, n.Content, s, what, deep)
	case n.Kind == yaml.SequenceNode:
		v.isList = true
		v.Items = make([]*Value, 0, len(n.Content))
		for _, e := range n.Content {
			v.Items = append(v.Items, c.value(e, s.items(), what, deep))
		}
	default:
		c.scalar(v, n)
	}
	return v
}

// mapValue reads one map, or a list of one-key maps that stands for it.
func (c *compiler) mapValue(v *Value, maps []*yaml.Node, s *schema, what []string, deep bool) {
	v.isMap = true
	var seen few[string]
	type pair struct{ key, value *yaml.Node }
	var unknown []pair
	add := func(p pair, key string) {
		below := s.property(key)
		if userData[key] {
			below = nil
		} else if !deep {
			below = below.shape()
		}
		v.Fields = append(v.Fields, Field{key, at(p.key), c.value(p.value, below, append(what, key), deep)})
	}
	for _, n := range maps {
		v.Fields = slices.Grow(v.Fields, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			p := pair{n.Content[i], n.Content[i+1]}
			if c.badNodes[p.key] {
				v.merged = v.merged || isMerge(p.key)
				continue
			}
			key, known := s.canonical(p.key.Value)
			if !known && s.closed() {
				unknown = append(unknown, p)
				continue
			}
			if !seen.add(key) {
				c.error(at(p.key), codeDuplicate, "keep one of them", "the key %s stands in %s twice", quoted(key), strings.Join(what, "."))
				continue
			}
			add(p, key)
		}
	}
	if len(unknown) == 0 {
		return
	}
	names := s.names()
	for _, p := range unknown {
		var open []string
		for _, name := range names {
			if !seen.has(name) {
				open = append(open, name)
			}
		}
		hint := c.didYouMean(p.key.Value, names)
		if near := c.nearest(p.key.Value, open); near != "" {
			hint = "did you mean " + near + "?"
			seen.add(near)
			add(p, near)
		} else {
			c.blindUses = true
		}
		c.error(at(p.key), codeConfigKey, hint, "%s has no key %s", strings.Join(what, "."), quoted(p.key.Value))
	}
}

// anyMapSchema is the schema that wants a map.
var anyMapSchema = &schema{self: map[string]any{"type": "object"}}

// shape keeps of a schema only whether it wants a map.
func (s *schema) shape() *schema {
	if s.wantsMap() {
		return anyMapSchema
	}
	return nil
}

// oneKeyMaps tells whether a list is a map written as a list.
func oneKeyMaps(n *yaml.Node) bool {
	for _, e := range n.Content {
		if e.Kind != yaml.MappingNode || len(e.Content) != 2 {
			return false
		}
	}
	return len(n.Content) > 0
}

// scalar reads a scalar: text is looked through for expressions, the rest keeps the type that YAML gives it, where JSON
// has it.
func (c *compiler) scalar(v *Value, n *yaml.Node) {
	switch n.ShortTag() {
	case "!!null":
	case "!!bool":
		var b bool
		_ = n.Decode(&b)
		v.Scalar = b
	case "!!int", "!!float":
		var x any
		err := n.Decode(&x)
		if f, ok := x.(float64); err == nil && ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			err = errors.New("not finite")
		}
		if err != nil {
			c.error(v.Pos, codeNoJSON, "put quotes around it to make it text", "%s is no number that JSON has", quoted(n.Value))
			v.broken = true
			return
		}
		if i, ok := x.(int64); ok {
			x = int(i)
		}
		v.Scalar = x
	default: // a date is text: JSON has none
		v.Scalar = n.Value
		if strings.Contains(n.Value, "${{") {
			c.expressions(v, n)
		}
	}
}
