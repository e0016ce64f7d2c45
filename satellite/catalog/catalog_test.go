package catalog_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/catalog"
	"github.com/exospherehost/orbit/satellite/llm"
	"github.com/exospherehost/orbit/satellite/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	registry, err := catalog.Specs()
	if err != nil {
		fmt.Println(err)
		return
	}
	spec, ok := registry.Lookup("satellite/exospherehost/jq")
	fmt.Println(ok, spec.Title)
	// Output: true Run a jq program
}

func TestEveryBuiltInSatelliteIsThere(t *testing.T) {
	c, err := catalog.New(catalog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{} // name, alias: is there code?
	for _, name := range c.Registry().Names() {
		_, got[strings.TrimPrefix(name, "exospherehost/")] = c.Registry().Satellite(name)
	}
	want := map[string]bool{
		"get-files": true, "get-files-from-s3": true, "put-files": true, "parse-with-docling": true, "parse-pdf-with-docling": true,
		"call-webhook": true, "jq": true, "move-file": true, "delete-file": true, "delete-file-from-s3": true,
		"deepseek-r1-distrill-llama-70b": false, "deepseek-r1-distill-llama-70b": false, "gemma-3-27b": false,
		"forward-logs": true, "send-logs-to-new-relic": true,
		"send-alert": true, "send-pagerduty-alert": true, "send-email": true,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("satellites (-want +got):\n%s", d)
	}
	for _, spec := range c.Registry().Specs() {
		if orbit.IsModelPool(spec.Pool) { // it runs where it is bound
			continue
		}
		if _, runs := c.Registry().Satellite(spec.Name); !runs {
			t.Errorf("%s has no code", spec.Name)
		}
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

func TestAnEndpointThatNobodyAsksForIsRefused(t *testing.T) {
	for want, given := range map[string]map[string]string{
		`no satellite asks for the service "s33"; those that are asked for are azure-blob, cloudwatch, `: {"s33": "http://a", "s3": "http://b"},
		"the address of s3 is no URL":    {"s3": "localhost:9000"},
		"the address of slack is no URL": {"slack": "ftp://user:secret@host"},
	} {
		c, err := catalog.New(catalog.Options{Endpoints: given})
		if err == nil {
			t.Errorf("no error, want %q", want)
			_ = c.Close()
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
	all := map[string]string{}
	for _, name := range catalog.Endpoints() {
		all[name] = "http://127.0.0.1:1"
	}
	c, err := catalog.New(catalog.Options{Endpoints: all})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestModelsAreBoundByAnyOfTheirNamesAndUnknownOnesBecomeSatellites(t *testing.T) {
	c, err := catalog.New(catalog.Options{Models: map[string]llm.Endpoint{
		"exospherehost/deepseek-r1-distill-llama-70b": {URL: "http://127.0.0.1:1/v1", Concurrency: 8}, "acme/tiny": {URL: "http://127.0.0.1:1/v1"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got := map[string]int{}
	for _, m := range c.Models() {
		got[m.Spec().Name+" "+m.Spec().Kind+" "+m.Spec().Pool] = m.Slots()
	}
	want := map[string]int{"exospherehost/deepseek-r1-distrill-llama-70b exosphere model-deepseek-r1-distrill-llama-70b": 10, "acme/tiny configured model-acme~tiny": 20}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("models and their slots (-want +got):\n%s", d)
	}
	for name, want := range map[string]bool{"exospherehost/deepseek-r1-distrill-llama-70b": true, "acme/tiny": true, "exospherehost/gemma-3-27b": false} {
		if _, runs := c.Registry().Satellite(name); runs != want {
			t.Errorf("%s runs: %t", name, runs)
		}
	}
	for name, c := range map[string]struct {
		models map[string]llm.Endpoint
		want   string
	}{
		"both names":        {map[string]llm.Endpoint{"exospherehost/deepseek-r1-distill-llama-70b": {}, "exospherehost/deepseek-r1-distrill-llama-70b": {}}, "is bound twice, under two of its names"},
		"another satellite": {map[string]llm.Endpoint{"exospherehost/jq": {}}, "exospherehost/jq cannot be bound to a model"},
	} {
		if _, err := catalog.New(catalog.Options{Models: c.models}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSpecsAreThoseOfNewWithoutCode(t *testing.T) {
	described, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.New(catalog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if d := cmp.Diff(c.Registry().Specs(), described.Specs()); d != "" {
		t.Errorf("specs (-New +Specs):\n%s", d)
	}
	if _, ok := described.Satellite("exospherehost/jq"); ok {
		t.Error("a registry of descriptions runs jq")
	}
}

func TestEverySpecIsComplete(t *testing.T) {
	each(t, func(t *testing.T, spec *satellite.Spec) {
		if spec.Title == "" || strings.HasSuffix(spec.Title, ".") || spec.Description == "" || spec.Kind != "exosphere" {
			t.Errorf("title %q, kind %q, description %q", spec.Title, spec.Kind, spec.Description)
		}
		if spec.Pool == "" || spec.Timeout <= 0 || spec.BundleHint < 1 || spec.BundleHint > 64 {
			t.Errorf("pool %q, timeout %s, bundle hint %d", spec.Pool, spec.Timeout, spec.BundleHint)
		}
		if (spec.Pool == orbit.CorePool) != (spec.Resources.Model == "") {
			t.Errorf("pool %q and model %q", spec.Pool, spec.Resources.Model)
		}
		if spec.Config == nil || spec.Output == nil || (spec.Input == nil) != spec.EmptyInput {
			t.Errorf("a schema is missing: config %t, input %t, output %t, empty input %t", spec.Config != nil, spec.Input != nil, spec.Output != nil, spec.EmptyInput)
		}
		if spec.PrimaryText != "" && !hasProperty(decode(t, spec.Output), spec.PrimaryText) {
			t.Errorf("the primary text field %s is not in the output's schema", spec.PrimaryText)
		}
	})
}

// codes are those that a satellite may give; the others are the platform's.
var codes = []orbit.Code{orbit.CodeInvalidInput, orbit.CodeInvalidConfig, orbit.CodeNotFound, orbit.CodeDenied, orbit.CodeRejected, orbit.CodeUnavailable, orbit.CodeTimeout, orbit.CodeTooLarge}

func TestEveryFailureIsOneOfTheCodes(t *testing.T) {
	each(t, func(t *testing.T, spec *satellite.Spec) {
		if (len(spec.Failures) == 0) != (spec.Example == "") {
			t.Errorf("it has %d failures, and an example: %t", len(spec.Failures), spec.Example != "")
		}
		for _, f := range spec.Failures {
			if !slices.Contains(codes, orbit.Code(f.Code)) {
				t.Errorf("%q is no code of a satellite", f.Code)
			}
			if f.When == "" || strings.HasSuffix(f.When, ".") || strings.ToLower(f.When[:1]) != f.When[:1] && strings.ToUpper(f.When[:2]) != f.When[:2] {
				t.Errorf("%q is no part of a sentence", f.When)
			}
			if f.Code == string(orbit.CodeUnavailable) && !f.Retried || f.Code == string(orbit.CodeDenied) && f.Retried {
				t.Errorf("%s: retried is %t", f.Code, f.Retried)
			}
		}
	})
}

func TestEverySchemaCompilesAndIsDescribed(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	each(t, func(t *testing.T, spec *satellite.Spec) {
		for part, raw := range map[string]json.RawMessage{"config": spec.Config, "input": spec.Input, "output": spec.Output} {
			if raw == nil {
				continue
			}
			if _, err := schema.Compile(raw); err != nil {
				t.Errorf("%s: %v", part, err)
			}
			root := decode(t, raw)
			if root["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
				t.Errorf("%s names no dialect", part)
			}
			if part == "config" && root["additionalProperties"] != false {
				t.Error("config takes unknown keys")
			}
			properties(part, root, func(path string, property map[string]any) {
				// The inside of a returned document may speak for itself; what a user writes, and names in ${{ }}, may not.
				inside := part == "output" && strings.Count(path, ".") > 1
				if text, _ := property["description"].(string); text == "" && !inside {
					t.Errorf("%s has no description", path)
				}
				if key := path[strings.LastIndex(path, ".")+1:]; !strings.Contains(path, "secrets.") && !kebab.MatchString(key) {
					t.Errorf("%s is not in kebab-case", path)
				}
				fallback, given := property["default"]
				if !given {
					return
				}
				if defs, ok := root["$defs"]; ok {
					property["$defs"] = defs
				}
				raw, err := json.Marshal(property)
				if err != nil {
					t.Fatal(err)
				}
				s, err := schema.Compile(raw)
				if err != nil {
					t.Fatal(err)
				}
				if wrong := s.Check(fallback); wrong != nil {
					t.Errorf("%s: the default does not fit: %v", path, wrong)
				}
			})
		}
	})
}

func TestEverySecretFieldIsInItsSchema(t *testing.T) {
	each(t, func(t *testing.T, spec *satellite.Spec) {
		for _, field := range spec.SecretFields {
			part, key, _ := strings.Cut(field, ".")
			raw := map[string]json.RawMessage{"config": spec.Config, "input": spec.Input}[part]
			if raw == nil || !hasProperty(decode(t, raw), key) {
				t.Errorf("%s is not in the schema", field)
			}
		}
		if hasProperty(decode(t, spec.Config), "secrets") != strings.Contains(strings.Join(spec.SecretFields, " "), "config.secrets") {
			t.Errorf("config has secrets, or has none, but the secret fields are %v", spec.SecretFields)
		}
	})
}

func each(t *testing.T, check func(*testing.T, *satellite.Spec)) {
	t.Helper()
	registry, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range registry.Specs() {
		t.Run(strings.TrimPrefix(spec.Name, "exospherehost/"), func(t *testing.T) { check(t, spec) })
	}
}

func decode(t *testing.T, raw json.RawMessage) map[string]any {
	t.Helper()
	var node map[string]any
	if err := json.Unmarshal(raw, &node); err != nil {
		t.Fatal(err)
	}
	return node
}

func hasProperty(node map[string]any, key string) bool {
	all, _ := node["properties"].(map[string]any)
	_, ok := all[key]
	return ok
}

// properties visits every property of a schema and of the schemas of its entries.
func properties(path string, node map[string]any, visit func(string, map[string]any)) {
	all, _ := node["properties"].(map[string]any)
	for key, value := range all {
		property, _ := value.(map[string]any)
		visit(path+"."+key, property)
		properties(path+"."+key, property, visit)
	}
	if items, ok := node["items"].(map[string]any); ok {
		properties(path, items, visit)
	}
}
