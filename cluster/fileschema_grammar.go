package cluster

import (
	"strings"
)

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
	return rule{"type": list("string", "integer"), "pattern": timePattern, "minimum": 0, "maximum": 0, "errorMessage": timeHint}
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

func has(list []any, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
