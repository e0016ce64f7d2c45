package orbittest_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// slowChain makes the chain fan out to n items, of which each takes d in b.
func slowChain(o *orbittest.Orbit, n int, d time.Duration) string {
	o.Script.On("a", orbittest.FanOut(n))
	o.Script.On("b", orbittest.Sleep(d, orbittest.Pass))
	return o.Apply(chain)
}

func TestNodeCrashMidRunLosesNothing(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		id := o.Run(slowChain(o, 40, 3*time.Second), nil)
		time.Sleep(5 * time.Second)
		o.KillNode(0)
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 40})
	})
}

func TestNewNodeTakesUpWhatTheOnlyNodeDiedWith(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		id := o.Run(slowChain(o, 20, 3*time.Second), nil)
		time.Sleep(5 * time.Second)
		o.KillNode(0)
		time.Sleep(10 * time.Minute)
		if run, ok := o.Look(id); !ok || run.State != orbit.RunRunning {
			t.Errorf("without a node the run is %s", run.State)
		}
		o.StartNode()
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
	})
}

func TestServerRestartMidRunLosesNothing(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		id := o.Run(slowChain(o, 40, 3*time.Second), nil)
		time.Sleep(5 * time.Second)
		o.RestartServer(10 * time.Second)
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 40})
	})
}

func TestNodeThatIsCutOffForAWhileGoesOn(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		id := o.Run(slowChain(o, 20, 3*time.Second), nil)
		time.Sleep(5 * time.Second)
		o.Node(0).Cut()
		time.Sleep(2 * time.Minute)
		o.Node(0).Heal()
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
	})
}

func TestLostAckBringsTheBundleBackAndItIsNotRunAgain(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		var lost atomic.Int32
		o.SetFaults(func(_ *orbittest.Process, _ int, point string) error {
			if point == "delivery.ack" && lost.Add(1) <= 3 {
				return fault.ErrLost
			}
			return nil
		})
		run := o.Wait(o.Run(o.Apply(chain), nil))
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		o.Settle()
		for _, item := range []string{"a/0", "b/0.0", "c/0.0.0"} {
			if n := o.Script.Count(run.ID, item); n != 1 {
				t.Errorf("%s ran %d times", item, n)
			}
		}
	})
}

func TestWorkerAcksCommittedBundleWithoutRunningIt(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		var crashed atomic.Bool
		o.SetFaults(func(p *orbittest.Process, _ int, point string) error {
			if point == "commit.recorded" && crashed.CompareAndSwap(false, true) { // after the record, before the children
				p.Crash()
				return fault.ErrCrash
			}
			return nil
		})
		id := o.Run(o.Apply(chain), nil)
		time.Sleep(time.Second)
		o.StartNode()
		run := o.Wait(id)
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		if n := o.Script.Count(run.ID, "a/0"); n != 1 {
			t.Errorf("the committed item ran %d times; its record was there", n)
		}
	})
}

func TestLoserOfTheRecordPublishesTheWinnersChildren(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 1}, func(o *orbittest.Orbit) {
		id := loser(o)
		wantEnd(o, o.Wait(id), orbit.RunSucceeded)
		o.Settle()
		if n := o.Script.Count(id, "a/0"); n != 2 {
			t.Errorf("the root ran %d times; the scenario wants it twice", n)
		}
		if n := o.Script.Count(id, "b/0.6"); n != 0 {
			t.Error("a child of the loser ran")
		}
		if out := o.Outputs(id); len(out) != 3 {
			t.Errorf("%d outputs, want the winner's 3", len(out))
		}
	})
}

// loser has one bundle run on two nodes, which come to different results: the first is cut off while it works, and back
// only when the second has committed.
func loser(o *orbittest.Orbit) (run string) {
	var first atomic.Pointer[orbittest.Process]
	o.Script.On("a", onExecution(
		func(c ctx, x *orbittest.Execution) error {
			first.Store(x.Node)
			return orbittest.Sleep(50*time.Second, orbittest.FanOut(7))(c, x)
		},
		orbittest.FanOut(3)))
	run = o.Run(o.Apply(chain), nil)
	time.Sleep(time.Second)
	first.Load().Cut()
	time.Sleep(45 * time.Second)
	first.Load().Heal()
	return run
}

func wantEnd(o *orbittest.Orbit, run orbit.Run, state orbit.RunState) {
	o.T.Helper()
	if run.State != state {
		o.T.Errorf("run ended as %s (%s), want %s", run.State, run.Error, state)
	}
}

func TestDrainFinishesWhatIsBegunAndHandsBackTheRest(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 2}, func(o *orbittest.Orbit) {
		id := o.Run(slowChain(o, 40, 4*time.Second), nil)
		time.Sleep(6 * time.Second)
		begun := time.Now()
		o.DrainNode(0)
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("draining took %s", took)
		}
		run := o.Wait(id)
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 40})
		if n := o.Script.Total(); n != 81 {
			t.Errorf("%d executions of 81 items; a drain repeats nothing", n)
		}
	})
}

func TestStoppedNodeHandsBackWhatItWasDoing(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 2}, func(o *orbittest.Orbit) {
		id := o.Run(slowChain(o, 8, 4*time.Second), nil)
		time.Sleep(6 * time.Second)
		begun := time.Now()
		o.StopNode(0)
		run := o.Wait(id)
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 8})
		if took := time.Since(begun); took > 28*time.Second {
			t.Errorf("the other node went on after %s; handed back, no lease needs to run out", took)
		}
	})
}

func TestMessageThatIsNoBundleIsKeptAsDead(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		name := o.Apply(chain)
		o.Publish("orbit.work.cpu.core.1h.0."+orbit.RandomID(), []byte("\xff not a bundle"))
		id := o.Run(name, nil)
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		o.Settle()
		if dead := o.Dead(); len(dead) != 1 || string(dead[0].Data) != "\xff not a bundle" {
			t.Errorf("%d dead messages: %v", len(dead), dead)
		}
		if n := o.Waiting(); n != 0 {
			t.Errorf("%d messages of work are left", n)
		}
	})
}

func TestPoisonousItemFailsAndItsNeighboursSucceed(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Slots: 1}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(3))
		o.Script.On("b", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.KillNode}))
		stop := o.Replace(2 * time.Second)
		run := o.Wait(o.Run(o.Apply(chain), nil))
		stop()
		wantRun(t, run, orbit.RunPartial, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 2, orbit.ItemFailed: 1})
		if it := o.Items(run.ID, "state=failed"); len(it) != 1 || it[0].ID != "b/0.1" || it[0].Error.Code != orbit.CodePoisoned {
			t.Errorf("failed items %+v", it)
		}
	})
}

func TestBundleBesideAPoisonousOneIsNotBlamed(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Slots: 4}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(4))
		o.Script.On("b", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{
			"0.1": orbittest.Sleep(time.Second, orbittest.KillNode),
			"0.0": orbittest.Sleep(5*time.Second, orbittest.Pass),
			"0.2": orbittest.Sleep(5*time.Second, orbittest.Pass),
			"0.3": orbittest.Sleep(5*time.Second, orbittest.Pass),
		}))
		stop := o.Replace(2 * time.Second)
		run := o.Wait(o.Run(o.Apply(singles), nil))
		stop()
		wantRun(t, run, orbit.RunPartial, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 3, orbit.ItemFailed: 1})
	})
}

// singles is a chain whose bundles hold one item each.
const singles = `
version: 0.0.1b
cluster:
  identifier: test/singles
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/single, identifier: b}
`
