package main

import (
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

// at gives an operation its time.
func at(call, back time.Duration, o op) op {
	o.Run, o.Call, o.Return = "run", call, back
	if o.Result == "" {
		o.Result = resultOK
	}
	return o
}

func TestHistoriesOfARun(t *testing.T) {
	start := op{Kind: opStart, State: orbit.RunPending}
	read := func(s orbit.RunState) op { return op{Kind: opRead, State: s} }
	none := op{Kind: opRead, Result: resultRefused, Status: 404}
	cancel := op{Kind: opCancel, State: orbit.RunCancelled}
	late := op{Kind: opCancel, Result: resultRefused, Status: 409, Note: "run x has ended as succeeded; there is nothing to cancel"}
	unknown := func(kind string) op { return op{Kind: kind, Result: resultUnknown} }
	for _, c := range []struct {
		name  string
		ops   []op
		wrong bool
		stale int
	}{
		{"start, look, end", []op{at(1, 2, start), at(3, 4, read(orbit.RunRunning)), at(5, 6, read(orbit.RunPartial)), at(7, 8, read(orbit.RunPartial))}, false, 0},
		{"started twice", []op{at(1, 4, start), at(2, 3, start), at(5, 6, read(orbit.RunSucceeded))}, false, 0},
		{"not there before it was started", []op{at(1, 2, none), at(3, 4, start)}, false, 0},
		{"not there while it is started", []op{at(1, 4, start), at(2, 3, none)}, false, 0},
		{"not there after it was started", []op{at(1, 2, start), at(3, 4, none)}, false, 1},
		{"open after its end", []op{at(1, 2, start), at(3, 4, read(orbit.RunFailed)), at(5, 6, read(orbit.RunRunning))}, false, 1},
		{"two ends", []op{at(1, 2, start), at(3, 4, read(orbit.RunFailed)), at(5, 6, read(orbit.RunSucceeded))}, true, 0},
		{"there without a start", []op{at(1, 2, read(orbit.RunRunning))}, true, 0},
		{"there before its start", []op{at(1, 2, read(orbit.RunRunning)), at(3, 4, start)}, true, 0},
		{"there after a start whose answer was lost", []op{at(1, 2, unknown(opStart)), at(8, 9, read(orbit.RunSucceeded))}, false, 0},
		{"cancelled", []op{at(1, 2, start), at(3, 4, cancel), at(5, 6, read(orbit.RunCancelled)), at(7, 8, cancel)}, false, 0},
		{"cancelled, and yet it ended", []op{at(1, 2, start), at(3, 4, cancel), at(5, 6, read(orbit.RunSucceeded))}, true, 0},
		{"ended, and yet cancelled", []op{at(1, 2, start), at(3, 4, read(orbit.RunSucceeded)), at(5, 6, cancel)}, true, 0},
		{"cancelled by nobody", []op{at(1, 2, start), at(3, 4, read(orbit.RunCancelled))}, true, 0},
		{"cancelled by one without an answer", []op{at(1, 2, start), at(3, 4, unknown(opCancel)), at(5, 6, read(orbit.RunRunning)), at(7, 8, read(orbit.RunCancelled))}, false, 0},
		{"too late to cancel", []op{at(1, 2, start), at(3, 4, late), at(5, 6, read(orbit.RunFailed))}, false, 0},
		{"told too late to cancel, and yet open", []op{at(1, 2, start), at(3, 4, late), at(5, 6, cancel)}, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, runs, stale := registers(c.ops)
			if len(found) > 0 != c.wrong || stale != c.stale || runs != 1 {
				t.Errorf("found %v, %d runs, %d stale", found, runs, stale)
			}
		})
	}
}
