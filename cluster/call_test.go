package cluster_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

var calledSpec = &orbit.SatelliteSpec{Name: "acme/count", SecretFields: []string{"config.secrets", "config.headers"}, Pool: orbit.CorePool,
	Config: json.RawMessage(`{"type": "object", "additionalProperties": false, "required": ["kind"], "properties": {"kind": {"type": "string"}, "max-size": {}, "headers": {"type": "object"}, "secrets": {"type": "object"}, "body": {}}}`),
	Input:  json.RawMessage(`{"type": "object", "properties": {"file-uri": {"type": "string"}}}`)}

// called compiles a call of acme/count.
func called(t *testing.T, body string) *cluster.Called {
	t.Helper()
	k, err := cluster.ReadCall([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return k.Compile(calledSpec, cluster.Options{})
}

func TestCallBecomesAPlanOfOneStep(t *testing.T) {
	c := called(t, `{"sla": "90m", "config": {"kind": "word", "max_size": 3, "headers": [{"A": "x ${{ secrets.B }}"}], "secrets": [{"KEY": "value"}], "body": [{"max_size": "${{ '${{' }} x"}]}, "input": {"file_uri": "${{ a"}}`)
	if len(c.Diagnostics) > 0 {
		t.Fatal(c.Diagnostics)
	}
	p := c.Plan
	s := p.Steps[0]
	if p.Identifier != "satellite/acme/count" || p.SLA.String() != "1h30m" || len(p.Steps) != 1 || s.Identifier != "count" || s.Uses != "acme/count" || s.Retries != cluster.DefaultRetries {
		t.Errorf("%s", p.Encode())
	}
	config, err := s.Config.Resolve(&cluster.Scope{Secrets: map[string]string{"B": "b", s.Secrets[0]: "sealed"}})
	want := map[string]any{"kind": "word", "max-size": 3, "headers": map[string]any{"A": "x b"}, "secrets": map[string]any{"KEY": "sealed"}, "body": []any{map[string]any{"max_size": "${{ x"}}}
	if diff := cmp.Diff(any(want), config); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if len(c.Secrets) != 1 || c.Secrets[s.Secrets[0]] != "value" || strings.Contains(string(p.Encode()), "value\"") {
		t.Errorf("secrets %v of the plan %s", c.Secrets, p.Encode())
	}
	sources := []cluster.SecretSource{{Name: s.Secrets[0], Source: "inline"}, {Name: "B", Source: "vault", Key: "B"}}
	if diff := cmp.Diff(sources, p.Secrets); diff != "" {
		t.Error(diff)
	}
	if text, _ := c.Payload.MarshalJSON(); string(text) != `{"file-uri":"${{ a"}` {
		t.Errorf("the payload is %s", text)
	}
	if again, err := cluster.ParsePlan(p.Encode()); err != nil || again.Hash() != p.Hash() {
		t.Errorf("read again: %v", err)
	}
}

func TestCallsThatDifferInSecretsOrInputHaveOnePlan(t *testing.T) {
	a := called(t, `{"config": {"kind": "a", "secrets": {"K": "1"}}, "input": {"n": 1}}`)
	b := called(t, `{"input": {"n": 2}, "config": {"secrets": {"K": "2"}, "kind": "a"}}`)
	if a.Plan.Hash() != b.Plan.Hash() {
		t.Errorf("%s\n%s", a.Plan.Encode(), b.Plan.Encode())
	}
}

func TestTheSameRequestIsKnownHoweverItIsWritten(t *testing.T) {
	request := func(body string) string {
		t.Helper()
		k, err := cluster.ReadCall([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return k.Request()
	}
	of := request(`{"input": {"a": 1, "b": [2]}, "config": {"kind": "x", "secrets": {"K": "1", "L": "${{ secrets.L }}"}}, "sla": "24h"}`)
	for _, same := range []string{
		`{"config":{"secrets":{"L":"${{ secrets.L }}","K":"another"},"kind":"x"},"input":{"b":[2.0],"a":1}}`,
		`{"input": {"a": 1, "b": [2]}, "config": {"kind": "x", "secrets": {"K": "1", "L": "${{ secrets.L }}"}}, "sla": "1440m"}`,
	} {
		if request(same) != of {
			t.Errorf("%s is another request", same)
		}
	}
	for _, other := range []string{
		`{}`, `{"input": {"a": 1, "b": [2]}, "config": {"kind": "x", "secrets": {"K": "1", "L": "${{ secrets.M }}"}}}`,
		`{"input": {"a": 1, "b": [2]}, "config": {"kind": "x", "secrets": {"K": "1", "L": "${{ secrets.L }}"}}, "sla": "12h"}`,
		`{"input": {"a": 1, "b": [3]}, "config": {"kind": "x", "secrets": {"K": "1", "L": "${{ secrets.L }}"}}}`,
		`{"input": {"a": 1, "b": [2]}, "config": {"kind": "y", "secrets": {"K": "1", "L": "${{ secrets.L }}"}}}`,
	} {
		if request(other) == of {
			t.Errorf("%s is the same request", other)
		}
	}
	if request("") != request("{}") || request(" \n") != request(`{"input": null, "config": null, "sla": null}`) {
		t.Error("an empty call is not one with nothing")
	}
}

func TestWhatACallHoldsTooMuchOfIsToldOnce(t *testing.T) {
	for name, c := range map[string]struct{ body, path, code string }{
		"size":   {`{"config": {"kind": "` + strings.Repeat("x", 128<<10) + `"}, "more": 1}`, "config", "ORB-C001"},
		"values": {`{"config": {"kind": [` + strings.Repeat("1,", 20_000) + `1]}}`, "config.kind[19999]", "ORB-C008"},
		"depth":  {`{"config": {"kind": ` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`, "config.kind" + strings.Repeat("[0]", 61), "ORB-C008"},
	} {
		t.Run(name, func(t *testing.T) {
			r := called(t, c.body)
			if r.Plan != nil || len(r.Diagnostics) != 1 || r.Diagnostics[0].Code != c.code || !strings.HasPrefix(r.Diagnostics[0].Path, c.path[:len(c.path)/2]) {
				t.Errorf("%.300v", r.Diagnostics)
			}
		})
	}
	large := called(t, `{"config": {"kind": "a"}, "input": {"list": [`+strings.Repeat("1,", 200_000)+`1]}}`)
	if large.Plan == nil {
		t.Errorf("a large input is refused: %v", large.Diagnostics)
	}
}

func TestWhatIsNoCallIsAnError(t *testing.T) {
	for body, want := range map[string]string{
		`{`:                   "EOF",
		`"text"`:              "it is no object",
		`null`:                "it is no object",
		`{"input": 1e999}`:    "input: number",
		`{"config": {"a": 1}`: "EOF",
		`{"sla": 1e999}`:      "sla: the number 1e999 is out of range",
		`{} x`:                "something follows",
		`{"input": ` + strings.Repeat("[", 202) + strings.Repeat("]", 202) + `}`: "input: nested deeper than 200 levels",
	} {
		if _, err := cluster.ReadCall([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", body, err, want)
		}
	}
}

func TestMistakesInACallAreToldWhereTheyStand(t *testing.T) {
	for body, want := range map[string]string{
		`{"config": {"kind": "a", "headers": {"X": "${{ secrets }}"}}}`:                 "config.headers.X ORB-C057",
		`{"config": {"kind": "a", "headers": {"X": "${{ secrets.A.b }}"}}}`:             "config.headers.X ORB-C051",
		`{"config": {"kind": "a", "headers": {"X": "${{ secrets.0-a }}"}}}`:             "config.headers.X ORB-C015",
		`{"config": {"kind": "a", "headers": {"X": "${{ satellites.count.output }}"}}}`: "config.headers.X ORB-C052",
		`{"config": {"kind": "a", "headers": {"X": "${{ cluster.identifier }}"}}}`:      "config.headers.X ORB-C052",
		`{"config": {"kind": "${{ secrets.A }}"}}`:                                      "config.kind ORB-C058",
		`{"config": {"kind": "a", "body": {"x": ["${{ run.id }}"]}}}`:                   "config.body.x[0] ORB-C052",
		`{"config": {"kind": "a", "input": {"a": 1}}}`:                                  "config.input ORB-C031",
		`{"config": {"kind": "a", "max-size": 1, "max_size": 2}}`:                       "config.max_size ORB-C007",
		`{"config": {"kind": "a"}, "input": {"file-uri": "a", "file_uri": "b"}}`:        "input.file_uri ORB-C007",
		`{"config": {"kind": "a"}, "input": 1, "input": 2}`:                             "input ORB-C007",
		`{"config": "kind"}`:                         "config ORB-C012",
		`{"config": {"kind": "a"}, "sla": ["6h"]}`:   "sla ORB-C012",
		`{"config": {"kind": "a"}, "sla": "0.5m"}`:   "sla ORB-C013",
		`{"config": {"kind": "a"}, "in put": "0.5"}`: `["in put"] ORB-C010`,
	} {
		r := called(t, body)
		if r.Plan != nil || len(r.Diagnostics) != 1 {
			t.Errorf("%s: %+v", body, r.Diagnostics)
			continue
		}
		if got := r.Diagnostics[0].Path + " " + r.Diagnostics[0].Code; got != want {
			t.Errorf("%s: %s (%s), want %s", body, got, r.Diagnostics[0].Message, want)
		}
	}
	deaf := *calledSpec
	deaf.EmptyInput = true
	k, err := cluster.ReadCall([]byte(`{"config": {"kind": "a"}, "input": 0}`))
	if err != nil {
		t.Fatal(err)
	}
	if r := k.Compile(&deaf, cluster.Options{}); len(r.Diagnostics) != 1 || r.Diagnostics[0].Code != "ORB-C034" || r.Diagnostics[0].Path != "input" {
		t.Errorf("an input for who takes none: %+v", r.Diagnostics)
	}
}

func TestIdentifiersOfClustersAndOfCallsNeverMeet(t *testing.T) {
	for identifier, want := range map[string]struct {
		satellite string
		alone     bool
		project   string
	}{
		"satellite/acme/count": {"acme/count", true, "acme"},
		"satellite/count":      {"count", false, "satellite"},
		"acme/count":           {"acme/count", false, "acme"},
	} {
		satellite, alone := cluster.CalledBy(identifier)
		if satellite != want.satellite || alone != want.alone || cluster.ProjectOf(identifier) != want.project {
			t.Errorf("%s: %s, %v, project %s", identifier, satellite, alone, cluster.ProjectOf(identifier))
		}
	}
	if cluster.CallIdentifier("acme/count") != "satellite/acme/count" {
		t.Error(cluster.CallIdentifier("acme/count"))
	}
}

func FuzzCall(f *testing.F) {
	for _, body := range []string{`{}`, `{"input": [1], "config": {"kind": "a ${{ secrets.B }}", "secrets": [{"K": "v"}]}, "sla": "6h"}`, `{"config": {"headers": {"": "${{ x"}}}`, `{"sla": 1e5}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		k, err := cluster.ReadCall(body)
		if err != nil {
			return
		}
		_ = k.Request()
		c := k.Compile(calledSpec, cluster.Options{})
		if (c.Plan == nil) == (len(c.Diagnostics) == 0) {
			t.Errorf("a plan or diagnostics: %v", c.Diagnostics)
		}
		for _, d := range c.Diagnostics {
			if d.Message == "" || d.Code == "" {
				t.Error(fmt.Sprintf("%+v", d))
			}
		}
	})
}
