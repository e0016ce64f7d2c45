package cluster

import (
	"maps"
	"slices"
	"strings"
)

// expressionPattern is text that holds an expression, whose value nothing is known of.
const expressionPattern = `\$\{\{`

// Bounds of what one satellite may add, so that definitions that refer to each other cannot fill the memory.
const (
	mostRules   = 5_000
	deepestRule = 12
)

// schemaText is a JSON Schema as it is read from a satellite's description.
type schemaText = map[string]any

// dataRules turns the schema of a satellite's config or input into the rule for what may be written for it: keys in other
// spellings, lists of one-key maps for maps, expressions for anything. It keeps what it knows how to turn, and leaves the
// rest out: what the compiler takes must fit.
type dataRules struct {
	root   schemaText
	budget int
}

// value is the rule for a value where an expression may stand too.
func (d *dataRules) value(s schemaText, p place) rule {
	meant := d.resolve(s)
	about := rule{}
	for _, word := range []string{"title", "description", "default", "examples"} {
		if v, ok := meant[word]; ok {
			about[word] = v
		}
	}
	switch {
	case p.free:
		return about
	case apart(meant): // an expression would not fit
		p.at = under(p.at, "/anyOf/0")
		about["anyOf"] = []any{d.constraints(s, p), refer("expression")()}
		return about
	}
	maps.Copy(about, d.constraints(s, p))
	if types := typesOf(about); len(types) > 0 && !slices.Contains(types, "string") {
		about["type"] = list(append(types, "string")...)
		about["pattern"], about["errorMessage"] = expressionPattern, wanted(typesOf(meant))
	}
	return about
}

// wanted says what may be written for a value of some types.
func wanted(types []string) string {
	var kinds []string
	for _, t := range types {
		if kind, ok := kindNames[t]; ok {
			kinds = append(kinds, kind)
		}
	}
	return "write " + strings.Join(append(kinds, "an expression: ${{ … }}"), " or ")
}

var kindNames = map[string]string{"boolean": "true or false", "integer": "a whole number", "number": "a number", "object": "a map", "array": "a list"}

// apart tells whether a schema says something of strings, or of values of every type.
func apart(s schemaText) bool {
	for _, word := range []string{"enum", "const", "pattern", "format", "maxLength", "anyOf", "oneOf", "allOf", "not", "if"} {
		if _, ok := s[word]; ok {
			return true
		}
	}
	least, _ := s["minLength"].(float64)
	return least > 1
}

// The formats of satellites' schemas that editors do not know, as patterns.
var (
	formatPatterns = map[string]string{"go-duration": `^\+?(` + decimal + timeUnit + `)+$`, "http-url": urlPattern}
	formatHints    = map[string]string{"go-duration": timeHint, "http-url": "write a URL such as https://example.com/path"}
)

// constraints is the rule for a value that is no expression.
func (d *dataRules) constraints(s schemaText, p place) rule {
	if d.budget--; d.budget < 0 || p.depth > deepestRule {
		return rule{}
	}
	if !p.branch {
		p.names = newSchema(d.root, s)
		p.lists = p.lists && p.names.wantsMap()
	}
	s = d.resolve(s)
	r := rule{}
	for _, word := range []string{"type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
		"minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"} {
		if v, ok := s[word]; ok {
			r[word] = v
		}
	}
	if format, ok := s["format"].(string); ok && formatPatterns[format] != "" && r["pattern"] == nil {
		r["pattern"] = formatPatterns[format]
		r["errorMessage"] = formatHints[format]
	}
	d.keys(r, s, p)
	if items, ok := s["items"].(schemaText); ok {
		r["items"] = d.value(items, p.entry())
	}
	for _, name := range requiredOf(s) {
		require(r, name, p.rename && p.names.has(name))
	}
	if types := typesOf(s); p.lists && slices.Contains(types, "object") && !slices.Contains(types, "array") {
		d.asList(r, s, p)
	}
	d.branches(r, s, p)
	return r
}

// keys adds the rules for keys of a map.
func (d *dataRules) keys(r rule, s schemaText, p place) {
	if properties, ok := s["properties"].(schemaText); ok {
		out := rule{}
		r["properties"] = out
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			inner := p.child(name)
			value, ok := properties[name].(schemaText)
			if !ok {
				out[name] = properties[name]
				value = schemaText{}
			} else {
				out[name] = d.value(value, inner)
			}
			switch {
			case !p.rename || !p.names.has(name) || !strings.Contains(name, "-"):
			case inner.at != "":
				other(r, name, rule{"$ref": inner.at})
			default:
				other(r, name, out[name])
			}
		}
	}
	if patterns, ok := s["patternProperties"].(schemaText); ok {
		out, ok := r["patternProperties"].(rule)
		if !ok {
			out = rule{}
			r["patternProperties"] = out
		}
		for _, pattern := range slices.Sorted(maps.Keys(patterns)) {
			if value, ok := patterns[pattern].(schemaText); ok {
				out[pattern] = d.value(value, place{depth: p.depth + 1})
			}
		}
	}
	switch more := s["additionalProperties"].(type) {
	case bool:
		r["additionalProperties"] = more
	case schemaText:
		r["additionalProperties"] = d.value(more, p.child(""))
	}
}

// asList lets a list of one-key maps stand for the map that r is about.
func (d *dataRules) asList(r rule, s schemaText, p place) {
	r["type"] = list(append(typesOf(r), "array")...)
	entry := rule{"type": "object", "minProperties": 1, "maxProperties": 1}
	for _, word := range []string{"additionalProperties", "patternProperties"} {
		if v, ok := r[word]; ok {
			entry[word] = v
		}
	}
	if more, ok := entry["additionalProperties"].(rule); ok && p.at != "" && len(more) > 0 {
		entry["additionalProperties"] = rule{"$ref": p.at + "/additionalProperties"}
	}
	if properties, ok := r["properties"].(rule); ok {
		same := rule{}
		for name, value := range properties {
			same[name] = value
			if at := p.child(name).at; at != "" {
				same[name] = rule{"$ref": at}
			}
		}
		entry["properties"] = same
	}
	r["minItems"], r["items"] = 1, entry
	for _, name := range requiredOf(s) {
		wanted := rule{"required": list(name)}
		if p.rename && p.names.has(name) {
			wanted = anySpelling(name)
		}
		also(r, rule{"contains": wanted})
	}
}

// branches adds what further schemas say of the same value.
func (d *dataRules) branches(r rule, s schemaText, p place) {
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		some, ok := s[word].([]any)
		if !ok {
			continue
		}
		out := make([]any, len(some))
		for i, v := range some {
			out[i] = v
			if one, ok := v.(schemaText); ok {
				out[i] = d.constraints(one, p.further())
			}
		}
		if word != "allOf" { // a value that holds an expression may fit several of oneOf
			also(r, rule{"anyOf": out})
			continue
		}
		before, _ := r["allOf"].([]any)
		r["allOf"] = append(before, out...)
	}
	if inner, ok := s["not"].(schemaText); ok {
		if sure, ok := d.surely(inner, p.further()); ok {
			r["not"] = sure
		}
	}
	if condition, ok := s["if"].(schemaText); ok {
		then, is := s["then"].(schemaText)
		if sure, ok := d.surely(condition, p.further()); ok && is {
			r["if"], r["then"] = sure, d.constraints(then, p.further())
		}
	}
}
