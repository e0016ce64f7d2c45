package cluster

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// surely is a rule that fits only what fits the schema whatever its expressions turn out to be: what stands below a not
// or an if must not fit by chance. It is false where the schema says more than can be told so.
func (d *dataRules) surely(s schemaText, p place) (rule, bool) {
	if d.budget--; d.budget < 0 || p.depth > deepestRule {
		return nil, false
	}
	s = d.resolve(s)
	r, all := rule{}, []any{}
	for _, word := range slices.Sorted(maps.Keys(s)) {
		v := s[word]
		switch word {
		case "title", "description", "default", "examples", "$schema", "$comment", "$defs", messageWord:
		case "type", "const", "enum":
			r[word] = v
		case "required", "properties":
			if _, typed := s["type"]; !typed {
				r["type"] = "object"
			}
		case "allOf", "anyOf":
			some, ok := v.([]any)
			out := make([]any, len(some))
			for i := range some {
				one, is := some[i].(schemaText)
				if !ok || !is {
					return nil, false
				}
				if out[i], is = d.surely(one, p.further()); !is {
					return nil, false
				}
			}
			all = append(all, rule{word: out})
		default:
			return nil, false
		}
	}
	for _, name := range requiredOf(s) {
		if strings.Count(name, "-") > mostHyphens {
			return nil, false
		}
		require(r, name, p.rename && p.names.has(name))
	}
	properties, _ := s["properties"].(schemaText)
	patterns := rule{}
	for name, v := range properties {
		value, ok := v.(schemaText)
		inner := p.child(name)
		if !ok || inner.free {
			return nil, false
		}
		one, ok := d.surely(value, inner)
		if !ok {
			return nil, false
		}
		spelling := regexp.QuoteMeta(name)
		if p.rename {
			spelling = strings.ReplaceAll(spelling, "-", "[-_]")
		}
		patterns["^"+spelling+"$"] = one
	}
	if len(patterns) > 0 {
		r["patternProperties"] = patterns
	}
	if slices.Contains(typesOf(s), "string") {
		r["not"] = refer("expression")()
	}
	if before, _ := r["allOf"].([]any); len(all) > 0 {
		r["allOf"] = append(before, all...)
	}
	return r, true
}

// messageWord is a keyword with a sentence for people, which says nothing of values.
const messageWord = "x-message"

// resolve follows a reference. What stands beside it counts where the other does not speak of it.
func (d *dataRules) resolve(s schemaText) schemaText {
	if _, ok := s["$ref"]; !ok {
		return s
	}
	target := newSchema(d.root, s)
	if target == nil {
		return schemaText{}
	}
	if _, still := target.self["$ref"]; still {
		return schemaText{}
	}
	merged := maps.Clone(target.self)
	for word, v := range s {
		_, there := merged[word]
		switch word {
		case "$ref", "$defs", "if", "then", "else":
		case "title", "description", "default", "examples":
			merged[word] = v
		default:
			if !there {
				merged[word] = v
			}
		}
	}
	return merged
}

// fitsEmpty tells whether a map without keys fits; where that is hard to tell, it does.
func (d *dataRules) fitsEmpty(s schemaText, depth int) bool {
	if depth > deepestRule {
		return true
	}
	s = d.resolve(s)
	least, _ := s["minProperties"].(float64)
	types := typesOf(s)
	if len(requiredOf(s)) > 0 || least > 0 || len(types) > 0 && !slices.Contains(types, "object") {
		return false
	}
	fits := func(v any) bool {
		m, ok := v.(schemaText)
		return !ok || d.fitsEmpty(m, depth+1)
	}
	all, _ := s["allOf"].([]any)
	for _, v := range all {
		if !fits(v) {
			return false
		}
	}
	for _, word := range []string{"anyOf", "oneOf"} {
		if some, ok := s[word].([]any); ok && !slices.ContainsFunc(some, fits) {
			return false
		}
	}
	return true
}

func requiredOf(s schemaText) []string { return texts(s["required"]) }
