package cluster

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
)

// expressionPattern is text that holds an expression, whose value nothing is known of.
const expressionPattern = `\$\{\{`

// Bounds of what one satellite may add, so that definitions that refer to each other cannot fill the memory.
const (
	mostRules   = 5_000
	deepestRule = 12
)

// satelliteRule is what a step with this satellite must be, besides a step. Def is the definition that it becomes.
func satelliteRule(spec *orbit.SatelliteSpec, def string) rule {
	r := rule{"title": spec.Title}
	at := "#/$defs/" + def + "/properties/"
	if !plainName.MatchString(def) {
		at = ""
	}
	config, must := configRule(spec, under(at, "config"))
	if must {
		r["required"] = list("config")
	}
	properties := rule{"config": config, "input": inputRule(spec, under(at, "input"))}
	r["properties"] = properties
	inside, _ := config["properties"].(rule)
	if _, own := inside["input"]; own || spec.EmptyInput {
		return r
	}
	if inside == nil {
		inside = rule{}
		config["properties"] = inside
	}
	inside["input"] = rule{"title": "Input", "description": "The same as input beside config."}
	if at != "" {
		inside["input"].(rule)["allOf"] = []any{rule{"$ref": at + "input"}}
	}
	r["not"] = rule{"required": list("config", "input"), "properties": rule{
		"input": rule{"not": rule{"type": "null"}}, "config": rule{"type": "object", "required": list("input")}}}
	return r
}

// configRule is the rule for a config, and whether there must be one.
func configRule(spec *orbit.SatelliteSpec, at string) (r rule, must bool) {
	r = rule{}
	if s := readSchema(spec.Config); s != nil {
		d := &dataRules{root: s, budget: mostRules}
		r = d.constraints(s, place{at: at, rename: true, below: deep})
		must = !d.fitsEmpty(s, 0)
	}
	r["type"] = "object"
	if !must {
		r["type"] = list("object", "null")
	}
	about, _, _ := strings.Cut(spec.Description, "\n\n")
	r["title"], r["description"] = "Config of "+spec.Name, about
	markSecrets(r, spec, "config")
	return r, must
}

// inputRule is the rule for an input; one that is empty counts as left out.
func inputRule(spec *orbit.SatelliteSpec, at string) rule {
	title := "Input of " + spec.Name
	if spec.EmptyInput {
		return rule{"type": "null", "title": title, "description": "It takes no input."}
	}
	r := rule{}
	if s := readSchema(spec.Input); s != nil {
		d := &dataRules{root: s, budget: mostRules}
		r = d.value(s, place{at: at, rename: true, lists: true, below: shallow})
		inside := r
		if d.apart(d.resolve(s)) {
			inside, _ = r["anyOf"].([]any)[0].(rule)
		}
		markSecrets(inside, spec, "input")
		orEmpty(r)
	}
	r["title"] = title
	return r
}

func readSchema(text json.RawMessage) (s schemaText) {
	if json.Unmarshal(text, &s) != nil {
		return nil
	}
	return s
}

// markSecrets says in the description of a key that secrets may stand there.
func markSecrets(r rule, spec *orbit.SatelliteSpec, part string) {
	properties, _ := r["properties"].(rule)
	for _, field := range spec.SecretFields {
		name, ok := strings.CutPrefix(field, part+".")
		if p, is := properties[name].(rule); ok && is {
			text, _ := p["description"].(string)
			p["description"] = strings.TrimSpace(text + " May hold ${{ secrets.NAME }}.")
		}
	}
}

// schemaText is a JSON Schema as it is read from a satellite's description.
type schemaText = map[string]any

// dataRules turns the schema of a satellite's config or input into the rule for what may be written for it: keys in other
// spellings, lists of one-key maps for maps, expressions for anything. It keeps what it knows how to turn, and leaves the
// rest out: what the compiler takes must fit.
type dataRules struct {
	root   schemaText
	budget int
}

// place says how a value is read that a rule is made for; see compiler.value.
type place struct {
	at     string  // pointer to the rule; empty: nothing can point there
	depth  int     // how many rules it is inside of
	branch bool    // the rule is a further one about the same value,
	names  *schema // and these are the keys of the whole
	rename bool    // keys have other spellings
	lists  bool    // a list of one-key maps may stand for a map
	free   bool    // user data: anything goes
	below  reading // how the values of keys are read
}

// reading is how far down the compiler's leniency reaches.
type reading int

const (
	raw     reading = iota // as it is
	shallow                // of an input: the keys of the top, and lists for maps one level further down
	deep                   // of a config
)

// child is the place of the value of a key.
func (p place) child(key string) place {
	q := place{at: under(p.at, "/properties/"+key), depth: p.depth + 1}
	if !plainName.MatchString(key) {
		q.at = ""
	}
	switch {
	case userData[key]:
		q.free = true
	case p.below == raw:
	case p.below == deep:
		q.rename, q.lists, q.below = true, true, deep
	case p.rename:
		q.lists = true
	}
	return q
}

// entry is the place of an entry of a list.
func (p place) entry() place {
	q := place{at: under(p.at, "/items"), depth: p.depth + 1}
	if p.rename {
		q.rename, q.lists, q.below = true, true, p.below
	}
	return q
}

// further is the place of one more rule about the same value.
func (p place) further() place {
	p.at, p.branch, p.depth = "", true, p.depth+1
	return p
}

// under goes on with a pointer, where there is one.
func under(at, rest string) string {
	if at == "" {
		return ""
	}
	return at + rest
}

// value is the rule for a value where an expression may stand too.
func (d *dataRules) value(s schemaText, p place) rule {
	s = d.resolve(s)
	about := rule{}
	for _, word := range []string{"title", "description", "default", "examples"} {
		if v, ok := s[word]; ok {
			about[word] = v
		}
	}
	types := typesOf(s)
	switch {
	case p.free:
		return about
	case d.apart(s): // an expression would not fit
		p.at = under(p.at, "/anyOf/0")
		about["anyOf"] = []any{d.constraints(s, p), refer("expression")()}
		return about
	case len(types) == 0 || slices.Contains(types, "string"):
		maps.Copy(about, d.constraints(s, p))
		return about
	}
	maps.Copy(about, d.constraints(s, p))
	now, _ := about["type"].([]any)
	if one, ok := about["type"].(string); ok {
		now = []any{one}
	}
	about["type"] = append(slices.Clone(now), "string")
	about["pattern"] = expressionPattern
	return about
}

// apart tells whether a schema says something of strings, or of values of every type.
func (d *dataRules) apart(s schemaText) bool {
	for _, word := range []string{"enum", "const", "pattern", "format", "maxLength", "anyOf", "oneOf", "allOf", "not", "if"} {
		if _, ok := s[word]; ok {
			return true
		}
	}
	least, _ := s["minLength"].(float64)
	return least > 1
}

// formats are those of satellites' schemas that editors do not know, as patterns.
var formatPatterns = map[string]string{"go-duration": `^\+?(` + decimal + timeUnit + `)+$`, "http-url": urlPattern}

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
	types, _ := r["type"].([]any)
	if one, ok := r["type"].(string); ok {
		types = []any{one}
	}
	r["type"] = append(slices.Clone(types), "array")
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
		if p.rename && p.names.has(name) {
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
