package cluster_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// fakeCatalog has a satellite of each sort that the compiler tells apart.
type fakeCatalog map[string]*orbit.SatelliteSpec

func (c fakeCatalog) Lookup(name string) (*orbit.SatelliteSpec, bool) {
	s, ok := c[name]
	return s, ok
}

func (c fakeCatalog) Names() []string { return slices.Sorted(maps.Keys(c)) }

func newCatalog() fakeCatalog {
	files := &orbit.SatelliteSpec{
		Name: "exospherehost/get-files", GivesFiles: true, EmptyInput: true, SecretFields: []string{"config.secrets"},
		Config: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["provider"], "properties": {
			"provider": {"enum": ["file", "aws-s3"]}, "folder-path": {"type": "string"}, "recursive": {"type": "boolean"},
			"allowed-extensions": {"type": "array", "items": {"type": "string"}}, "secrets": {"$ref": "#/$defs/texts"}},
			"$defs": {"texts": {"type": "object", "additionalProperties": {"type": "string"}}}}`),
		Output: json.RawMessage(`{"type": "object", "additionalProperties": false, "properties": {"file-path": {}, "file-name": {}, "file-uri": {}, "size": {}}}`),
	}
	parse := &orbit.SatelliteSpec{
		Name: "exospherehost/parse-pdf", Aliases: []string{"exospherehost/read-pdf"}, ReadsFiles: true, PrimaryText: "markdown", SecretFields: []string{"config.secrets"},
		Config:  json.RawMessage(`{"type": "object", "additionalProperties": false, "properties": {"language": {"type": "string"}, "output-format": {"type": "string"}, "secrets": {"type": "object"}}}`),
		Output:  json.RawMessage(`{"type": "object", "additionalProperties": false, "properties": {"markdown": {}, "pages": {}}}`),
		Timeout: 10 * time.Minute,
	}
	model := &orbit.SatelliteSpec{
		Name: "exospherehost/gemma", Resources: orbit.Resources{GPUMemory: 16 * orbit.GiB, Model: "gemma"}, Pool: "gemma", PrimaryText: "text", BundleHint: 8,
		Config: json.RawMessage(`{"type": "object", "additionalProperties": false, "properties": {"temperature": {"type": "number"}, "max-tokens": {"type": "integer"}, "output-schema": {"type": ["string", "object"]}}}`),
		Input:  json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["prompt"], "properties": {"prompt": {"type": "string"}, "top-words": {"type": "array"}}}`),
	}
	webhook := &orbit.SatelliteSpec{
		Name: "exospherehost/call-webhook", SecretFields: []string{"config.url", "config.headers", "config.body", "input.body", "input.query-params"},
		Config: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["url"], "properties": {
			"url": {"type": "string"}, "method": {"enum": ["POST", "GET"]}, "headers": {"type": "object"}, "follow-redirects": {"type": "boolean"}, "body": {"type": "object"},
			"options": {"type": "object", "additionalProperties": false, "required": ["max-size"], "properties": {"max-size": {"type": "integer"}, "kind": {}}}}}`),
		Input: json.RawMessage(`{"type": "object", "additionalProperties": false, "properties": {"body": {}, "query-params": {"type": "object", "properties": {"page-size": {}}}}}`),
	}
	jq := &orbit.SatelliteSpec{
		Name:   "exospherehost/jq",
		Config: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["query"], "properties": {"query": {"type": "string"}, "timeout": {"type": "string"}}}`),
	}
	move := &orbit.SatelliteSpec{Name: "exospherehost/move-file", ReadsFiles: true, GivesFiles: true, SecretFields: []string{"config.secrets"}}
	put := &orbit.SatelliteSpec{
		Name: "exospherehost/put-files", GivesFiles: true, SecretFields: []string{"config.secrets"},
		Config: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["folder-path", "file-name"], "properties": {"folder-path": {"type": "string"}, "file-name": {"type": "string"}, "secrets": {"type": "object"}}}`),
		Input:  json.RawMessage(`{"type": "object", "properties": {"content": {}}}`),
	}
	typed := &orbit.SatelliteSpec{Name: "test/typed", Output: json.RawMessage(`{"type": "object", "additionalProperties": false, "properties": {
		"name": {"type": "string"}, "pages": {"type": "integer"}, "note": {"type": ["string", "null"]},
		"tables": {"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": {"title": {"type": "string"}, "rows": {"type": "array"}}}}}}`)}
	mail := &orbit.SatelliteSpec{Name: "exospherehost/send-email"}
	c := fakeCatalog{}
	for _, s := range []*orbit.SatelliteSpec{files, parse, model, webhook, jq, move, put, mail, typed} {
		for _, name := range append([]string{s.Name}, s.Aliases...) {
			c[name] = s
		}
	}
	return c
}

// fakeCheck knows a few values to be wrong: a temperature that is no number, a method that is none, a query with an
// unmatched bracket.
func fakeCheck(spec *orbit.SatelliteSpec, part string, value any) []cluster.Violation {
	m, _ := value.(map[string]any)
	var out []cluster.Violation
	if t, ok := m["temperature"]; ok {
		if _, text := t.(string); text || t == nil {
			out = append(out, cluster.Violation{Path: []string{"temperature"}, Message: fmt.Sprintf("must be a number, not %T", t)})
		}
	}
	if method, ok := m["method"].(string); ok && method != "POST" && method != "GET" {
		out = append(out, cluster.Violation{Path: []string{"method"}, Message: "must be one of POST, GET", Hint: "write POST"})
	}
	if query, ok := m["query"].(string); ok && part == "config" {
		if i := strings.Index(query, "]"); i >= 0 {
			out = append(out, cluster.Violation{Path: []string{"query"}, Offset: i, Message: "is no jq program: unexpected ]"})
		}
	}
	if extensions, ok := m["allowed-extensions"].([]any); ok {
		for i, e := range extensions {
			if _, text := e.(string); !text {
				out = append(out, cluster.Violation{Path: []string{"allowed-extensions", fmt.Sprint(i)}, Message: "must be text"})
			}
		}
	}
	if _, ok := m["url"]; !ok && spec.Name == "exospherehost/call-webhook" && part == "config" {
		out = append(out, cluster.Violation{Path: []string{"url"}, Message: "is required"})
	}
	return out
}

func classes(r orbit.Resources) (string, error) {
	switch {
	case r.Class == "gpu-80g", r.Class == "cpu":
		return r.Class, nil
	case r.Class != "":
		return "", fmt.Errorf("there is no class %s", r.Class)
	case r.GPUMemory > 40*orbit.GiB:
		return "gpu-80g", nil
	case r.GPUMemory > 0:
		return "gpu-40g", nil
	}
	return "cpu", nil
}

func compile(text string) *cluster.Result {
	return cluster.Compile("c.yml", []byte(text), cluster.Options{Catalog: newCatalog(), Check: fakeCheck, Classes: classes,
		Stored: func(_, name string) bool { return name != "not-stored" }})
}
