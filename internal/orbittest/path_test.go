package orbittest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// chain is a, b, c in a row, tried four times at most.
const chain = `
version: 0.0.1b
cluster:
  identifier: test/chain
  sla: 6h
  trigger: api-call
  retries: 3
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/few, identifier: b}
    - {uses: test/few, identifier: c}
`

// wantRun fails the test where a run did not end as it should.
func wantRun(t *testing.T, run orbit.Run, state orbit.RunState, step string, items map[orbit.ItemState]int) {
	t.Helper()
	if run.State != state {
		t.Errorf("run ended as %s (%s), want %s", run.State, run.Error, state)
	}
	for _, s := range run.Satellites {
		if s.Identifier != step {
			continue
		}
		for _, is := range orbit.ItemStates {
			if s.Items.Of(is) != items[is] {
				t.Errorf("%d items of %s are %s, want %d", s.Items.Of(is), step, is, items[is])
			}
		}
	}
}

func TestRunGoesFromRootThroughFanOutToSucceeded(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(10))
		run := o.Wait(o.Run(o.Apply(chain), nil))
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 10})
		if out := o.Outputs(run.ID); len(out) != 10 {
			t.Errorf("%d outputs, want 10: %v", len(out), out)
		}
		if items := o.Items(run.ID, ""); len(items) != 21 {
			t.Errorf("%d items, want 21", len(items))
		}
		if n := o.Script.Total(); n != 21 {
			t.Errorf("%d executions of 21 items: nothing went wrong, so each should run once", n)
		}
	})
}

func TestEmptyFanOutSucceedsAndStartsNothingBelow(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(0))
		run := o.Wait(o.Run(o.Apply(chain), nil))
		wantRun(t, run, orbit.RunSucceeded, "b", nil)
		if out := o.Outputs(run.ID); len(out) != 0 {
			t.Errorf("outputs %v, want none", out)
		}
	})
}

func TestPayloadReachesTheRootAndComesOutOfTheLeaf(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		run := o.Wait(o.Run(o.Apply(chain), map[string]any{"greeting": "hello"}))
		if out := o.Outputs(run.ID); len(out) != 1 || out[0] != `{"greeting":"hello"}` {
			t.Errorf("outputs %v", out)
		}
	})
}

func TestManyRunsShareTheNodesAndAllEnd(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 3}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(3))
		o.Script.On("b", orbittest.Sleep(time.Second, orbittest.Pass))
		name := o.Apply(chain)
		var ids []string
		for i := range 20 {
			ids = append(ids, o.Run(name, map[string]any{"i": i}))
		}
		for _, id := range ids {
			wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 3})
		}
	})
}

func TestBusyNodeKeepsAllItsSlotsThoughWorkWaitsLong(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Slots: 4}, func(o *orbittest.Orbit) {
		begun := time.Now()
		run := o.Wait(o.Run(slowChain(o, 160, 10*time.Second), nil)) // 40 bundles of 40 s, of which 36 wait
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 160})
		if took := time.Since(begun); took > 450*time.Second {
			t.Errorf("it took %s; 40 bundles of 40 s in 4 slots are 400 s", took)
		}
		if dead := o.Dead(); len(dead) > 8 { // what was fetched before anything was measured may be handed back a few times
			t.Errorf("%d start marks of bundles that nothing is wrong with", len(dead))
		}
	})
}

// big is a root that returns more than a record can hold.
const big = `
version: 0.0.1b
cluster:
  identifier: test/big
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/many, identifier: b}
`

func TestRootOfAHundredThousandObjectsSettles(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		const n = 100_000
		o.Script.On("a", orbittest.FanOut(n))
		run := o.Wait(o.Run(o.Apply(big), nil))
		wantRun(t, run, orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: n})
		root := o.Records(run.ID)[0]
		if root.Step != "a" || len(root.Outputs.Chunks) == 0 {
			t.Errorf("the record of %s has %d blobs of outputs; so many do not belong into a record", root.Step, len(root.Outputs.Chunks))
		}
		if size := len(root.Encode()); size > 100<<10 {
			t.Errorf("the root's record has %d bytes", size)
		}
		seen := map[string]bool{}
		for _, line := range o.Outputs(run.ID) {
			seen[line] = true
		}
		if len(seen) != n {
			t.Errorf("%d different outputs, want %d", len(seen), n)
		}
	})
}

func TestLongObjectTravelsAsAReferenceAndArrivesWhole(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		long := make([]byte, 200<<10)
		for i := range long {
			long[i] = 'a' + byte(i%26)
		}
		o.Script.On("a", emit(map[string]any{"text": string(long)}))
		run := o.Wait(o.Run(o.Apply(chain), nil))
		if out := o.Outputs(run.ID); len(out) != 1 || out[0] != fmt.Sprintf(`{"text":"%s"}`, long) {
			t.Errorf("%d outputs, the first of %d bytes", len(out), len(out[0]))
		}
	})
}
