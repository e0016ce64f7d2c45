package cluster

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
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
		"cluster-identifier": like(clusterPattern()).says(clusterHint)(),
		"identifier":         textLike(identifierPattern.String()).says(nameHint)(),
		"new-identifier":     textLike(identifierPattern.String()).says(nameHint).with("not", rule{"const": "run"})(),
		"identifiers":        oneOrMore("identifier", 0),
		"time":               timeRule(),
		"some-time":          like(timePattern).says(timeHint).with("not", zero())(),
		"share":              rule{"type": list("string", "integer"), "pattern": sharePattern, "minimum": 0, "maximum": mostCount, "errorMessage": shareHint},
		"memory":             rule{"type": list("string", "number"), "pattern": memoryPattern(), "minimum": 0, "errorMessage": memoryHint},
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
			"if":   rule{"required": list("uses"), "properties": rule{"uses": rule{"type": "string", "pattern": `^(satellite/)?` + oneOfNames(spellings[i]) + `$`}}},
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

// usesRule is the name of a satellite; editors suggest those with satellite/.
func usesRule(specs []*orbit.SatelliteSpec, spellings [][]string) rule {
	var known []any
	for i, spec := range specs {
		about := spec.Title
		for _, name := range spellings[i] {
			known = append(known, rule{"const": "satellite/" + name, "description": about + "."})
		}
	}
	if known == nil {
		return rule{"not": rule{}}
	}
	return rule{"anyOf": append(known, rule{"type": "string", "pattern": "^" + oneOfNames(slices.Concat(spellings...)) + "$"})}
}

// oneOfNames matches names.
func oneOfNames(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = regexp.QuoteMeta(n)
	}
	return "(" + strings.Join(quoted, "|") + ")"
}
