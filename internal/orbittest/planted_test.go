//go:build planted

package orbittest_test

import (
	"fmt"
	"strings"
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
	fault.JoinUncounted: func(o *orbittest.Orbit) string {
		o.Script.On("list", named(2))
		o.Script.On("right", orbittest.Sleep(time.Minute, named(1)))
		return o.Run(o.Apply(strings.Replace(diamond, "STRATEGY", "all-success", 1)), nil)
	},
	fault.LimitForgets: func(o *orbittest.Orbit) string {
		o.Script.On("a", orbittest.FanOut(3))
		var at atomic.Int32
		o.Script.On("b", func(c ctx, x *orbittest.Execution) error {
			defer at.Add(-1)
			if at.Add(1) > 1 {
				return orbittest.FailForGood(c, x) // somebody else is at it
			}
			return orbittest.Sleep(20*time.Second, orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.0": orbittest.FailFirst(1)}))(c, x)
		})
		return o.Run(o.Apply(limitedTo("concurrency: 1")), nil)
	},
	fault.AckBeforePark: func(o *orbittest.Orbit) string {
		pauseScript(o)
		id := o.Run(o.Apply(pausable), nil)
		time.Sleep(6 * time.Second)
		verb(o, id, "pause")
		stop := crashThere(o, "parked.begin", func() bool { return true })
		time.Sleep(time.Minute)
		stop()
		verb(o, id, "resume")
		return id
	},
	fault.PendingLeft: func(o *orbittest.Orbit) string {
		stop := crashThere(o, "launch.created", func() bool { return true })
		name := o.Apply(chain)
		o.Start(name, "once", nil) // the gateway dies and does not answer
		time.Sleep(time.Minute)
		stop()
		o.Start(name, "once", nil) // the same run
		return orbit.HashID("key", name, "once")
	},
	fault.LeaderInIDs: func(o *orbittest.Orbit) string {
		o.Script.On("list", named(2))
		stop := crashThere(o, "settle.joined", func() bool { return true })
		id := o.Run(o.Apply(strings.Replace(diamond, "STRATEGY", "all-success", 1)), nil)
		time.Sleep(5 * time.Minute)
		stop()
		return id
	},
	fault.DocumentFirst: func(o *orbittest.Orbit) string {
		var mended atomic.Bool
		o.Script.On("b", func(c ctx, x *orbittest.Execution) error {
			if !mended.Load() {
				return orbittest.FailForGood(c, x)
			}
			return orbittest.Pass(c, x)
		})
		id := o.Run(o.Apply(chain), nil)
		o.Wait(id)
		mended.Store(true)
		stop := crashThere(o, "retry.begin", func() bool { return true })
		again(o, id, nil)
		time.Sleep(time.Minute)
		stop()
		again(o, id, nil)
		return id
	},
}

// crashOnce crashes whoever first passes the point when the time has come, and has it replaced.
func crashOnce(o *orbittest.Orbit, at string, come func() bool) string {
	stop := crashThere(o, at, come)
	id := o.Run(o.Apply(chain), nil)
	time.Sleep(time.Minute)
	stop()
	return id
}

// crashThere does so without a run of its own.
func crashThere(o *orbittest.Orbit, at string, come func() bool) (stop func()) {
	var crashed atomic.Bool
	o.SetFaults(func(p *orbittest.Process, _ int, point string) error {
		if point != at || !come() || !crashed.CompareAndSwap(false, true) {
			return nil
		}
		time.Sleep(100 * time.Millisecond) // what was written before gets out
		p.Crash()
		return fault.ErrCrash
	})
	return o.Replace(time.Second)
}

func TestPlantedBugIsCaught(t *testing.T) {
	for bug, scenario := range plants {
		planted(t, bug, func(t *testing.T) []string { return play(t, scenario) })
	}
	planted(t, fault.ClosedRuns, func(t *testing.T) (found []string) {
		orbittest.Test(t, soon, func(o *orbittest.Orbit) {
			if n := childOfALateRecord(o); n > 0 {
				found = append(found, fmt.Sprintf("%d items of a closed run were executed", n))
			}
		})
		return found
	})
}

// planted looks for a bug with and without it.
func planted(t *testing.T, bug string, look func(t *testing.T) (found []string)) {
	t.Run(bug, func(t *testing.T) {
		t.Setenv("ORBIT_PLANT", bug)
		found := look(t)
		if len(found) == 0 {
			t.Error("nobody noticed")
		}
		t.Logf("found: %v", found)
	})
	t.Run("without "+bug, func(t *testing.T) {
		if found := look(t); len(found) > 0 {
			t.Errorf("found, where nothing is planted: %v", found)
		}
	})
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
