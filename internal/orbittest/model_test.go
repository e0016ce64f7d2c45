package orbittest_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// listOfModels is a cluster whose second step is a model's, below a root that lists; the third is the node's own work.
const listOfModels = `
version: 0.0.1b
cluster:
  identifier: test/models
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: test/many, identifier: list}
    - {uses: test/model, identifier: ask}
    - {uses: test/single, identifier: last}
`

// A model that wants a GPU of 80 GiB is served by a node without any that is bound to an endpoint. As many of its items are in
// hand as the endpoint takes, whatever the node's own slots, and they are one a bundle however fast they are.
func TestItemsOfAModelTakeThePlacesOfTheEndpointAndNoSlots(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Slots: 2, Models: 24}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.FanOut(240))
		o.Script.On("ask", orbittest.Sleep(10*time.Second, orbittest.Pass))
		begun := time.Now()
		id := o.Run(o.Apply(listOfModels), nil)
		run := o.Wait(id)
		if run.State != orbit.RunSucceeded {
			t.Fatalf("the run is %s: %s", run.State, run.Error)
		}
		if run.Satellites[1].Class != "gpu-80g" {
			t.Errorf("the model's work is of class %s", run.Satellites[1].Class)
		}
		// 240 items of 10 s, 24 at once, are 100 s: all places were taken nearly all of the time.
		if took := time.Since(begun); took < 100*time.Second || took > 130*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// A full endpoint does not keep a node from its own work.
func TestAFullEndpointLeavesTheNodesOwnSlotsFree(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Slots: 2, Models: 2}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.FanOut(10))
		release := make(chan struct{})
		o.Script.On("ask", func(ctx context.Context, x *orbittest.Execution) error {
			select {
			case <-release:
				return x.Emit(map[string]any{"answered": true})
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		stuck := o.Run(o.Apply(listOfModels), nil)
		time.Sleep(20 * time.Second)
		quick := o.Run(o.Apply(listThen("uses: test/single, identifier: work")), nil)
		if run := o.Wait(quick); run.State != orbit.RunSucceeded || run.FinishedAt.Sub(run.CreatedAt) > 5*time.Second {
			t.Errorf("the other run is %s after %s", run.State, run.FinishedAt.Sub(run.CreatedAt))
		}
		close(release)
		o.Wait(stuck)
	})
}

// Work of a model whose server is not up is seen and left where it is. When the server goes, what waits here is handed back, what
// runs is finished, and nothing runs after that.
func TestWorkOfAModelIsTakenWhileItsServerIsUp(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Slots: 2, Models: 4, Launched: true}, func(o *orbittest.Orbit) {
		var running atomic.Int64
		o.Script.On("list", orbittest.FanOut(40))
		o.Script.On("ask", func(ctx context.Context, x *orbittest.Execution) error {
			running.Add(1)
			defer running.Add(-1)
			return orbittest.Sleep(10*time.Second, orbittest.Pass)(ctx, x)
		})
		pool := orbit.ModelPool("test/model")
		id := o.Run(o.Apply(listOfModels), nil)
		time.Sleep(time.Minute)
		n := o.Node(0).Switch(false)
		loads := n.Loads(context.Background(), []string{pool})
		if l := loads[pool]; l.Waiting != 40 || l.InHand != 0 || time.Until(l.Deadline) < 5*time.Hour || time.Until(l.Deadline) > 6*time.Hour || !n.Quiet(pool) {
			t.Errorf("before the server is up: %+v, quiet %v", l, n.Quiet(pool))
		}
		o.Node(0).Switch(true)
		time.Sleep(25 * time.Second)
		if l := n.Loads(context.Background(), []string{pool})[pool]; running.Load() != 4 || l.InHand < 4 || l.Waiting == 0 || l.Rate < 0.3 || l.Rate > 1 || n.Quiet(pool) {
			t.Errorf("%d run while it is up: %+v, quiet %v", running.Load(), l, n.Quiet(pool))
		}
		o.Node(0).Switch(false)
		time.Sleep(100 * time.Millisecond)
		if n.Quiet(pool) || running.Load() != 4 {
			t.Errorf("%d run, quiet %v", running.Load(), n.Quiet(pool))
		}
		time.Sleep(15 * time.Second)
		if l := n.Loads(context.Background(), []string{pool})[pool]; !n.Quiet(pool) || running.Load() != 0 || l.Waiting == 0 || l.InHand != 0 {
			t.Errorf("%d run after it went: %+v, quiet %v", running.Load(), l, n.Quiet(pool))
		}
		if run, ok := o.Look(id); !ok || run.State.Terminal() {
			t.Errorf("the run is %s", run.State)
		}
		o.Node(0).Switch(true)
		time.Sleep(5 * time.Second)
		o.Node(0).Switch(false)
		n.HandBack(pool) // the server cannot wait
		time.Sleep(3 * time.Second)
		if !n.Quiet(pool) || running.Load() != 0 {
			t.Errorf("%d run after they were handed back, quiet %v", running.Load(), n.Quiet(pool))
		}
		o.Node(0).Switch(true)
		if run := o.Wait(id); run.State != orbit.RunSucceeded {
			t.Errorf("the run is %s: %s", run.State, run.Error)
		}
	})
}

// The last bundles of a queue that were handed back are seen, too, though the server counts them with what is held.
func TestWhatAStoppedServerHandedBackIsSeen(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Slots: 2, Models: 4, Launched: true}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.FanOut(3))
		o.Script.On("ask", orbittest.Sleep(time.Minute, orbittest.Pass))
		pool := orbit.ModelPool("test/model")
		n := o.Node(0).Switch(true)
		id := o.Run(o.Apply(listOfModels), nil)
		time.Sleep(13 * time.Second) // not when leases are extended
		o.Node(0).Switch(false)
		n.HandBack(pool)
		time.Sleep(15 * time.Second)
		if l := n.Loads(context.Background(), []string{pool})[pool]; l.Waiting == 0 || !n.Quiet(pool) {
			t.Errorf("%+v, quiet %v", l, n.Quiet(pool))
		}
		o.Node(0).Switch(true)
		if run := o.Wait(id); run.State != orbit.RunSucceeded {
			t.Errorf("the run is %s: %s", run.State, run.Error)
		}
	})
}
