package gateway

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// description is openapi.json, ready to be asked.
type description struct {
	root     map[string]any
	mu       sync.Mutex // guards compiler: requests are made at once, too
	compiler *jsonschema.Compiler
}

func readDescription(t *testing.T) *description {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		t.Fatalf("openapi.json is not JSON: %v", err)
	}
	d := &description{root: doc.(map[string]any), compiler: jsonschema.NewCompiler()}
	if err := d.compiler.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return d
}

// at follows keys, and references among them; nil where there is nothing.
func (d *description) at(keys ...string) map[string]any {
	v := d.root
	for _, k := range keys {
		v, _ = v[k].(map[string]any)
		if ref, ok := v["$ref"].(string); ok {
			v = d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
	}
	return v
}

// operation finds what is said of a route's pattern.
func (d *description) operation(pattern string) map[string]any {
	method, path, _ := strings.Cut(pattern, " ")
	return d.at("paths", path, strings.ToLower(method))
}

// check holds a value against the schema at a place.
func (d *description) check(t *testing.T, v any, keys ...string) {
	t.Helper()
	for i, k := range keys {
		keys[i] = url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(k))
	}
	d.mu.Lock()
	s, err := d.compiler.Compile("openapi.json#/" + strings.Join(keys, "/"))
	d.mu.Unlock()
	if err != nil {
		t.Fatalf("no schema at %s: %v", strings.Join(keys, "/"), err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("does not fit openapi.json: %v", err)
	}
}

// checkAnswer holds an answer of the API against what is said of its route.
func (d *description) checkAnswer(t *testing.T, pattern string, r *httptest.ResponseRecorder) {
	t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	place := []string{"paths", path, strings.ToLower(method), "responses", strconv.Itoa(r.Code)}
	if d.at(place...) == nil {
		t.Errorf("%s answers %d, which openapi.json does not tell", pattern, r.Code)
		return
	}
	if ref, ok := d.at(place[:4]...)[place[4]].(map[string]any)["$ref"].(string); ok {
		place = strings.Split(strings.TrimPrefix(ref, "#/"), "/")
	}
	media := d.at(append(slices.Clone(place), "content")...)
	kind := r.Header().Get("Content-Type")
	if media[kind] == nil && (len(media) > 0 || r.Body.Len() > 0) {
		t.Errorf("%s answers %d with %q; openapi.json tells of %v", pattern, r.Code, kind, slices.Sorted(maps.Keys(media)))
		return
	}
	if !strings.HasSuffix(kind, "json") {
		return
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.Body.Bytes()))
	if err != nil {
		t.Errorf("%s answers %d with what is not JSON: %v", pattern, r.Code, err)
		return
	}
	d.check(t, v, append(place, "content", kind, "schema")...)
}

func TestOpenAPIDescribesExactlyTheRoutesThereAre(t *testing.T) {
	d := readDescription(t)
	var have, told []string
	for _, rt := range (&Gateway{}).routes() {
		have = append(have, rt.pattern)
		security, named := d.operation(rt.pattern)["security"].([]any)
		if rt.open != (named && len(security) == 0) {
			t.Errorf("%s: open is %v, and openapi.json says otherwise", rt.pattern, rt.open)
		}
	}
	for path, item := range d.at("paths") {
		for method := range item.(map[string]any) {
			told = append(told, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(have)
	slices.Sort(told)
	if diff := cmp.Diff(told, have); diff != "" {
		t.Errorf("routes (- openapi.json, + http.go):\n%s", diff)
	}
}

func TestOpenAPIDescribesEveryPartOfAPath(t *testing.T) {
	d := readDescription(t)
	for _, rt := range (&Gateway{}).routes() {
		var want, told []string
		for _, part := range strings.Split(rt.pattern, "/") {
			if strings.HasPrefix(part, "{") {
				want = append(want, strings.Trim(part, "{}"))
			}
		}
		list, _ := d.operation(rt.pattern)["parameters"].([]any)
		for _, p := range list {
			name := strings.TrimPrefix(p.(map[string]any)["$ref"].(string), "#/components/parameters/")
			if p := d.at("components", "parameters", name); p["in"] == "path" {
				told = append(told, p["name"].(string))
			} else if p == nil {
				t.Errorf("%s: there is no parameter %s", rt.pattern, name)
			}
		}
		if !slices.Equal(want, told) {
			t.Errorf("%s has the parameters %v, openapi.json tells of %v", rt.pattern, want, told)
		}
	}
}

func TestOpenAPISchemasHaveTheFieldsOfTheGoTypes(t *testing.T) {
	d := readDescription(t)
	types := map[string]any{"Run": orbit.Run{}, "RunTrigger": orbit.RunTrigger{}, "RunSatellite": orbit.RunSatellite{}, "Item": orbit.ItemDoc{},
		"ItemError": orbit.Error{}, "Cluster": orbit.ClusterDoc{}, "Applied": Applied{}, "Restored": Restored{}, "Registered": Registered{}, "Diagnostic": cluster.Diagnostic{}, "CallDiagnostic": cluster.CallDiagnostic{}, "Execution": orbit.Execution{}, "Node": orbit.NodeDoc{},
		"NodeCPU": orbit.NodeCPU{}, "Model": orbit.ModelDoc{}, "GPU": orbit.GPU{}, "Slots": orbit.Slots{}, "Queue": orbit.QueueDoc{}, "Satellite": orbit.SatelliteSpec{},
		"Resources": orbit.Resources{}, "Problem": orbit.Problem{}, "LogRecord": orbit.LogRecord{}, "LogList": page[orbit.LogRecord]{},
		"Why": orbit.Why{}, "WhyReason": orbit.WhyReason{}, "Event": orbit.RunEvent{}, "EventList": page[orbit.RunEvent]{},
		"RunList": page[orbit.Run]{}, "ItemList": page[orbit.ItemDoc]{}, "ClusterList": page[orbit.ClusterDoc]{}, "NodeList": page[orbit.NodeDoc]{},
		"QueueList": page[orbit.QueueDoc]{}, "Trigger": orbit.TriggerDoc{}, "TriggerList": page[orbit.TriggerDoc]{},
		"Secret": orbit.SecretDoc{}, "SecretList": page[orbit.SecretDoc]{}, "SatelliteFailure": orbit.SatelliteFailure{}, "SatelliteList": page[orbit.SatelliteSpec]{}}
	for name, v := range types {
		schema := d.at("components", "schemas", name)
		fields, required := jsonFields(reflect.TypeOf(v))
		if diff := cmp.Diff(slices.Sorted(maps.Keys(d.at("components", "schemas", name, "properties"))), fields); diff != "" {
			t.Errorf("%s (- openapi.json, + Go):\n%s", name, diff)
		}
		var told []string
		list, _ := schema["required"].([]any)
		for _, r := range list {
			told = append(told, r.(string))
		}
		slices.Sort(told)
		if diff := cmp.Diff(told, required); diff != "" {
			t.Errorf("%s, fields that are always there (- openapi.json, + Go):\n%s", name, diff)
		}
	}
	for name, schema := range d.at("components", "schemas") {
		if _, known := types[name]; !known && schema.(map[string]any)["type"] == "object" && name != "Status" && name != "Usage" { // maps
			t.Errorf("the schema %s is of no Go type that this test knows", name)
		}
	}
}

// jsonFields lists the JSON fields of a struct, and those of them that are always written.
func jsonFields(typ reflect.Type) (all, always []string) {
	for i := range typ.NumField() {
		name, opts, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		all = append(all, name)
		if !strings.Contains(opts, "omitempty") && !strings.Contains(opts, "omitzero") {
			always = append(always, name)
		}
	}
	slices.Sort(all)
	slices.Sort(always)
	return all, always
}

func TestOpenAPIStatesAreThoseOfTheVocabulary(t *testing.T) {
	d := readDescription(t)
	var items, tiers, levels, kinds, whys, models []any
	for _, m := range orbit.ModelStates {
		models = append(models, string(m))
	}
	for _, c := range orbit.WhyCodes {
		whys = append(whys, string(c))
	}
	for _, k := range orbit.EventKinds {
		kinds = append(kinds, string(k))
	}
	for _, l := range orbit.LogLevels {
		levels = append(levels, string(l))
	}
	for _, s := range orbit.ItemStates {
		items = append(items, string(s))
	}
	for _, tier := range orbit.Tiers {
		tiers = append(tiers, tier.Name)
	}
	var runs []any
	for _, s := range []orbit.RunState{orbit.RunPending, orbit.RunRunning, orbit.RunPaused, orbit.RunSucceeded, orbit.RunPartial, orbit.RunFailed, orbit.RunCancelled} {
		runs = append(runs, string(s))
	}
	for _, c := range []struct {
		told any
		want []any
	}{
		{d.at("components", "schemas", "ItemState")["enum"], items},
		{d.at("components", "schemas", "RunState")["enum"], runs},
		{d.at("components", "schemas", "LogLevel")["enum"], levels},
		{d.at("components", "schemas", "EventKind")["enum"], kinds},
		{d.at("components", "schemas", "WhyCode")["enum"], whys},
		{d.at("components", "schemas", "Model", "properties", "state")["enum"], models},
		{d.at("components", "schemas", "Queue", "properties", "tier")["enum"], tiers},
	} {
		if diff := cmp.Diff(c.told, any(c.want)); diff != "" {
			t.Errorf("- openapi.json, + Go:\n%s", diff)
		}
	}
}

func TestOpenAPIExamplesFitTheirSchemas(t *testing.T) {
	d := readDescription(t)
	n := 0
	var walk func(v any, place []string)
	walk = func(v any, place []string) {
		m, ok := v.(map[string]any)
		if !ok {
			return
		}
		if example, ok := m["example"]; ok && m["schema"] != nil {
			n++
			t.Run(strings.Join(place, " "), func(t *testing.T) { d.check(t, example, append(slices.Clone(place), "schema")...) })
		}
		for k, e := range m {
			if k != "example" && k != "schemas" {
				walk(e, append(slices.Clone(place), k))
			}
		}
	}
	walk(d.root, nil)
	if n < 20 {
		t.Errorf("only %d examples were found", n)
	}
}

func TestOpenAPIReferencesLeadSomewhere(t *testing.T) {
	d := readDescription(t)
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok && d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...) == nil {
				t.Errorf("%s leads nowhere", ref)
			}
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(d.root)
}

func TestOpenAPIIsServedAsItIs(t *testing.T) {
	r := httptest.NewRecorder()
	(&Gateway{opts: Options{Token: "secret"}}).Handler().ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	if r.Code != http.StatusOK || !json.Valid(r.Body.Bytes()) || !bytes.Equal(r.Body.Bytes(), openAPI) {
		t.Errorf("GET /openapi.json without a token answers %d and %d bytes", r.Code, r.Body.Len())
	}
}
