package orbittest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// From 70 % on no run is accepted, and those under way go on; from 85 % on only steps without children run, so that there is room
// for their results; and all of it ends when there is room again.
func TestANearlyFullStoreLetsOnlyRunWhatMakesNoMoreWork(t *testing.T) {
	store := &orbittest.Gauge{}
	orbittest.Test(t, orbittest.Options{Slots: 2, Gauge: store}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.FanOut(4))
		o.Script.On("half", orbittest.Sleep(55*time.Second, orbittest.Pass))
		name := o.Apply(`
version: 0.0.1b
cluster:
  identifier: test/fill
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: test/many, identifier: list}
    - {uses: test/single, identifier: half}
    - {uses: test/few, identifier: leaf}
`)
		leaves := o.Apply(`
version: 0.0.1b
cluster:
  identifier: test/leaf
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: test/single, identifier: only, delay: 3m}
`)
		id, leaf := o.Run(name, nil), o.Run(leaves, nil)
		time.Sleep(30 * time.Second)

		store.Fill(72)
		time.Sleep(10 * time.Second)
		if a := o.Start(name, "", nil); a.Status != 503 || !strings.Contains(string(a.Body), "the store is 72 % full") {
			t.Errorf("at 72 %%: %d %s", a.Status, a.Body)
		}

		store.Fill(86)
		time.Sleep(5 * time.Minute) // two of "half" have ended, and with them their leaves; so has the other run
		if n := o.Script.Count(id, "half/0.0") + o.Script.Count(id, "half/0.1") + o.Script.Count(id, "half/0.2") + o.Script.Count(id, "half/0.3"); n != 2 {
			t.Errorf("%d items of a step with children were begun", n)
		}
		if n := o.Script.Count(id, "leaf/0.0.0") + o.Script.Count(id, "leaf/0.1.0") + o.Script.Count(id, "leaf/0.2.0") + o.Script.Count(id, "leaf/0.3.0"); n != 2 {
			t.Errorf("%d items of a step without children were begun", n)
		}
		if run, _ := o.Look(leaf); run.State != orbit.RunSucceeded {
			t.Errorf("the run of a step without children is %s", run.State)
		}
		w := why(o, id, "")
		tells(t, w, "half 2 store")
		says(t, w, "the store is 86 % full", "archive-after")

		store.Fill(82) // not yet
		time.Sleep(3 * time.Minute)
		if run, _ := o.Look(id); run.State != orbit.RunRunning {
			t.Errorf("at 82 %% the run is %s", run.State)
		}
		store.Fill(60)
		wantEnd(o, o.Wait(id), orbit.RunSucceeded)
		wantEnd(o, o.Wait(o.Run(name, nil)), orbit.RunSucceeded)
	})
}
