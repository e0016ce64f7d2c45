package cluster

import (
	"encoding/json"
	"strings"

	"github.com/exospherehost/orbit"
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
		return rule{"type": "null", "title": title, "description": "It takes no input.", "errorMessage": noInputHint}
	}
	r := rule{}
	if s := readSchema(spec.Input); s != nil {
		d := &dataRules{root: s, budget: mostRules}
		r = d.value(s, place{at: at, rename: true, lists: true, below: shallow})
		inside := r
		if apart(d.resolve(s)) {
			inside, _ = r["anyOf"].([]any)[0].(rule)
		}
		markSecrets(inside, spec, "input")
		orEmpty(r)
	}
	r["title"] = title
	return r
}

// noInputHint says what to do with the input of a satellite that takes none.
const noInputHint = "remove it, or move its keys to config"

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
