//go:build planted

package orbittest_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// plants are the scenarios that must give each planted bug away. Without the bug they find nothing.
var plants = map[string]func(o *orbittest.Orbit) (run string){
	fault.AckBeforeRecord: func(o *orbittest.Orbit) string { return crashOnce(o, "commit.begin", func() bool { return true }) },
	fault.ChildrenFirst: func(o *orbittest.Orbit) string {
		o.Script.On("a", orbittest.FanOut(5))
		return o.Run(o.Apply(chain), nil)
	},
	fault.OwnChildren:  loser,
	fault.DedupeForCAS: loser,
	fault.CheckpointFirst: func(o *orbittest.Orbit) string {
		var failed atomic.Bool
		o.Script.On("b", orbittest.Sleep(time.Second, func(c ctx, x *orbittest.Execution) error { // the root is folded by then
			failed.Store(true)
			return orbittest.FailFirst(1)(c, x)
		}))
		return crashOnce(o, "settle.folded", failed.Load)
	},
}

// crashOnce crashes whoever first passes the point when the time has come, and has it replaced.
func crashOnce(o *orbittest.Orbit, at string, come func() bool) string {
	var crashed atomic.Bool
	o.SetFaults(func(p *orbittest.Process, _ int, point string) error {
		if point != at || !come() || !crashed.CompareAndSwap(false, true) {
			return nil
		}
		time.Sleep(100 * time.Millisecond) // what was written before gets out
		p.Crash()
		return fault.ErrCrash
	})
	stop := o.Replace(time.Second)
	id := o.Run(o.Apply(chain), nil)
	time.Sleep(time.Minute)
	stop()
	return id
}

func TestPlantedBugIsCaught(t *testing.T) {
	for bug, scenario := range plants {
		t.Run(bug, func(t *testing.T) {
			t.Setenv("ORBIT_PLANT", bug)
			found := play(t, scenario)
			if len(found) == 0 {
				t.Error("nobody noticed")
			}
			t.Logf("found: %v", found)
		})
		t.Run("without "+bug, func(t *testing.T) {
			if found := play(t, scenario); len(found) > 0 {
				t.Errorf("found, where nothing is planted: %v", found)
			}
		})
	}
}

// play runs a scenario to its end, or to where it should have ended long ago, and gives what the checks find.
func play(t *testing.T, scenario func(o *orbittest.Orbit) string) (found []string) {
	t.Helper()
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 1, Unchecked: true}, func(o *orbittest.Orbit) {
		if run, ok := o.TryWait(scenario(o), 20*time.Minute); ok && run.State != orbit.RunSucceeded {
			found = append(found, "the run ended as "+string(run.State))
		}
		o.Settle()
		found = append(found, o.Violations()...)
	})
	return found
}
