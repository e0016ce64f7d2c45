package cli_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

var someEvents = []orbit.RunEvent{
	{Time: start, Kind: orbit.EventAccepted, State: orbit.RunPending, Message: "demo/reports, version 0123456789ab, by api-call; due 2000-01-01T06:00:00Z"},
	{Time: start.Add(time.Second), Kind: orbit.EventRetrying, Satellite: "parse-pdf", Item: "parse-pdf/0.17", Attempt: 2, Message: "did not succeed and is tried again: locked", Due: after(5 * time.Second)},
	{Time: start.Add(24 * time.Hour), Kind: orbit.EventEnded, State: orbit.RunSucceeded, Message: "succeeded"},
}

func TestEventsAreLinesThatAPersonCanRead(t *testing.T) {
	want := `00:00:00  accepted         run  demo/reports, version 0123456789ab, by api-call; due 2000-01-01T06:00:00Z
00:00:01  item-retrying    parse-pdf/0.17 #2  did not succeed and is tried again: locked  next at 00:00:05
2000-01-02 00:00:00  ended            run                succeeded
`
	for _, line := range []string{"events " + runID, "events -f " + runID} {
		bubble(t, func(t *testing.T) {
			invoke(call{args: orbitArgs(line), api: &fakeAPI{events: someEvents, runs: []orbit.Run{running()}}}).expect(t, 0, want, "")
		})
	}
}

func TestEventsInJSONAreOneALine(t *testing.T) {
	got := invoke(call{args: orbitArgs("events -o json " + runID), api: &fakeAPI{events: someEvents}})
	lines := strings.Split(strings.TrimSuffix(got.stdout, "\n"), "\n")
	if got.code != 0 || len(lines) != len(someEvents) {
		t.Fatalf("exit code %d, stdout:\n%s", got.code, got.stdout)
	}
	for i, text := range lines {
		var ev orbit.RunEvent
		if err := json.Unmarshal([]byte(text), &ev); err != nil || ev.Kind != someEvents[i].Kind {
			t.Errorf("%v in %s", err, text)
		}
	}
}
