package orbittest_test

import (
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// Runs lie in partitions by their id, and each has a leader of its own: all that a run can be is in these.
func TestRunsOfAllPartitionsEnd(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Gateways: 2, Nodes: 2, Partitions: 8, Gossip: true}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(6))
		o.Script.On("b", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.FailFirst(1), "0.4": orbittest.FailForGood}))
		name := o.Apply(`
version: 0.0.1b
cluster:
  identifier: test/parts
  sla: 6h
  trigger: api-call
  retries: {max: 2, delay: 10s}
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/few, identifier: b}
    - {uses: test/single, identifier: c, delay: 5s, concurrency: 2}
    - {uses: test/single, identifier: all, unites: {identifier: run, strategy: all-done}, parents: [c]}
  failure:
    satellites:
      - {uses: test/single, identifier: tell}
  logs:
    satellites:
      - {uses: test/single, identifier: forward}
`)
		var ids []string
		for range 24 {
			ids = append(ids, o.Run(name, nil))
		}
		time.Sleep(4 * time.Second)
		o.KillGateway(0)
		o.KillNode(0)
		o.StartNode()
		for _, id := range ids {
			run := o.Wait(id)
			wantRun(t, run, orbit.RunPartial, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 5, orbit.ItemFailed: 1})
			wantRun(t, run, orbit.RunPartial, "all", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
			wantRun(t, run, orbit.RunPartial, "tell", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		}
	})
}

// A node asks for as much as it has slots for, however many partitions it asks: what it took beyond that would only wait for it.
func TestANodeTakesNoMoreOfManyPartitionsThanItHasSlotsFor(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 1, Slots: 4, Partitions: 8}, func(o *orbittest.Orbit) {
		starts := &orbittest.Starts{}
		o.Script.On("list", orbittest.FanOut(4))
		o.Script.On("work", starts.Of(orbittest.Sleep(10*time.Second, orbittest.Pass)))
		name := o.Apply(listThen("uses: test/single, identifier: work"))
		o.Wait(o.Run(name, nil)) // how long its bundles take is known
		var ids []string
		for range 16 {
			ids = append(ids, o.Run(name, nil))
		}
		naks := o.Naks()
		time.Sleep(100 * time.Second)
		if n := naks(); n > 8 {
			t.Errorf("%d bundles were handed back", n)
		}
		for _, id := range ids {
			wantEnd(o, o.Wait(id), orbit.RunSucceeded)
		}
	})
}
