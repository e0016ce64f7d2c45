package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
)

func blocked() *orbit.Why {
	item := "send/0.2"
	return &orbit.Why{Run: runID, State: orbit.RunRunning, Reasons: []orbit.WhyReason{
		{Satellite: "parse-pdf", Items: 40, Code: orbit.WhyNoNode, Reason: "no node is of class gpu-80g;\nno node is alive at all", Hint: "start one"},
		{Satellite: "send", Item: &item, Items: 1, Code: orbit.WhyRunning, Reason: "runs on node a", Hint: "start one"},
		{Satellite: "tell", Code: orbit.WhyDependency, Reason: "has no items yet", Hint: "`orbit why R send` tells more"},
	}}
}

func TestWhyTellsTheReasonsAndThenWhatWouldChangeThem(t *testing.T) {
	want := `ABOUT      ITEMS  WHY         REASON
parse-pdf     40  no-node     no node is of class gpu-80g; no node is alive at all
send/0.2       1  running     runs on node a
tell           -  dependency  has no items yet

parse-pdf: start one
tell: ` + "`orbit why R send` tells more\n"
	api := &fakeAPI{runs: []orbit.Run{running()}, why: blocked()}
	invoke(call{args: orbitArgs("why " + runID), api: api}).expect(t, 0, want, "")
	invoke(call{args: orbitArgs("why " + runID + " send/0.2"), api: api})
	if got := strings.Join(api.requests, " "); got != "GET /v1/runs/"+runID+"/why GET /v1/runs/"+runID+"/why?item=send%2F0.2" {
		t.Errorf("requests: %s", got)
	}
}

func TestWhyOfARunThatHasEnded(t *testing.T) {
	why := &orbit.Why{Run: runID, State: orbit.RunFailed, Reasons: []orbit.WhyReason{{Code: orbit.WhyEnded, Reason: "run R has ended as failed", Hint: "`orbit retry R` does 3 items again"}}}
	invoke(call{args: orbitArgs("why " + runID), api: &fakeAPI{why: why}}).expect(t, 0, "ABOUT  ITEMS  WHY    REASON\nrun        -  ended  run R has ended as failed\n\nrun: `orbit retry R` does 3 items again\n", "")
}

func TestWhyInJSONIsTheDocumentOfTheAPI(t *testing.T) {
	got := invoke(call{args: orbitArgs("why -o json " + runID), api: &fakeAPI{why: blocked()}})
	var why orbit.Why
	if err := json.Unmarshal([]byte(got.stdout), &why); err != nil || got.code != 0 || len(why.Reasons) != 3 || why.Reasons[1].Item == nil {
		t.Errorf("exit code %d, %v in:\n%s", got.code, err, got.stdout)
	}
}
