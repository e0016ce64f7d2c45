package cli_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit/cluster"
)

func TestLintShowsEachMistakeWithItsLineAndACaret(t *testing.T) {
	invoke(call{args: orbitArgs("lint testdata/wrong.yml testdata/reports.yml")}).expect(t, 1,
		`testdata/wrong.yml:10:7: error[ORB-C010]: a satellite has no key "confg"
   10 |       confg: {query: .}
              ^
hint: did you mean config?
testdata/wrong.yml:13:14: error[ORB-C056]: the secret URL is used but not declared
   13 |         url: ${{ secrets.URL }}
                     ^
hint: declare it under cluster.secrets, such as URL: {env: URL}
`, "2 errors in 2 files\n")
}

func TestLintInJSON(t *testing.T) {
	got := invoke(call{args: orbitArgs("lint -o json testdata/wrong.yml")})
	var ds []cluster.Diagnostic
	if err := json.Unmarshal([]byte(got.stdout), &ds); err != nil {
		t.Fatal(err)
	}
	if got.code != 1 || got.stderr != "" || len(ds) != 2 || ds[0].File != "testdata/wrong.yml" || ds[0].Line != 10 || ds[0].Column != 7 ||
		ds[0].Severity != "error" || ds[0].Code != "ORB-C010" || ds[0].Message == "" || ds[0].Hint != "did you mean config?" {
		t.Errorf("exit code %d, stderr %q, diagnostics %+v", got.code, got.stderr, ds)
	}
	invoke(call{args: orbitArgs("lint -o json testdata/reports.yml")}).expect(t, 0, "[]\n", "")
}

func TestLintIsDoneWhereThereAreOnlyWarnings(t *testing.T) {
	got := invoke(call{args: orbitArgs("lint testdata/graph.yml")})
	if got.code != 0 || got.stderr != "1 warning in 1 file\n" || !strings.Contains(got.stdout, "graph.yml:22:13: warning[ORB-C081]") {
		t.Errorf("exit code %d, stderr %q, stdout:\n%s", got.code, got.stderr, got.stdout)
	}
}

func TestLintReadsStdin(t *testing.T) {
	text, err := os.ReadFile("testdata/wrong.yml")
	if err != nil {
		t.Fatal(err)
	}
	got := invoke(call{args: orbitArgs("lint -"), stdin: string(text)})
	if got.code != 1 || !strings.HasPrefix(got.stdout, "stdin:10:7: error") {
		t.Errorf("exit code %d, stdout:\n%s", got.code, got.stdout)
	}
}

func TestLintGoesOnAfterAFileThatCannotBeRead(t *testing.T) {
	invoke(call{args: orbitArgs("lint testdata/none.yml testdata testdata/reports.yml")}).expect(t, 1, "",
		"orbit: testdata/none.yml cannot be read: there is no such file\n"+
			"orbit: testdata cannot be read: it is a folder; name the cluster file in it\n"+
			"1 file, nothing wrong\n")
}

func TestPlanIsATable(t *testing.T) {
	invoke(call{args: orbitArgs("plan testdata/reports.yml")}).steady().expect(t, 0,
		`demo/reports  version VERSION  sla 6h

IDENTIFIER  USES                                  PART  PARENTS    CLASS  POOL  RETRIES  JOIN
get-files   exospherehost/get-files               main  -          cpu    core        3  -
parse-pdf   exospherehost/parse-pdf-with-docling  main  get-files  cpu    core        3  -
send        exospherehost/call-webhook            main  parse-pdf  cpu    core        3  -
`, "")
}

func TestPlanInJSON(t *testing.T) {
	got := invoke(call{args: orbitArgs("plan -o json testdata/graph.yml")})
	var plan struct {
		Identifier, Version, SLA string
		Steps                    []map[string]any
	}
	if err := json.Unmarshal([]byte(got.stdout), &plan); err != nil {
		t.Fatal(err)
	}
	if got.code != 0 || plan.Identifier != "demo/graph" || plan.SLA != "12h" || len(plan.Version) != 12 || len(plan.Steps) != 4 {
		t.Errorf("exit code %d, plan %+v", got.code, plan)
	}
	want := map[string]any{"identifier": "total", "uses": "exospherehost/jq", "part": "main", "parents": []any{"end"}, "children": []any{},
		"class": "cpu", "pool": "core", "join": map[string]any{"scope": "run", "strategy": "all-done"}, "retries": 5.0}
	if d := cmp.Diff(want, plan.Steps[2]); d != "" {
		t.Errorf("the join (-want +got):\n%s", d)
	}
	if join, ok := plan.Steps[0]["join"]; !ok || join != nil {
		t.Errorf("a satellite that is no join has join %v", join)
	}
}

func TestPlanIsDrawnWithMermaid(t *testing.T) {
	got := invoke(call{args: orbitArgs("plan testdata/graph.yml -o mermaid")})
	want := `flowchart TD
  subgraph main["demo/graph"]
    s0["get-files<br/><small>exospherehost/get-files</small>"]
    s1[["end<br/><small>exospherehost/jq</small>"]]
    s2{{"total<br/><small>exospherehost/jq</small><br/><small>once a run, all-done, 95%, counts get-files end</small>"}}
  end
  subgraph failure["failure steps"]
    s3["call-webhook<br/><small>exospherehost/call-webhook</small>"]
  end
  s0 -->|each object| s1
  s1 ==>|all objects| s2
  s1 -.->|on failure| s3
`
	if d := cmp.Diff(want, got.stdout); d != "" || got.code != 0 {
		t.Errorf("exit code %d, drawing (-want +got):\n%s", got.code, d)
	}
}

func TestPlanOfAWrongFileIsItsDiagnostics(t *testing.T) {
	got := invoke(call{args: orbitArgs("plan -o json testdata/wrong.yml")})
	if got.code != 1 || got.stdout != "" || !strings.Contains(got.stderr, "testdata/wrong.yml:10:7: error[ORB-C010]") || !strings.HasSuffix(got.stderr, "\n2 errors\n") {
		t.Errorf("exit code %d, stdout %q, stderr:\n%s", got.code, got.stdout, got.stderr)
	}
}
