package compile_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
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
		said := fmt.Sprintf("%d:%d %s", d.Line, d.Column, d.Message)
		if strings.HasPrefix(d.Hint, "split") {
			said += "; " + d.Hint
		}
		got = append(got, said)
	}
	return got
}

// programs are jq steps of one program each.
func programs(n int, program string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "    - {uses: exospherehost/jq, identifier: s%03d-%04d, config: {query: '%s'}}\n", i, len(program)%10_000, program)
	}
	return b.String()
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
		"a jq program too long": {"    - uses: exospherehost/jq\n      config:\n        query: |\n          .a\n          | \"" + strings.Repeat("x", 16<<10) + "\"\n",
			[]string{"11:16392 config.query is longer than 16 KiB; split the program over several jq satellites"}},
		"a jq program of too much": {"    - uses: exospherehost/jq\n      config:\n        query: |\n          .a\n          | [" + strings.Repeat("1,", 1498) + "1]\n",
			[]string{"11:3010 config.query holds more than 3000 names, values and signs; split the program over several jq satellites"}},
		"a jq program too deep": {"    - uses: exospherehost/jq\n      config:\n        query: |\n          .a\n          | " + strings.Repeat("(", 101) + "." + strings.Repeat(")", 101) + "\n",
			[]string{"11:113 config.query is nested more than 100 levels deep; split the program over several jq satellites"}},
		"jq programs of too much together": {programs(14, strings.Repeat(".|", 1450)+".") + programs(1, "]"),
			[]string{"20:71 config.query and the jq programs before it hold more than 40000 names, values and signs together; split the cluster; one can start another by its trigger"}},
		"the shorthand of an output-schema": {"    - uses: exospherehost/gemma-3-27b\n      config:\n        output-format: json\n        output-schema: '{\"a\": string, \"b\": nmber}'\n      input: {prompt: a}\n",
			[]string{`10:24 config.output-schema cannot be used: output-schema.b: "nmber" is no type; write string, number, integer, boolean, object, list, any or null`}},
		"a JSON Schema": {"    - uses: exospherehost/gemma-3-27b\n      config: {output-format: json, output-schema: {type: object, required: a}}\n      input: {prompt: a}\n",
			[]string{"8:52 config.output-schema cannot be used: output-schema is no JSON Schema: required must be a list, not a string"}},
		"hardware": {"    - uses: exospherehost/jq\n      config: {query: .}\n      resources: {class: gpu-81g}\n", []string{`9:7 no hardware class fits jq: there is no hardware class "gpu-81g"`}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, judge(t, c.steps)); d != "" {
				t.Errorf("diagnostics (-want +got):\n%s", d)
			}
		})
	}
}

// TestFilesAreCompiledAtTheSameTime: what is remembered from file to file is shared.
func TestFilesAreCompiledAtTheSameTime(t *testing.T) {
	satellites, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	options := compile.Options(satellites, placement.DefaultClasses())
	steps := programs(20, "map(select(.a > 1)) | group_by(.b)[]") + programs(1, "no_such") + "    - {uses: exospherehost/call-webhook, config: {url: 1}}\n"
	want := cluster.Compile("f.yml", []byte(head+steps), options).Diagnostics
	if len(want) != 2 {
		t.Fatalf("it says %v", want)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 5 {
				got := cluster.Compile("f.yml", []byte(head+steps), options).Diagnostics
				if d := cmp.Diff(want, got, cmp.AllowUnexported(cluster.Diagnostic{})); d != "" {
					t.Errorf("diagnostics (-want +got):\n%s", d)
				}
			}
		})
	}
	all.Wait()
}

// TestAnyFileIsCompiledInLittleMemory: with the real satellites and what they say of values, as a gateway compiles. What is
// allocated in all goes with the time. The aim is 200 ms and 64 MiB.
func TestAnyFileIsCompiledInLittleMemory(t *testing.T) {
	satellites, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	options := compile.Options(satellites, placement.DefaultClasses())
	cluster.Compile("f.yml", []byte(head+programs(1, ".")), options) // the schemas are compiled once for all files
	builtin := "gsub(.;.)|sub(.;.;.)|gsub(.;.;.)|nth(.;.)|fromstream(.)|combinations(.)|splits(.;.)|with_entries(.)|limit(1;.)|"
	all := builtin + "until(.;.)|test(.)|match(.)|capture(.)|scan(.)|paths(.)|del(.)|pick(.)|INDEX(.)|tostream|min_by(.)|any(.)|all(.)|walk(.)|env|first(.)|"
	for name, steps := range map[string]string{
		"200 small programs":              programs(200, "map(select(.revenue > 3)) | .[] | {name, total: (.a + .b)}"),
		"200 programs of sums":            programs(200, strings.Repeat(".+", 49)+"."),
		"200 programs of updates":         programs(200, strings.Repeat(".%=1|", 19)+"."),
		"200 programs of what is slow":    programs(200, builtin+"."),
		"200 programs of all that it has": programs(200, all+all+"."),
		"80 programs of all that it has":  programs(80, all+"."),
		"6 programs as large as may be":   programs(6, strings.Repeat(".+", 1499)+"."),
		"80 programs as large as may be":  programs(80, strings.Repeat(".+", 1499)+"."),
		"15 programs past the limits":     programs(15, strings.Repeat("[", 16_000)),
		"one program past the file":       programs(1, strings.Repeat(".|", 120_000)+"."),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := cluster.Compile("f.yml", []byte(head+steps), options)
			runtime.ReadMemStats(&after)
			allocated := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d KiB, %d diagnostics: %d MiB", len(steps)>>10, len(r.Diagnostics), allocated>>20)
			if allocated > 64<<20 {
				t.Errorf("compiling it allocated %d MiB", allocated>>20)
			}
			if r.Plan == nil && len(r.Errors()) == 0 {
				t.Error("neither a plan nor an error")
			}
		})
	}
}
