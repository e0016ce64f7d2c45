package cluster

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/exospherehost/orbit"
)

// schema is a JSON Schema, read only as far as the compiler needs it: names of keys, where a map is wanted, what is
// required. Whether values fit is Options.Check's to say. Nil is a schema that says nothing.
type schema struct {
	root, self, properties map[string]any // only read: files that are compiled at the same time share them
}

// Schemas remembers the schemas of satellites from file to file. It is safe for concurrent use.
type Schemas struct {
	mu     sync.Mutex
	byText map[string]*schema
}

// NewSchemas remembers none yet.
func NewSchemas() *Schemas { return &Schemas{byText: map[string]*schema{}} }

// maxSchemas bounds what is remembered: more than the satellites of a mesh have, but for those that come anew again and
// again.
const maxSchemas = 1_000

// read reads a schema's text, or finds it read; nil where it is none.
func (s *Schemas) read(text json.RawMessage) *schema {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.byText[string(text)]; ok {
		return known
	}
	var m map[string]any
	var read *schema
	if json.Unmarshal(text, &m) == nil && m != nil {
		read = newSchema(m, m)
	}
	if len(s.byText) >= maxSchemas {
		clear(s.byText)
	}
	s.byText[string(text)] = read
	return read
}

// schema gives the schema of a satellite's config, input or output; nil where it has none.
func (c *compiler) schema(spec *orbit.SatelliteSpec, part string) *schema {
	text := spec.Config
	switch part {
	case "input":
		text = spec.Input
	case "output":
		text = spec.Output
	}
	if len(text) == 0 {
		return nil
	}
	return c.options.Schemas.read(text)
}

// newSchema follows references within the same document.
func newSchema(root, self map[string]any) *schema {
	for range 8 { // a longer chain is a circle
		ref, ok := self["$ref"].(string)
		path, local := strings.CutPrefix(ref, "#/")
		if !ok || !local {
			break
		}
		var target any = root
		for _, key := range strings.Split(path, "/") {
			m, _ := target.(map[string]any)
			target = m[key]
		}
		m, ok := target.(map[string]any)
		if !ok {
			return nil
		}
		self = m
	}
	properties, _ := self["properties"].(map[string]any)
	return &schema{root, self, properties}
}

// names lists the keys that the schema names, sorted.
func (s *schema) names() []string { return slices.Sorted(maps.Keys(s.properties)) }

func (s *schema) below(v any) *schema {
	if m, ok := v.(map[string]any); ok {
		return newSchema(s.root, m)
	}
	return nil
}

// has tells whether the schema names the key.
func (s *schema) has(key string) bool {
	if s == nil {
		return false
	}
	_, ok := s.properties[key]
	return ok
}

// canonical gives the spelling that the schema has for a key, and whether it names it.
func (s *schema) canonical(key string) (string, bool) {
	if s.has(key) {
		return key, true
	}
	if kebab := strings.ReplaceAll(key, "_", "-"); s.has(kebab) {
		return kebab, true
	}
	return key, false
}

// property gives the schema of a key; nil where it says nothing.
func (s *schema) property(key string) *schema {
	if s == nil {
		return nil
	}
	if p, ok := s.properties[key]; ok {
		return s.below(p)
	}
	return s.below(s.self["additionalProperties"])
}

// closed tells whether no other keys than the named ones are allowed.
func (s *schema) closed() bool {
	if s == nil {
		return false
	}
	for _, word := range []string{"additionalProperties", "unevaluatedProperties"} {
		if open, ok := s.self[word].(bool); ok && !open {
			return s.self["patternProperties"] == nil
		}
	}
	return false
}

// items gives the schema of a list's entries.
func (s *schema) items() *schema {
	if s == nil {
		return nil
	}
	return s.below(s.self["items"])
}

// wantsMap tells whether a map fits and a list does not.
func (s *schema) wantsMap() bool {
	types := s.types()
	return slices.Contains(types, "object") && !slices.Contains(types, "array")
}

func (s *schema) types() []string {
	if s == nil {
		return nil
	}
	if _, ok := s.self["type"]; ok {
		return typesOf(s.self)
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if list, ok := s.self[word].([]any); ok {
			var out []string
			for _, e := range list {
				out = append(out, s.below(e).types()...)
			}
			return out
		}
	}
	return nil
}

// required lists the keys that must be there, in the schema's order.
func (s *schema) required() []string {
	if s == nil {
		return nil
	}
	return texts(s.self["required"])
}

// typesOf gives the types that a schema itself names.
func typesOf(s map[string]any) []string {
	if one, ok := s["type"].(string); ok {
		return []string{one}
	}
	return texts(s["type"])
}

// texts are those of a list that are text.
func texts(v any) (out []string) {
	list, _ := v.([]any)
	for _, e := range list {
		if text, ok := e.(string); ok {
			out = append(out, text)
		}
	}
	return out
}
