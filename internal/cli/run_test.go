package cli_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

func TestRunAppliesTheFileAndPrintsTheID(t *testing.T) {
	api := &fakeAPI{runs: []orbit.Run{running()}}
	invoke(call{args: orbitArgs(`run testdata/reports.yml --payload {"month":3} --idempotency-key k1`), api: api, env: map[string]string{"REPORT_USER": "ann", "TOKEN": "no"}}).
		expect(t, 0, runID+"\n", "demo/reports has started; follow it with `orbit status "+runID+"`\n")
	text, err := os.ReadFile("testdata/reports.yml")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(api.requests, ", "); got != "PUT /v1/clusters/demo/reports, POST /v1/clusters/demo/reports/runs" {
		t.Errorf("requests: %s", got)
	}
	if api.applied != strings.TrimSpace(string(text)) || api.started != `{"payload":{"month":3},"secrets":{"USER":"ann"}}` || api.key != "k1" {
		t.Errorf("applied:\n%s\nstarted: %s, key %q", api.applied, api.started, api.key)
	}
}

func TestRunOfARegisteredClusterAppliesNothing(t *testing.T) {
	api := &fakeAPI{runs: []orbit.Run{running()}}
	invoke(call{args: orbitArgs("run demo/reports --gateway http://gate:1"), api: api}).
		expect(t, 0, runID+"\n", "demo/reports has started; follow it with `orbit status "+runID+" --gateway http://gate:1`\n")
	if got := strings.Join(api.requests, ", "); got != "POST /v1/clusters/demo/reports/runs" || api.started != `{"payload":null}` {
		t.Errorf("requests: %s; started %s", got, api.started)
	}
}

func TestTheSecretsFileComesFirst(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secrets.env")
	if err := os.WriteFile(file, []byte("TOKEN=from-file\nREPORT_USER='bob'\nOTHER=never sent\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	api := &fakeAPI{runs: []orbit.Run{running()}}
	invoke(call{args: []string{"run", "testdata/reports.yml", "--secrets-file", file}, api: api, env: map[string]string{"REPORT_USER": "ann"}})
	if want := `{"payload":null,"secrets":{"TOKEN":"from-file","USER":"bob"}}`; api.started != want {
		t.Errorf("started %s, want %s", api.started, want)
	}
}

func TestAFileWithErrorsIsNotSent(t *testing.T) {
	for _, line := range []string{"run testdata/wrong.yml", "apply testdata/reports.yml testdata/wrong.yml"} {
		api := &fakeAPI{runs: []orbit.Run{running()}}
		got := invoke(call{args: orbitArgs(line), api: api})
		if got.code != 1 || got.stdout != "" || len(api.requests) != 0 || !strings.Contains(got.stderr, "testdata/wrong.yml:10:7: error[ORB-C010]") {
			t.Errorf("%s: exit code %d, stdout %q, requests %v, stderr:\n%s", line, got.code, got.stdout, api.requests, got.stderr)
		}
	}
}

func TestWhatTheGatewayRefusesIsShownWithItsLines(t *testing.T) {
	refused := []map[string]any{{"file": "cluster.yml", "line": 15, "column": 7, "severity": "error", "code": "ORB-C090", "message": "joins are not run yet", "hint": ""}}
	api := &fakeAPI{refuse: refused}
	invoke(call{args: orbitArgs("run testdata/graph.yml"), api: api}).expect(t, 1, "",
		`testdata/graph.yml:15:7: error[ORB-C090]: joins are not run yet
   15 |       unites: {identifier: run, strategy: all-done, min-success: 95%}
              ^
1 error
orbit: the gateway refuses demo/graph: it uses what this version does not run yet
`)
}

func TestApplySaysWhatIsRegistered(t *testing.T) {
	invoke(call{args: orbitArgs("apply testdata/reports.yml"), api: &fakeAPI{}}).expect(t, 0, "demo/reports registered, version 0123456789ab\n", "")
}

func TestWaitShowsProgressAndThenNothingButTheOutputs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		first := aRun(orbit.RunRunning, counted(0, 1, 0, 0), counted(0, 0, 0, 0), counted(0, 0, 0, 0))
		api := &fakeAPI{runs: []orbit.Run{first, first, running(), running(), running(), running(), ended(orbit.RunSucceeded, 0)}, outputs: map[string]string{"": "{\"a\":1}\n"}}
		invoke(call{args: orbitArgs("run testdata/reports.yml --wait"), api: api}).expect(t, 0, "{\"a\":1}\n",
			"run "+runID+" of demo/reports, version 0123456789ab\n"+
				"running: get-files 0/1\n"+
				"running: get-files 1/1, parse-pdf 4/12, send 3/4  4.0/s  about 2s left\n"+
				"run "+runID+" succeeded after 4.0s: 25 items\n")
		if api.requests[len(api.requests)-1] != "GET /v1/runs/"+runID+"/outputs" {
			t.Errorf("requests: %v", api.requests)
		}
	})
}

func TestTheExitCodeIsTheStateOfTheRun(t *testing.T) {
	for state, want := range map[orbit.RunState]int{orbit.RunSucceeded: 0, orbit.RunPartial: 3, orbit.RunFailed: 3, orbit.RunCancelled: 4} {
		if got := invoke(call{args: orbitArgs("run demo/reports --wait"), api: &fakeAPI{runs: []orbit.Run{ended(state, 0)}}}); got.code != want {
			t.Errorf("%s: exit code %d, want %d", state, got.code, want)
		}
	}
}

func TestFailedItemsAreToldWithTheNameOfTheirFile(t *testing.T) {
	api := &fakeAPI{runs: []orbit.Run{ended(orbit.RunPartial, 5)}, items: []orbit.ItemDoc{
		failedItem("0.0", map[string]any{"file-name": "a.pdf", "file-path": "x/y.pdf"}, "the PDF is encrypted"),
		failedItem("0.1", map[string]any{"file-path": "/data/b.pdf"}, "the PDF is damaged"),
		failedItem("0.2", map[string]any{"file-uri": "s3://bucket/dir/c%20d.pdf"}, "the PDF is empty"),
		failedItem("0.3", map[string]any{"x": 1}, "no markdown\x1b[2J"),
	}}
	invoke(call{args: orbitArgs("run demo/reports --wait"), api: api}).expect(t, 3, "", `run 0123456789abcdefghjk of demo/reports, version 0123456789ab
run 0123456789abcdefghjk is partial after 4.0s: 20 items, 5 failed
parse-pdf/0.0  a.pdf  the PDF is encrypted
parse-pdf/0.1  b.pdf  the PDF is damaged
parse-pdf/0.2  c d.pdf  the PDF is empty
parse-pdf/0.3  no markdown [2J
… and 1 more; `+"`orbit items "+runID+" --state failed` lists them all\n")
}

func TestAtMost20FailedItemsAreTold(t *testing.T) {
	api := &fakeAPI{runs: []orbit.Run{ended(orbit.RunFailed, 12)}}
	api.runs[0].Satellites[1].Items = counted(0, 0, 0, 30)
	for i := range 30 {
		api.items = append(api.items, failedItem(orbit.Lineage(fmt.Sprintf("0.%d", i)), nil, "broken"))
	}
	got := invoke(call{args: orbitArgs("run demo/reports --wait"), api: api})
	if n := strings.Count(got.stderr, "  broken\n"); n != 20 || !strings.Contains(got.stderr, "… and 10 more;") {
		t.Errorf("%d items are told:\n%s", n, got.stderr)
	}
}

func TestCtrlCEndsTheWaitingAndNotTheRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		api := &fakeAPI{runs: []orbit.Run{running()}}
		invoke(call{args: orbitArgs("run demo/reports --wait"), api: api, ctx: ctx}).expect(t, 130, "",
			"run "+runID+" of demo/reports, version 0123456789ab\n"+
				"running: get-files 1/1, parse-pdf 4/12, send 3/4\n"+
				"interrupted; the run goes on. `orbit status "+runID+"` shows how it stands, `orbit outputs "+runID+"` gives its outputs, `orbit cancel "+runID+"` ends it\n")
		for _, r := range api.requests {
			if strings.Contains(r, "cancel") {
				t.Error("the run was cancelled")
			}
		}
	})
}

func TestWaitOutlivesAGatewayThatRestarts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api := &fakeAPI{runs: []orbit.Run{running(), ended(orbit.RunSucceeded, 0)}, down: time.Minute, outputs: map[string]string{"": "{}\n"}}
		got := invoke(call{args: orbitArgs("run demo/reports --wait"), api: api})
		if got.code != 0 || got.stdout != "{}\n" || strings.Count(got.stderr, "the gateway does not answer; the run goes on") != 1 {
			t.Errorf("exit code %d, stdout %q, stderr:\n%s", got.code, got.stdout, got.stderr)
		}
	})
}

func TestWaitGivesUpOnAGatewayThatIsGone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api := &fakeAPI{runs: []orbit.Run{running()}, down: time.Hour}
		got := invoke(call{args: orbitArgs("run demo/reports --wait"), api: api})
		if got.code != 1 || !strings.HasSuffix(got.stderr, "\nthe run goes on without its gateway; later `orbit status "+runID+"` shows how it stands\norbit: the gateway is starting\n") || time.Since(start) > 3*time.Minute {
			t.Errorf("exit code %d after %s, stderr:\n%s", got.code, time.Since(start), got.stderr)
		}
	})
}
