package orbit_test

import (
	"testing"

	"github.com/exospherehost/orbit"
)

func TestRunsMoveOnlyForward(t *testing.T) {
	const ends = "succeeded partial failed cancelled"
	allowed := map[orbit.RunState]string{"pending": "running paused cancelled", "running": "paused " + ends, "paused": "running " + ends}
	moves(t, []orbit.RunState{"pending", "running", "paused", "succeeded", "partial", "failed", "cancelled"}, allowed, ends)
}

func TestItemsMoveOnlyForward(t *testing.T) {
	const ends = "succeeded failed skipped cancelled"
	allowed := map[orbit.ItemState]string{"waiting": "running " + ends, "retrying": "running " + ends, "running": "waiting retrying " + ends}
	moves(t, orbit.ItemStates[:], allowed, ends)
}

// moves checks every pair of states against what is allowed.
func moves[S interface {
	~string
	CanMove(S) bool
	Terminal() bool
}](t *testing.T, states []S, allowed map[S]string, ends string) {
	for _, from := range states {
		if got := from.Terminal(); got != has(ends, string(from)) {
			t.Errorf("%s is terminal: %v", from, got)
		}
		for _, to := range states {
			if got := from.CanMove(to); got != has(allowed[from], string(to)) {
				t.Errorf("from %s to %s: %v", from, to, got)
			}
		}
	}
}
