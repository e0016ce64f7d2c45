package cluster

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/exospherehost/orbit"
)

// dialect is the draft that the schema names. It keeps to what draft-07 says too, and says the same there: no keyword
// that only one of them has, nothing that counts beside a $ref, no pointer that needs an escape. Some editors read
// nothing newer than draft-07, whatever a schema names.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// FileSchema is the JSON Schema of a cluster file, config and input of every satellite of the catalog included, for
// editors. Classes are the hardware classes that it suggests; others are not refused. It is indented JSON, and the same
// for the same catalog.
//
// Whatever Compile takes fits it. Much that Compile refuses does not: unknown and missing keys, wrong types, words and
// amounts. What speaks of another place of the file, such as parents, secrets and expressions, is Compile's alone.
func FileSchema(c Catalog, classes []string) []byte {
	defs := rule{
		"cluster":            table("", clusterKeys),
		"cluster-identifier": like(clusterPattern())(),
		"identifier":         textLike(identifierPattern.String())(),
		"new-identifier":     textLike(identifierPattern.String()).with("not", rule{"const": "run"})(),
		"identifiers":        oneOrMore("identifier", 0),
		"time":               timeRule(),
		"some-time":          like(timePattern).with("not", zero())(),
		"share":              rule{"type": []any{"string", "integer"}, "pattern": sharePattern, "minimum": 0, "maximum": mostCount},
		"memory":             rule{"type": []any{"string", "number"}, "pattern": memoryPattern(), "minimum": 0},
		"class":              anyText.with("examples", list(classes...))(),
		"trigger":            triggerRule(),
		"triggers":           oneOrMore("trigger", 1),
		"retries":            rule{"anyOf": []any{whole(0, maxRetries).with("default", DefaultRetries.Max)(), table("retries/anyOf/1", retryKeys)}},
		"source":             sourceRule(),
		"secrets":            rule{"anyOf": []any{refer("some-secrets")(), rule{"type": "array", "items": refer("some-secrets")()}}},
		"some-secrets":       someSecrets(),
		"satellites":         rule{"type": "array", "minItems": 1, "maxItems": maxSteps, "items": refer("satellite")()},
		"logs":               table("", logsKeys),
		"failure":            table("", failureKeys),
		"unites":             unitesRule(),
		"resources":          table("resources", resourceKeys),
		"expression":         rule{"type": "string", "pattern": expressionPattern, "title": "Expression"},
	}
	step := table("satellite", stepKeys)
	defs["satellite"] = step
	specs, spellings := satellitesOf(c)
	defs["uses"] = usesRule(specs, spellings)
	var each []any
	for i, spec := range specs {
		name := strings.ReplaceAll(spec.Name, "/", ".")
		for defs[name] != nil {
			name += "-"
		}
		defs[name] = satelliteRule(spec, name)
		each = append(each, rule{
			"if":   rule{"required": list("uses"), "properties": rule{"uses": rule{"enum": withPrefix(spellings[i])}}},
			"then": refer(name)(),
		})
	}
	if each != nil {
		step["allOf"] = each
	}
	whole := table("", fileKeys)
	whole["$schema"], whole["$defs"] = dialect, defs
	whole["title"], whole["description"] = "Orbit cluster file", "A workflow for Exosphere Orbit. `orbit lint` tells what an editor cannot."
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	_ = enc.Encode(whole) // strings, numbers, lists and maps: JSON has them all
	return b.Bytes()
}

// table is the rule for a map of the grammar. Def names the definition that it becomes, where a key has a hyphen.
func table(def string, all keys) rule {
	properties, required := rule{}, []any{}
	r := rule{"type": "object", "additionalProperties": false, "properties": properties}
	for _, k := range all {
		properties[k.name] = k.rule()
		if k.must != "" {
			required = append(required, k.name)
		}
		if strings.Contains(k.name, "-") {
			other(r, k.name, refer(def+"/properties/"+k.name)())
		}
	}
	if len(required) > 0 {
		r["required"] = required
	}
	return r
}

// rule is the rule for the value of a key, with what an editor shows.
func (k key) rule() rule {
	r := k.form()
	if ref, ok := r["$ref"]; ok { // beside a $ref, draft-07 reads nothing
		delete(r, "$ref")
		r["anyOf"] = []any{rule{"$ref": ref}}
	}
	if k.must == "" {
		orEmpty(r)
	}
	r["title"], r["description"] = k.title, k.text
	return r
}

// orEmpty lets null fit too.
func orEmpty(r rule) {
	if some, ok := r["anyOf"].([]any); ok {
		r["anyOf"] = append(some, rule{"type": "null"})
	}
	if words, ok := r["enum"].([]any); ok {
		r["enum"] = append(words, nil)
	}
	switch t := r["type"].(type) {
	case string:
		r["type"] = []any{t, "null"}
	case []any:
		if !has(t, "null") {
			r["type"] = append(t, "null")
		}
	}
}

// other lets a key be written with _ in place of some or all of its hyphens. The spelling with hyphens alone is the one
// that editors suggest.
func other(r rule, name string, value any) {
	patterns, ok := r["patternProperties"].(rule)
	if !ok {
		patterns = rule{}
		r["patternProperties"] = patterns
	}
	patterns["^"+underscored(strings.Split(name, "-"))+"$"] = value
}

// underscored matches the parts joined by - and _, at least one of them _.
func underscored(parts []string) string {
	first, rest := regexp.QuoteMeta(parts[0]), parts[1:]
	if len(rest) == 1 {
		return first + "_" + regexp.QuoteMeta(rest[0])
	}
	loose := ""
	for _, p := range rest {
		loose += "[-_]" + regexp.QuoteMeta(p)
	}
	return first + "(_" + loose[len("[-_]"):] + "|-" + underscored(rest) + ")"
}

// spelled lists all spellings of a key that has hyphens.
func spelled(name string) []string {
	first, rest, ok := strings.Cut(name, "-")
	if !ok {
		return []string{name}
	}
	var out []string
	for _, joint := range []string{"-", "_"} {
		for _, s := range spelled(rest) {
			out = append(out, first+joint+s)
		}
	}
	return out
}

// oneOrMore is one value or a list of at least so many.
func oneOrMore(def string, least int) rule {
	many := rule{"type": "array", "items": refer(def)()}
	if least > 0 {
		many["minItems"] = least
	}
	return rule{"anyOf": []any{refer(def)(), many}}
}

// timeRule is a duration; 0 needs no unit, and so may be a number.
func timeRule() rule {
	return rule{"type": []any{"string", "integer"}, "pattern": timePattern, "minimum": 0, "maximum": 0}
}

// triggerRule is one trigger: a word, or a map with the key of its type and the settings of that type.
func triggerRule() rule {
	kinds := []any{rule{"enum": list("api-call", "webhook")}}
	for _, kind := range triggerTypes {
		var own keys
		for _, k := range triggerKeys {
			if k.name == kind || contains(triggerSettings[kind], k.name) {
				own = append(own, k)
			}
		}
		one := table("trigger/anyOf/"+string(rune('0'+len(kinds))), own)
		one["title"] = "Trigger " + kind
		require(one, kind, true)
		kinds = append(kinds, one)
	}
	return rule{"anyOf": kinds}
}

// require adds a key that must be there; loose tells whether other spellings count.
func require(r rule, name string, loose bool) {
	if !loose || !strings.Contains(name, "-") {
		required, _ := r["required"].([]any)
		if !has(required, name) {
			r["required"] = append(required, name)
		}
		return
	}
	also(r, anySpelling(name))
}

// also adds a rule about the same value.
func also(r rule, more rule) {
	if some, ok := more["anyOf"]; ok && len(more) == 1 && r["anyOf"] == nil {
		r["anyOf"] = some
		return
	}
	all, _ := r["allOf"].([]any)
	r["allOf"] = append(all, more)
}

// anySpelling wants a key in one of its spellings.
func anySpelling(name string) rule {
	var some []any
	for _, s := range spelled(name) {
		some = append(some, rule{"required": list(s)})
	}
	if len(some) == 1 {
		return some[0].(rule)
	}
	return rule{"anyOf": some}
}

func has(list []any, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// sourceRule is where the value of a secret comes from.
func sourceRule() rule {
	one := func(k key) rule {
		return rule{"type": "object", "additionalProperties": false, "required": list(k.name), "properties": rule{k.name: k.rule()}}
	}
	return rule{"anyOf": []any{anyText.with("title", "The value itself")(), one(sourceKeys[0]), one(sourceKeys[1])}}
}

func someSecrets() rule {
	return rule{"type": "object", "additionalProperties": false, "patternProperties": rule{secretPattern.String(): refer("source")()}}
}

// unitesRule is a join. Min-success goes with all-done only.
func unitesRule() rule {
	r := table("unites", unitesKeys)
	var given []any
	for _, s := range spelled("min-success") {
		given = append(given, rule{"required": list(s), "properties": rule{s: rule{"not": rule{"type": "null"}}}})
	}
	r["if"] = rule{"anyOf": given}
	r["then"] = rule{"required": list("strategy"), "properties": rule{"strategy": rule{"const": "all-done"}}}
	return r
}

// satellitesOf lists the satellites of a catalog in the order of their names, and what each may be called.
func satellitesOf(c Catalog) (specs []*orbit.SatelliteSpec, spellings [][]string) {
	if c == nil {
		return nil, nil
	}
	at := map[*orbit.SatelliteSpec]int{}
	for _, name := range c.Names() {
		spec, ok := c.Lookup(name)
		if !ok {
			continue
		}
		i, seen := at[spec]
		if !seen {
			i = len(specs)
			at[spec] = i
			specs, spellings = append(specs, spec), append(spellings, nil)
		}
		spellings[i] = append(spellings[i], name)
	}
	return specs, spellings
}

// withPrefix lists names both with satellite/ and without.
func withPrefix(names []string) []any {
	var out []any
	for _, n := range names {
		out = append(out, "satellite/"+n, n)
	}
	return out
}

// usesRule is the name of a satellite; editors suggest those with satellite/.
func usesRule(specs []*orbit.SatelliteSpec, spellings [][]string) rule {
	var known, short []any
	for i, spec := range specs {
		about := spec.Title
		if !spec.Available {
			about += ". Described, but not run by this version yet"
		}
		for _, name := range spellings[i] {
			known = append(known, rule{"const": "satellite/" + name, "description": about + "."})
			short = append(short, name)
		}
	}
	if known == nil {
		return rule{"not": rule{}}
	}
	return rule{"anyOf": append(known, rule{"enum": short})}
}
