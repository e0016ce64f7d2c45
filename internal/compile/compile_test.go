package compile_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/compile"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite/catalog"
)

const head = `version: 0.0.1b
cluster:
  identifier: demo/test
  sla: 6h
  trigger: api-call
  satellites:
`

func judge(t *testing.T, steps string) []string {
	t.Helper()
	satellites, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	r := cluster.Compile("f.yml", []byte(head+steps), compile.Options(satellites, placement.DefaultClasses()))
	var got []string
	for _, d := range r.Diagnostics {
		got = append(got, fmt.Sprintf("%d:%d %s", d.Line, d.Column, d.Message))
	}
	return got
}

func TestValuesAreJudgedBySchemaSatelliteAndClasses(t *testing.T) {
	for name, c := range map[string]struct {
		steps string
		want  []string
	}{
		"nothing wrong": {"    - uses: exospherehost/jq\n      config: {query: .}\n", nil},
		"a wrong type":  {"    - uses: exospherehost/call-webhook\n      config: {url: \"http://a/b\", verify-ssl: maybe}\n", []string{"8:47 config.verify-ssl must be true or false, not a string"}},
		"a jq program": {"    - uses: exospherehost/jq\n      config:\n        query: |\n          .a\n          | .b }\n",
			[]string{`11:16 config.query is no jq program: unexpected token "}"`}},
		"hardware": {"    - uses: exospherehost/jq\n      config: {query: .}\n      resources: {class: gpu-81g}\n", []string{`9:7 no hardware class fits jq: there is no hardware class "gpu-81g"; did you mean "gpu-80g"?`}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, judge(t, c.steps)); d != "" {
				t.Errorf("diagnostics (-want +got):\n%s", d)
			}
		})
	}
}
