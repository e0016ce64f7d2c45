package cluster_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	real "github.com/exospherehost/orbit/internal/compile"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite"
)

// builtIn compiles with the built-in satellites and all checks, as orbit lint does.
var builtIn = sync.OnceValue(func() cluster.Options {
	return real.Options(realCatalog(fatal{}).(*satellite.Registry), placement.DefaultClasses())
})

// allSpellings is a file in which much is written in another way than the plainest.
const allSpellings = `version: 0.0.1b
cluster:
  identifier: cluster/aikin/test
  title: 5
  description:
  sla: 1h30m
  trigger:
    - api-call
    - {api_call: true}
    - webhook
    - {cron: "*/5 * * * *", timezone: Europe/Berlin, overlap: queue, catch_up: all}
    - {cron: "@daily", overlap: }
    - {event: orders.*, filter: trigger.payload.x}
    - {cluster: aikin/other, on: ended}
  retries: {max: 3, strategy: linear, max_delay: 1m, delay: 0, factor: 1.5, jitter: }
  secrets:
    - A: 1
      B: {env: X}
    - {}
    - C: {vault: a/b}
  satellites:
    - uses: exospherehost/call-webhook
      identifier: send
      retries: 0
      timeout: 1m0.5s
      delay: 0
      rate_limit: " 10 / min "
      config:
        url: http://x/${{ secrets.A }}
        follow_redirects: ${{ trigger.payload.x }}
        headers: [{A: 1}, {B: x}]
        query_params: ${{ trigger.payload }}
        timeout: 30
        input: {body: [1, 2]}
    - uses: satellite/exospherehost/move-file
      input: # nothing
      config:
        source_provider: aws-s3
        source-file_path: a
        destination_provider: file
        destination_file_path: b
        secrets: [{SOURCE_AWS_ACCESS_KEY: "${{ secrets.B }}"}]
      unites: {identifier: send, strategy: all-done, min_success: 95.5%}
    - uses: exospherehost/deepseek-r1-distill-llama-70b
      identifier: 7
      input: [{prompt: x}]
      config: {max_tokens: "${{ trigger.payload.n }}", output_schema: {a: {b: int}}}
      resources: {gpu_memory: 40 GiB, cpu: 4, memory: 1024}
      parents: [send]
    - uses: exospherehost/send-alert
      input: ${{ trigger.payload }}
      config: {provider: "${{ trigger.payload.p }}"}
      parents: 7
      if: true
    - uses: exospherehost/send-email
      input: [{to: [a@example.com]}, {subject: "${{ run.id }}"}, {body: x}]
      config: {provider: smtp, secrets: {SMTP_PORT: 587}}
      concurrency: 8
  logs:
    satellites:
      - uses: exospherehost/send-logs-to-new-relic
        config: {account_id: 1, api_key: k, application_id: "${{ secrets.C }}", log-level: info}
  failure:
    satellites:
      - uses: exospherehost/get-files
        config: {provider: file, folder_path: /a, allowed_extensions: ["${{ failure.code }}"]}
`

func TestTheFileSchemaTakesEverySpelling(t *testing.T) {
	r := cluster.Compile("c.yml", []byte(allSpellings), builtIn())
	if r.Plan == nil {
		for _, d := range r.Errors() {
			if d.Code != "ORB-C058" { // where secrets may stand is another matter
				t.Error(d)
			}
		}
	}
	if err := realEditor().look(t, allSpellings); err != nil {
		t.Error(err)
	}
}

// TestTheFileSchemaMarksWhatASatelliteRefuses: each step is wrong for the compiler and for an editor.
func TestTheFileSchemaMarksWhatASatelliteRefuses(t *testing.T) {
	for name, step := range map[string]string{
		"an unknown key":                      "{uses: exospherehost/jq, config: {query: ., colour: red}}",
		"the same by its prefix":              "{uses: satellite/exospherehost/jq, config: {query: ., colour: red}}",
		"the same by an alias":                "{uses: exospherehost/deepseek-r1-distill-llama-70b, config: {colour: red}}",
		"no config":                           "{uses: exospherehost/jq}",
		"an empty config":                     "{uses: exospherehost/jq, config: }",
		"no config where one of two is":       "{uses: exospherehost/send-pagerduty-alert, input: {message: x}}",
		"a missing key":                       "{uses: exospherehost/jq, config: {timeout: 1s}}",
		"a wrong type":                        "{uses: exospherehost/call-webhook, config: {url: 'http://x', verify_ssl: maybe}}",
		"a wrong word":                        "{uses: exospherehost/call-webhook, config: {url: 'http://x', method: SEND}}",
		"a number out of range":               "{uses: exospherehost/gemma-3-27b, config: {temperature: 3}, input: {prompt: x}}",
		"no duration":                         "{uses: exospherehost/jq, config: {query: ., timeout: soon}}",
		"no URL":                              "{uses: exospherehost/call-webhook, config: {url: example.com}}",
		"two that exclude each other":         "{uses: exospherehost/call-webhook, config: {url: 'http://x', body: x, form_data: {a: 1}}}",
		"a condition not met":                 "{uses: exospherehost/send-alert, config: {provider: pagerduty}, input: {message: x}}",
		"null":                                "{uses: exospherehost/get-files, config: {provider: file, folder-path: }}",
		"an entry of a list":                  "{uses: exospherehost/get-files, config: {provider: file, folder-path: /a, allowed-extensions: [pdf, 7]}}",
		"a value in a list that is a map":     "{uses: exospherehost/get-files, config: {provider: file, folder-path: /a, secrets: [{A: x}, {B: [y]}]}}",
		"an empty list instead of a map":      "{uses: exospherehost/get-files, config: {provider: file, folder-path: /a, secrets: []}}",
		"a missing key of an input":           "{uses: exospherehost/send-alert, config: {provider: slack}, input: {severity: info}}",
		"a missing key of an input in a list": "{uses: exospherehost/send-alert, config: {provider: slack}, input: [{severity: info}]}",
		"an unknown key of an input":          "{uses: exospherehost/gemma-3-27b, input: {prompt: x, promt: y}}",
		"one inside the config":               "{uses: exospherehost/gemma-3-27b, config: {input: {prompt: x, promt: y}}}",
		"an input inside and beside":          "{uses: exospherehost/jq, config: {query: ., input: 1}, input: 2}",
		"an input where there is none":        "{uses: exospherehost/get-files, config: {provider: file, folder-path: /a}, input: {a: 1}}",
		"that one inside the config":          "{uses: exospherehost/get-files, config: {provider: file, folder-path: /a, input: {a: 1}}}",
	} {
		t.Run(name, func(t *testing.T) {
			text := head + "    - " + step + "\n"
			if r := cluster.Compile("c.yml", []byte(text), builtIn()); len(r.Errors()) == 0 {
				t.Error("it compiles")
			}
			if realEditor().look(t, text) == nil {
				t.Error("an editor marks nothing")
			}
		})
	}
}

// TestAmountsThatCompileFitTheFileSchema: amounts are patterns there, and parsed here.
func TestAmountsThatCompileFitTheFileSchema(t *testing.T) {
	places := []string{"timeout: %s", "delay: %s", "rate-limit: %s", "concurrency: %s", "resources: {memory: %s}", "resources: {cpu: %s}", "identifier: %s",
		"retries: {delay: %s}", "retries: {factor: %s}", "retries: %s", "unites: {identifier: run, strategy: all-done, min-success: %s}"}
	amount := rapid.OneOf(
		rapid.StringMatching(`[-+]?[0-9]{0,3}(\.[0-9]{0,2})?(h|m|s|ms|µs|ns| GiB|MiB|kB|T|%|/s| / min)?`),
		rapid.StringMatching(`([0-9]{1,2}(h|m|s)){1,3}`),
		rapid.StringOfN(rapid.RuneFrom([]rune("0159.+-%/hmsGiB eExXabz_ ")), 1, 6, -1),
	)
	fits := 0
	rapid.Check(t, func(rt *rapid.T) {
		value := amount.Draw(rt, "amount")
		if rapid.Bool().Draw(rt, "quoted") {
			value = fmt.Sprintf("%q", value)
		}
		text := head + step("a", "") + step("b", fmt.Sprintf(rapid.SampledFrom(places).Draw(rt, "place"), value))
		text = strings.Replace(text, "identifier: b, config: {query: .}, identifier", "config: {query: .}, identifier", 1)
		if cluster.Compile("c.yml", []byte(text), cluster.Options{Catalog: newCatalog()}).Plan == nil {
			return
		}
		fits++
		if err := fakeEditor().look(t, text); err != nil {
			rt.Fatalf("%v\nin:\n%s", err, text)
		}
	})
	t.Log(fits, "compiled")
}

// TestOddSchemasOfSatellitesDoNotRefuseWhatTheyTake: schemas that are not built in may hold anything.
func TestOddSchemasOfSatellitesDoNotRefuseWhatTheyTake(t *testing.T) {
	for name, c := range map[string]struct{ schema, config string }{
		"one that refers to itself": {`{"type": "object", "properties": {"sub-tree": {"$ref": "#"}, "n": {"type": "integer"}}}`, "{sub_tree: {sub_tree: {sub_tree: {n: 1}}}}"},
		"a long chain":              {`{"type": "object", "properties": {"a": {"$ref": "#"}, "list": {"type": "array", "items": {"$ref": "#"}}}}`, strings.Repeat("{a: ", 30) + "{list: []}" + strings.Repeat("}", 30)},
		"one in a circle":           {`{"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"$ref": "#/$defs/c"}, "c": {"$ref": "#/$defs/b"}}}`, "{a: 1}"},
		"an input of its own":       {`{"type": "object", "additionalProperties": false, "properties": {"input": {"type": "string"}}}`, "{input: x}"},
		"oneOf":                     {`{"type": "object", "properties": {"a": {"oneOf": [{"type": "integer"}, {"type": "boolean"}]}}}`, `{a: "${{ run.id }}"}`},
		"a tuple":                   {`{"type": "object", "properties": {"a": {"type": "array", "prefixItems": [{"type": "integer"}], "items": false}}}`, "{a: [1]}"},
		"a pattern for keys":        {`{"type": "object", "patternProperties": {"^x-": {"type": "integer"}}, "additionalProperties": false}`, "{x-a: 1}"},
		"not, with an expression":   {`{"type": "object", "properties": {"a-b": {}}, "not": {"properties": {"a-b": {"type": "string"}}, "required": ["a-b"]}}`, `{a_b: "${{ run.id }}"}`},
		"if, with an expression":    {`{"type": "object", "properties": {"a": {}}, "if": {"properties": {"a": {"const": "x"}}}, "then": {"required": ["b"]}}`, `{a: "${{ run.id }}"}`},
		"if, below a key":           {`{"type": "object", "properties": {"a": {"type": "object", "properties": {"b-c": {}}}}, "if": {"properties": {"a": {"properties": {"b-c": {"const": 1}}}}, "required": ["a"]}, "then": {"required": ["d"]}}`, `{a: {b_c: 2}}`},
		"a boolean schema":          {`{"type": "object", "properties": {"a": true}}`, "{a: 1}"},
		"a key with a blank":        {`{"type": "object", "additionalProperties": false, "properties": {"a b-c": {"type": "object", "properties": {"d-e": {}}}}}`, "{a b_c: [{d_e: 1}]}"},
		"maps or texts":             {`{"type": "object", "properties": {"a": {"anyOf": [{"type": "object", "required": ["b-c"], "properties": {"b-c": {}}}, {"type": "string"}]}}}`, "{a: [{b-c: 1}]}"},
		"no schema":                 {`7`, "{a: 1}"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := &orbit.SatelliteSpec{Name: "de.mo/odd", Config: []byte(c.schema)}
			e := newEditor(t, fakeCatalog{spec.Name: spec})
			if err := e.look(t, head+"    - {uses: de.mo/odd, config: "+c.config+"}\n"); err != nil {
				t.Error(err)
			}
		})
	}
}

// FuzzFileSchema: what compiles fits the schema, by both drafts.
func FuzzFileSchema(f *testing.F) {
	for _, text := range clusterFiles(f) {
		f.Add([]byte(text))
	}
	f.Add([]byte(allSpellings))
	f.Fuzz(func(t *testing.T, text []byte) {
		if cluster.Compile("c.yml", text, builtIn()).Plan == nil {
			return
		}
		if err := realEditor().look(t, string(text)); err != nil {
			t.Errorf("%v\nin:\n%s", err, text)
		}
	})
}
