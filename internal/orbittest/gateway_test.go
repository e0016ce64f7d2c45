package orbittest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/internal/orbittest"
)

func TestGatewayCrashMidRunLosesNothing(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("c", orbittest.FailFirst(1)) // so that the gateway is needed in the middle
		id := o.Run(slowChain(o, 20, 3*time.Second), nil)
		time.Sleep(8 * time.Second)
		o.KillGateway(0)
		time.Sleep(3 * time.Second)
		o.StartGateway()
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
	})
}

func TestNodesGoOnWithoutAnyGatewayAndTheRunEndsWhenOneIsBack(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		id := o.Run(slowChain(o, 20, 3*time.Second), nil)
		o.KillGateway(0)
		time.Sleep(10 * time.Minute)
		done := 0
		for _, rec := range o.Records(id) {
			done += rec.Counts.Succeeded
		}
		if done != 41 {
			t.Errorf("%d of 41 items are done without a gateway", done)
		}
		o.StartGateway()
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
	})
}

func TestGatewayTakesOverWhenTheLeaderCrashes(t *testing.T) {
	for what, from := range map[string]int{"from its checkpoint": 1, "from the few records that there are": 1000} {
		t.Run(what, func(t *testing.T) {
			orbittest.Test(t, orbittest.Options{Gateways: 2, Nodes: 2, CheckpointFrom: from}, func(o *orbittest.Orbit) {
				o.Script.On("c", orbittest.FailFirst(2))
				id := o.Run(slowChain(o, 20, 3*time.Second), nil)
				time.Sleep(8 * time.Second)
				if saved := o.Saved(id); saved != (from == 1) {
					t.Errorf("there is a checkpoint: %v", saved)
				}
				o.KillGateway(0) // the first to start leads
				wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
			})
		})
	}
}

func TestRunThatIsNoLongerYoungHasACheckpointHoweverFewItsRecords(t *testing.T) {
	orbittest.Test(t, orbittest.Options{CheckpointFrom: 1000}, func(o *orbittest.Orbit) {
		id := o.Run(slowChain(o, 20, 3*time.Second), nil)
		for _, look := range []struct {
			after time.Duration
			want  bool
		}{{8 * time.Second, false}, {8 * time.Second, true}} {
			time.Sleep(look.after)
			if saved := o.Saved(id); saved != look.want {
				t.Errorf("%s later there is a checkpoint: %v", look.after, saved)
			}
		}
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
	})
}

func TestLeaderThatWasCutOffDoesNoHarmWhenItComesBack(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Gateways: 2, Nodes: 2}, func(o *orbittest.Orbit) {
		o.Script.On("c", orbittest.FailFirst(2))
		id := o.Run(slowChain(o, 20, 3*time.Second), nil)
		time.Sleep(8 * time.Second)
		o.Gateway(0).Cut()
		time.Sleep(10 * time.Second)
		o.Gateway(0).Heal()
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
	})
}

func TestRunWhoseGatewayDiesBetweenAcceptanceAndLaunchIsCompletedByAnother(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		name := o.Apply(chain)
		o.SetFaults(func(p *orbittest.Process, _ int, point string) error {
			if point == "launch.created" {
				p.Crash()
				return fault.ErrCrash
			}
			return nil
		})
		if a := o.Start(name, "once", nil); a.Status != 0 {
			t.Fatalf("the gateway died and answered %d", a.Status)
		}
		o.SetFaults(nil)
		o.StartGateway()
		time.Sleep(time.Minute) // nobody asks again
		var list struct{ Data []orbit.Run }
		if err := json.Unmarshal(o.Call("GET", "/v1/runs", "", nil).Body, &list); err != nil || len(list.Data) != 1 {
			t.Fatalf("runs %+v, %v", list, err)
		}
		wantRun(t, list.Data[0], orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		if a := o.Start(name, "once", nil); !strings.Contains(string(a.Body), list.Data[0].ID) {
			t.Errorf("asked again: %d %s", a.Status, a.Body)
		}
	})
}

func TestSameIdempotencyKeyStartsOneRun(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Gateways: 2}, func(o *orbittest.Orbit) {
		name := o.Apply(chain)
		ids := map[string]bool{}
		for i := range 4 {
			a := o.CallOn(o.Gateway(i%2), "POST", "/v1/clusters/"+name+"/runs", "order-17", map[string]any{"payload": map[string]any{"x": 1}})
			var run orbit.Run
			if err := json.Unmarshal(a.Body, &run); err != nil || a.Status != http.StatusAccepted {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			ids[run.ID] = true
			o.Accepted(run.ID)
			time.Sleep(time.Duration(i) * time.Minute)
		}
		if len(ids) != 1 {
			t.Errorf("%d runs of one key", len(ids))
		}
		if a := o.Start(name, "order-17", map[string]any{"x": 2}); a.Status != http.StatusConflict {
			t.Errorf("another payload under the same key: %d %s", a.Status, a.Body)
		}
		for id := range ids {
			o.Wait(id)
			if n := o.Script.Count(id, "a/0"); n != 1 {
				t.Errorf("the root ran %d times", n)
			}
		}
	})
}

func TestCancelEndsTheRunAndWhatItWasDoing(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		id := o.Run(slowChain(o, 60, 20*time.Second), nil)
		time.Sleep(30 * time.Second)
		if a := o.Cancel(id); a.Status != http.StatusOK {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		ran := o.Script.Total()
		run := o.Wait(id)
		wantEnd(o, run, orbit.RunCancelled)
		time.Sleep(5 * time.Minute)
		if n := o.Script.Total(); n != ran {
			t.Errorf("%d more executions after the cancel", n-ran)
		}
		items := 0
		for _, n := range run.Satellites[1].Items {
			items += n
		}
		if b := run.Satellites[1].Items; items != 60 || b.Of(orbit.ItemCancelled) == 0 || b.Of(orbit.ItemRunning)+b.Of(orbit.ItemWaiting) != 0 {
			t.Errorf("items of b: %v", b)
		}
		if a := o.Cancel(id); a.Status != http.StatusOK {
			t.Errorf("cancelling it again: %d %s", a.Status, a.Body)
		}
	})
}

func TestCancelHoldsThoughTheGatewayDiesRightAfterIt(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		id := o.Run(slowChain(o, 60, 20*time.Second), nil)
		time.Sleep(30 * time.Second)
		o.SetFaults(func(p *orbittest.Process, _ int, point string) error {
			if point == "cancel.stored" {
				p.Crash()
				return fault.ErrCrash
			}
			return nil
		})
		o.Cancel(id)
		o.SetFaults(nil)
		o.StartGateway()
		wantEnd(o, o.Wait(id), orbit.RunCancelled)
		time.Sleep(5 * time.Minute)
		ran := 0
		for i := range 60 {
			ran += o.Script.Count(id, fmt.Sprintf("b/0.%d", i))
		}
		if ran >= 60 {
			t.Error("everything ran, though the run was cancelled")
		}
		if n := o.Waiting(); n != 0 {
			t.Errorf("%d messages of work are left", n)
		}
	})
}

func TestEndedRunCannotBeCancelled(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		run := o.Wait(o.Run(o.Apply(chain), nil))
		if a := o.Cancel(run.ID); a.Status != http.StatusConflict {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	})
}

func TestDeadNodeIsShownAsDeadByGossip(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 3, Gossip: true}, func(o *orbittest.Orbit) {
		time.Sleep(10 * time.Second)
		o.KillNode(1)
		time.Sleep(30 * time.Second)
		var list struct{ Data []orbit.NodeDoc }
		if err := json.Unmarshal(o.Call("GET", "/v1/nodes", "", nil).Body, &list); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, n := range list.Data {
			got[n.Name] = n.State
		}
		if len(got) != 3 || got["node-0"] != "alive" || got["node-1"] != "dead" || got["node-2"] != "alive" {
			t.Errorf("nodes %v", got)
		}
	})
}
