package cluster_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// must compiles a file that has no errors, for the compiler and for an editor.
func must(t *testing.T, text string) *cluster.Plan {
	t.Helper()
	r := compile(text)
	if r.Plan == nil {
		t.Fatalf("no plan:\n%s\nof:\n%s", told(r.Diagnostics), text)
	}
	if err := fakeEditor().look(t, text); err != nil {
		t.Errorf("an editor marks what compiles: %v\nin:\n%s", err, text)
	}
	return r.Plan
}

// step is a line of a cluster file: a jq step with the given identifier and further keys.
func step(id, more string) string {
	if more != "" {
		more = ", " + more
	}
	return fmt.Sprintf("    - {uses: exospherehost/jq, identifier: %s, config: {query: .}%s}\n", id, more)
}

const chain = head + `    - uses: satellite/exospherehost/get-files
      identifier: files
      config: {provider: file, folder-path: /data}
    - uses: exospherehost/read-pdf
      identifier: parse
    - uses: exospherehost/jq
      config: {query: "{n: .pages}"}
    - uses: exospherehost/put-files
      config:
        folder-path: /out
        file-name: ${{ satellites.files.output.file-name }}-$${{ satellites.parse.output.pages }}.json
`

func TestAChainOfFourStepsBecomesAPlan(t *testing.T) {
	p := must(t, chain)
	var got []string
	for _, s := range p.Steps {
		got = append(got, fmt.Sprintf("%s %s %s %v %v depth %d %s/%s %v x%d", s.Part, s.Identifier, s.Uses, s.Parents, s.Children, s.Depth, s.Class, s.Pool, s.Timeout, s.BundleHint))
	}
	want := []string{
		"main files exospherehost/get-files [] [parse] depth 1 cpu/core 0s x1",
		"main parse exospherehost/parse-pdf [files] [jq] depth 2 cpu/core 10m x1",
		"main jq exospherehost/jq [parse] [put-files] depth 3 cpu/core 0s x1",
		"main put-files exospherehost/put-files [jq] [] depth 4 cpu/core 0s x1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	last, _ := p.Step("put-files")
	config, err := last.Config.Resolve(&cluster.Scope{Plan: p, Output: func(step string) (any, error) {
		return map[string]map[string]any{"files": {"file-name": "a.pdf"}, "parse": {"pages": 3}}[step], nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"folder-path": "/out", "file-name": "a.pdf-3.json"}, config); diff != "" {
		t.Error(diff)
	}
}

func TestPlanSurvivesItsJSON(t *testing.T) {
	p := must(t, chain)
	again, err := cluster.ParsePlan(p.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash() != p.Hash() || string(again.Encode()) != string(p.Encode()) {
		t.Errorf("first %s\nagain %s", p.Encode(), again.Encode())
	}
}

func TestHashIgnoresOrderCommentsLayoutAndInlineSecrets(t *testing.T) {
	a := must(t, `version: 0.0.1b
cluster:
  identifier: aikin/test
  sla: 6h
  trigger: api-call
  secrets: [{B: one}, {A: two}]
  satellites:
    - uses: exospherehost/call-webhook
      config:
        url: http://x
        follow_redirects: true
        headers: [{X: "${{ secrets.A }}"}, {Y: "$${{ secrets.B }}"}]
      input: {body: {k: 1, l: "${{ run.id }}"}}
`)
	b := must(t, `# another layout
cluster:
    satellites:
    - input:
        body:
            l: ${{run.id}}
            k: 1
      config: {headers: {Y: '${{secrets.B}}', X: '${{   secrets.A}}'}, follow-redirects: true, url: "http://x"} # the same
      uses: satellite/exospherehost/call-webhook
    secrets:
        A: changed
        B: changed too
    trigger:
    - api-call
    sla: 6h0m
    identifier: cluster/aikin/test
version: 0.0.1b
`)
	if a.Hash() != b.Hash() {
		t.Errorf("two hashes for one cluster:\n%s\n%s", a.Encode(), b.Encode())
	}
	c := must(t, strings.Replace(chain, "6h", "12h", 1))
	if c.Hash() == must(t, chain).Hash() {
		t.Error("one hash for two clusters")
	}
}

func TestInlineSecretsAreNoPartOfThePlan(t *testing.T) {
	r := compile(strings.Replace(head, "  satellites:\n", "  secrets: {TOKEN: CANARY-1, NUMBER: 42, HOME: {env: HOME}, KEY: {vault: team/key}}\n  satellites:\n", 1) +
		"    - uses: exospherehost/call-webhook\n      config:\n        url: http://x/${{ secrets.TOKEN }}\n        headers: {A: \"${{ secrets.NUMBER }}${{ secrets.HOME }}\", B: \"${{ secrets.KEY }}\"}\n")
	if r.Plan == nil {
		t.Fatal(told(r.Diagnostics))
	}
	if strings.Contains(string(r.Plan.Encode()), "CANARY") {
		t.Errorf("a value is in the plan: %s", r.Plan.Encode())
	}
	if diff := cmp.Diff(map[string]string{"TOKEN": "CANARY-1", "NUMBER": "42"}, r.Inline); diff != "" {
		t.Error(diff)
	}
	want := []cluster.SecretSource{{Name: "HOME", Source: "env", Key: "HOME"}, {Name: "KEY", Source: "vault", Key: "team/key"}, {Name: "NUMBER", Source: "inline"}, {Name: "TOKEN", Source: "inline"}}
	if diff := cmp.Diff(want, r.Plan.Secrets); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"HOME", "KEY", "NUMBER", "TOKEN"}, r.Plan.Steps[0].Secrets); diff != "" {
		t.Error(diff)
	}
}

func TestRetriesOfAStepGoOnTopOfTheClusters(t *testing.T) {
	text := strings.Replace(head, "  satellites:\n", "  retries: {max: 3, strategy: linear, delay: 2s}\n  satellites:\n", 1) +
		step("a", "") + step("b", "retries: 0") + step("c", "retries: {max: 7, jitter: none, max-delay: 1m, factor: 1.5}, timeout: 90s")
	p := must(t, text)
	base := cluster.RetryPolicy{Max: 3, Strategy: "linear", Delay: orbit.Duration(2 * time.Second), Factor: 2, MaxDelay: orbit.Duration(5 * time.Minute), Jitter: "full"}
	none, own := base, base
	none.Max = 0
	own.Max, own.Jitter, own.MaxDelay, own.Factor = 7, "none", orbit.Duration(time.Minute), 1.5
	for i, want := range []cluster.RetryPolicy{base, none, own} {
		if diff := cmp.Diff(want, p.Steps[i].Retries); diff != "" {
			t.Error(diff)
		}
	}
	if p.Steps[2].Timeout.String() != "1m30s" {
		t.Error(p.Steps[2].Timeout)
	}
	if got := must(t, head+step("a", "")).Steps[0].Retries; got != cluster.DefaultRetries {
		t.Errorf("without retries: %+v", got)
	}
}

func TestResourcesChooseTheClass(t *testing.T) {
	model := "    - {uses: exospherehost/gemma, identifier: %s, input: {prompt: x}, resources: {%s}}\n"
	p := must(t, head+step("a", "")+fmt.Sprintf(model, "b", "cpu: 2")+fmt.Sprintf(model, "c", "gpu-memory: 70GiB")+fmt.Sprintf(model, "d", "class: gpu-80g"))
	var got []string
	for _, s := range p.Steps {
		got = append(got, s.Class+" "+s.Pool+" "+s.Resources.Model)
	}
	if diff := cmp.Diff([]string{"cpu core ", "gpu-40g gemma gemma", "gpu-80g gemma gemma", "gpu-80g gemma gemma"}, got); diff != "" {
		t.Error(diff)
	}
	if p := cluster.Compile("c.yml", []byte(head+step("a", "")), cluster.Options{Catalog: newCatalog()}).Plan; p.Steps[0].Class != "cpu" {
		t.Error("without classes a step is not of class cpu")
	}
}

func TestEveryTriggerIsRead(t *testing.T) {
	text := strings.Replace(head, "trigger: api-call", `trigger:
    - api-call
    - {api-call: true}
    - webhook
    - {cron: "*/5 * * * *", timezone: Europe/Berlin, overlap: queue, catch-up: all}
    - cron: "@daily"
    - {cron: "0 0 29 2 *"}
    - {event: orders.*, filter: "${{ trigger.payload.n > 3 }}"}
    - {webhook: true, secret: HOOK}
    - {cluster: cluster/aikin/other, on: ended}
  secrets: {HOOK: {env: HOOK}}`, 1) + step("a", "")
	r := compile(text)
	if r.Plan == nil {
		t.Fatal(told(r.Diagnostics))
	}
	want := []cluster.Trigger{
		{Type: "api-call"}, {Type: "api-call"}, {Type: "webhook"},
		{Type: "cron", Cron: "*/5 * * * *", Timezone: "Europe/Berlin", Overlap: "queue", CatchUp: "all"},
		{Type: "cron", Cron: "@daily", Timezone: "UTC", Overlap: "skip", CatchUp: "latest"},
		{Type: "cron", Cron: "0 0 29 2 *", Timezone: "UTC", Overlap: "skip", CatchUp: "latest"},
		{Type: "event", Subject: "orders.*", Filter: "trigger.payload.n > 3"},
		{Type: "webhook", Secret: "HOOK"},
		{Type: "cluster", Cluster: "aikin/other", On: "ended"},
	}
	if diff := cmp.Diff(want, r.Plan.Triggers); diff != "" {
		t.Error(diff)
	}
	if len(r.Diagnostics) > 0 {
		t.Error(told(r.Diagnostics))
	}
}

func TestWhatAStepSaysOfTimeIsInItsPlan(t *testing.T) {
	text := strings.Replace(head, "api-call", "{cron: '@daily'}", 1) + step("a", "delay: 5s, concurrency: 3, rate-limit: 10/s") +
		step("b", "if: \"${{ satellites.a.output.pages > 3 }}\"") + step("c", "parents: [a]") + step("d", "parents: [b, c]") +
		"  logs:\n    satellites:\n  " + step("l", "") + "  failure:\n    satellites:\n  " + step("f", "")
	r := compile(text)
	if r.Plan == nil {
		t.Fatal(told(r.Diagnostics))
	}
	a, _ := r.Plan.Step("a")
	if a.Delay.String() != "5s" || a.Concurrency != 3 || *a.RateLimit != (cluster.Rate{Count: 10, Per: orbit.Duration(time.Second)}) {
		t.Errorf("%+v", a)
	}
	if b, _ := r.Plan.Step("b"); b.If != "satellites.a.output.pages > 3" {
		t.Error(b.If)
	}
	if clean := compile(chain); len(clean.Diagnostics) != 0 {
		t.Error(told(clean.Diagnostics))
	}
}

func TestDiagnosticsHaveExactlySevenKeysInJSON(t *testing.T) {
	d := compile("version: 1\n").Diagnostics[0]
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"file":"c.yml","line":1,"column":1,"severity":"error","code":"ORB-C011","message":"the file lacks the key cluster","hint":"describe the cluster under cluster:"}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Error(diff)
	}
}

func TestFilesThatAreNoTextAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"a: b\n c\xff":                        "2:3 error ORB-C002",
		"a: \"x\x00\"":                        "1:6 error ORB-C002",
		"a:\n  b: \x1b[0m":                    "2:6 error ORB-C002",
		strings.Repeat("a: b\n", 60_000):      "52429:5 error ORB-C001",
		"\ufeff" + strings.Repeat("x", 10):    "1:1 error ORB-C012",
		"a: " + strings.Repeat("[1],", 20000): "1:1 error ORB-C010",
	} {
		if got := told(compile(text).Diagnostics); !strings.HasPrefix(got, want) && !strings.Contains(want, "C010") {
			t.Errorf("%.20q: got %s want %s", text, got, want)
		}
	}
	if got := told(compile("a:\n" + strings.Repeat("  - 1\n", 20_001)).Diagnostics); !strings.Contains(got, "ORB-C008") {
		t.Error(got)
	}
}

func TestASecretThatNothingUsesIsAWarning(t *testing.T) {
	r := compile(strings.Replace(head, "  satellites:\n", "  secrets: [{TOKEN: x}]\n  satellites:\n", 1) + step("a", ""))
	if got := told(r.Diagnostics); r.Plan == nil || !strings.HasPrefix(got, "6:14 warning ORB-C081 the secret TOKEN is not used\n") {
		t.Error(got)
	}
}
