package orbittest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

func TestFailingItemIsTriedUntilItSucceedsAndItsAttemptsAreCounted(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(3))
		o.Script.On("b", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.FailFirst(2)}))
		run := o.Wait(o.Run(o.Apply(chain), nil))
		wantRun(t, run, orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 3})
		for _, it := range o.Items(run.ID, "satellite=b") {
			want := 1
			if it.Lineage == "0.1" {
				want = 3
			}
			if it.Attempts != want {
				t.Errorf("%s has %d attempts, want %d", it.ID, it.Attempts, want)
			}
		}
	})
}

func TestItemFailsForGoodWhenItsRetriesAreUsedUp(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("b", orbittest.FailFirst(100))
		run := o.Wait(o.Run(o.Apply(chain), nil))
		wantRun(t, run, orbit.RunFailed, "b", map[orbit.ItemState]int{orbit.ItemFailed: 1})
		if it := o.Items(run.ID, "state=failed"); len(it) != 1 || it[0].Attempts != 4 || it[0].Error == nil {
			t.Errorf("failed items %+v; want one with 4 attempts (retries: 3) and a reason", it)
		}
		if !strings.Contains(run.Error, "b/0.0") {
			t.Errorf("the run says %q and does not name the item", run.Error)
		}
	})
}

func TestRunIsPartialWhenAnItemFailsAndAnotherBranchEndsWell(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(5))
		o.Script.On("b", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.2": orbittest.FailForGood}))
		run := o.Wait(o.Run(o.Apply(chain), nil))
		wantRun(t, run, orbit.RunPartial, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 4, orbit.ItemFailed: 1})
		if n := o.Script.Count(run.ID, "b/0.2"); n != 1 {
			t.Errorf("the item was tried %d times; its input is at fault, once is enough", n)
		}
	})
}

func TestPanicFailsItsItemAndTheNodeLives(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(3))
		o.Script.On("b", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.Panic}))
		run := o.Wait(o.Run(o.Apply(chain), nil))
		wantRun(t, run, orbit.RunPartial, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 2})
		if it := o.Items(run.ID, "state=failed"); len(it) != 1 || it[0].Error == nil || it[0].Error.Code != orbit.CodePanic {
			t.Errorf("failed items %+v", it)
		}
	})
}

func TestSatelliteThatHangsRunsIntoItsTimeLimit(t *testing.T) {
	for name, hang := range map[string]orbittest.Behaviour{"heeding its context": orbittest.Sleep(time.Hour, orbittest.Pass), "deaf": orbittest.Hang} {
		t.Run(name, func(t *testing.T) {
			orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
				o.Script.On("b", hang)
				begun := time.Now()
				run := o.Wait(o.Run(o.Apply(strings.ReplaceAll(chain, "retries: 3", "retries: 0")), nil))
				wantRun(t, run, orbit.RunFailed, "b", map[orbit.ItemState]int{orbit.ItemFailed: 1})
				if it := o.Items(run.ID, "state=failed"); len(it) != 1 || it[0].Error.Code != orbit.CodeTimeout {
					t.Errorf("failed items %+v", it)
				}
				if took := time.Since(begun); took > 90*time.Second {
					t.Errorf("it took %s; the limit is a minute", took)
				}
			})
		})
	}
}

func TestServicesOwnWaitIsKeptBeforeTheNextAttempt(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		var first, second time.Time
		o.Script.On("b", onExecution(
			func(_ ctx, _ *orbittest.Execution) error {
				first = time.Now()
				return orbit.RetryAfter(10*time.Minute, orbit.CodeUnavailable, "come back later")
			},
			func(c ctx, x *orbittest.Execution) error {
				second = time.Now()
				return orbittest.Pass(c, x)
			}))
		wantRun(t, o.Wait(o.Run(o.Apply(chain), nil)), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		if wait := second.Sub(first); wait < 10*time.Minute || wait > 11*time.Minute {
			t.Errorf("tried again after %s; the service asked for 10 minutes", wait)
		}
	})
}
