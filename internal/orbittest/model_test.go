package orbittest_test

import (
	"context"
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
