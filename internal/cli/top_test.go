package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
)

func TestTopIsPrintedOnceWithoutATerminal(t *testing.T) {
	bubble(t, func(t *testing.T) {
		api := &fakeAPI{runs: []orbit.Run{running()}}
		invoke(call{args: orbitArgs("top"), api: api}).expect(t, 0, `00:00:00  2 nodes, 1 of 34 slots busy, 120 bundles waiting, 1 run open

NODE  STATE     CLASS    SLOTS     GPU-MEMORY  VERSION
a     alive     cpu        1/2              -  1.0
b     draining  gpu-80g   0/32  160GiB/160GiB  1.0

CLASS  POOL  TIER  WAITING  RUNNING  OLDEST
cpu    core  6h        120        2   1m30s

RUN                   CLUSTER       STATE    DONE  FAILED  TIME  DEADLINE  PACE
0123456789abcdefghjk  demo/reports  running  8/17       0   0ms  in 6h00m  -
`, "")
		want := "GET /v1/nodes?limit=500, GET /v1/queues?limit=500, GET /v1/runs?limit=50&state=pending&state=running&state=paused"
		if got := strings.Join(api.requests, ", "); got != want {
			t.Errorf("requests %s", got)
		}
	})
}

func TestTopInJSONIsTheDocumentsOfTheAPI(t *testing.T) {
	got := invoke(call{args: orbitArgs("top -o json"), api: &fakeAPI{runs: []orbit.Run{running()}}})
	var all struct {
		Nodes  []orbit.NodeDoc
		Queues []orbit.QueueDoc
		Runs   []orbit.Run
	}
	if err := json.Unmarshal([]byte(got.stdout), &all); err != nil || got.code != 0 || len(all.Nodes) != 2 || len(all.Queues) != 2 || len(all.Runs) != 1 {
		t.Errorf("exit code %d, %v in:\n%s", got.code, err, got.stdout)
	}
}
