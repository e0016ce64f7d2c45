package cli

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// schema is a JSON Schema, read as far as a manual page tells of it. Nil is a schema that says nothing.
type schema struct {
	root map[string]json.RawMessage // the document, for references
	self map[string]json.RawMessage
}

// field is one key of a schema.
type field struct {
	name        string // dotted below the first level; [] stands for the entries of a list
	kind        string
	required    bool
	fallback    string // as JSON
	description string
}

// maxFieldDepth bounds how deep a manual page goes into the inside of a value.
const maxFieldDepth = 3

func readSchema(text []byte) *schema {
	var root map[string]json.RawMessage
	if json.Unmarshal(text, &root) != nil || root == nil {
		return nil
	}
	return &schema{root, root}
}

// below reads a part of the schema, and follows references within the document: keys beside a reference stay.
func (s *schema) below(text json.RawMessage) *schema {
	var self map[string]json.RawMessage
	if json.Unmarshal(text, &self) != nil || self == nil {
		return nil
	}
	for range 8 { // a longer chain is a circle
		var ref string
		path, local := "", false
		if json.Unmarshal(self["$ref"], &ref) == nil {
			path, local = strings.CutPrefix(ref, "#/")
		}
		if !local {
			break
		}
		delete(self, "$ref")
		target := s.root
		for key := range strings.SplitSeq(path, "/") {
			var next map[string]json.RawMessage
			if json.Unmarshal(target[key], &next) != nil {
				break
			}
			target = next
		}
		for key, value := range target {
			if _, there := self[key]; !there {
				self[key] = value
			}
		}
	}
	return &schema{s.root, self}
}

// text gives a keyword whose value is a string.
func (s *schema) text(keyword string) (value string) {
	if s != nil {
		_ = json.Unmarshal(s.self[keyword], &value)
	}
	return value
}

// fields lists the keys of an object, required ones first, else in the schema's order, each followed by those inside it.
func (s *schema) fields() []field { return s.fieldsBelow("", 1) }

func (s *schema) fieldsBelow(prefix string, depth int) []field {
	if s == nil || depth > maxFieldDepth {
		return nil
	}
	var properties map[string]json.RawMessage
	_ = json.Unmarshal(s.self["properties"], &properties)
	var required []string
	_ = json.Unmarshal(s.self["required"], &required)
	names := keysInOrder(s.self["properties"])
	slices.SortStableFunc(names, func(a, b string) int {
		return rank(slices.Contains(required, a)) - rank(slices.Contains(required, b))
	})
	var out []field
	for _, name := range names {
		p := s.below(properties[name])
		if p == nil {
			continue
		}
		out = append(out, field{prefix + name, p.kind(), slices.Contains(required, name), compact(p.self["default"]), p.text("description")})
		out = append(out, p.fieldsBelow(prefix+name+".", depth+1)...)
		if raw, ok := p.self["items"]; ok {
			out = append(out, p.below(raw).fieldsBelow(prefix+name+"[].", depth+1)...)
		}
	}
	return out
}

func rank(required bool) int {
	if required {
		return 0
	}
	return 1
}

// kind says which values fit, in a few words: "string", "list of string", "one of POST, GET".
func (s *schema) kind() string {
	if s == nil {
		return "any value"
	}
	var enum []any
	if json.Unmarshal(s.self["enum"], &enum) == nil && len(enum) > 0 {
		words := make([]string, len(enum))
		for i, e := range enum {
			text, isText := e.(string)
			if !isText {
				raw, _ := json.Marshal(e) // it was JSON
				text = string(raw)
			}
			words[i] = text
		}
		return "one of " + strings.Join(words, ", ")
	}
	var kinds []string
	for _, t := range s.types() {
		kinds = append(kinds, s.kindOf(t))
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		var some []json.RawMessage
		if len(kinds) > 0 || json.Unmarshal(s.self[word], &some) != nil {
			continue
		}
		for _, one := range some {
			if k := s.below(one).kind(); !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
	}
	if len(kinds) == 0 {
		return "any value"
	}
	return strings.Join(kinds, " or ")
}

func (s *schema) kindOf(t string) string {
	switch t {
	case "array":
		if raw, ok := s.self["items"]; ok {
			if k := s.below(raw).kind(); !strings.Contains(k, " ") {
				return "list of " + k
			}
		}
		return "list"
	case "object":
		if p := s.below(s.self["additionalProperties"]); p != nil && len(s.self["properties"]) == 0 {
			if k := p.kind(); k != "any value" {
				return "map of " + k
			}
		}
		return "map"
	case "string":
		switch format := s.text("format"); format {
		case "go-duration":
			return "duration"
		case "http-url":
			return "URL"
		}
	}
	return t
}

// types gives the JSON types that fit; none where the schema does not say.
func (s *schema) types() []string {
	var one string
	if json.Unmarshal(s.self["type"], &one) == nil && one != "" {
		return []string{one}
	}
	var some []string
	_ = json.Unmarshal(s.self["type"], &some)
	return some
}

// keysInOrder gives the keys of a JSON object as they are written.
func keysInOrder(text json.RawMessage) (keys []string) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for dec.More() {
		key, err := dec.Token()
		name, ok := key.(string)
		var value json.RawMessage
		if err != nil || !ok || dec.Decode(&value) != nil {
			return keys
		}
		keys = append(keys, name)
	}
	return keys
}

func compact(text json.RawMessage) string {
	var b bytes.Buffer
	if len(text) == 0 || json.Compact(&b, text) != nil {
		return ""
	}
	return b.String()
}
