package orbittest_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/gateway"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// mixed is a cluster in which one item fails for good and one at its first attempt, with a join of each object and one of the
// run, a condition, a limit, failure steps with a delay, and a log step: every path of this version.
const mixed = `
version: 0.0.1b
cluster:
  identifier: test/mixed
  sla: 6h
  trigger: api-call
  retries: {max: 3, delay: 1s, jitter: none}
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/few, identifier: b}
    - {uses: test/few, identifier: c, if: "${{ satellites.a.output.n != 2 }}", concurrency: 1}
    - {uses: test/few, identifier: each, parents: [b, c], unites: {identifier: a, strategy: all-done}}
    - {uses: test/few, identifier: all, parents: [c, each], unites: {identifier: run}}
  failure:
    satellites:
      - {uses: test/few, identifier: tell, delay: 3s, config: {note: "${{ failure.item }}"}}
  logs:
    satellites:
      - {uses: test/few, identifier: send}
`

func TestRunSettlesWhereverOneProcessCrashes(t *testing.T) {
	everyPoint(t, orbittest.Options{}, func(p *orbittest.Process) error {
		p.Crash()
		return fault.ErrCrash
	})
}

func TestRunSettlesWhereverOneOfSeveralProcessesIsCutOffForAMinute(t *testing.T) {
	everyPoint(t, orbittest.Options{Gateways: 2, Nodes: 2, Slots: 1, CheckpointFrom: gateway.DefaultCheckpointFrom}, func(p *orbittest.Process) error {
		p.Cut()
		time.AfterFunc(time.Minute, p.Heal)
		return nil
	})
}

func TestRunSettlesWhereverOneStepFails(t *testing.T) {
	broken := errors.New("injected failure")
	everyPoint(t, orbittest.Options{}, func(*orbittest.Process) error { return broken })
}

// points are the places where something can happen to the main path.
var points = []string{"launch.stored", "launch.created", "launch.published", "launch.running", "commit.begin", "commit.recorded", "commit.child",
	"commit.published", "delivery.ack", "logs.stored", "settle.folded", "settle.scheduled", "settle.joined", "settle.released", "settle.ended", "logs.cut", "logs.published", "due.published", "checkpoint.runs", "checkpoint.saved"}

// everyPoint runs the mixed chain again and again. Something happens where a point is passed for the first time, then for
// the second, and so on until a run gets by without it; then comes the next point. Every run must come to the same end.
func everyPoint(t *testing.T, opts orbittest.Options, happen func(p *orbittest.Process) error) {
	t.Helper()
	orbittest.Test(t, opts, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(4))
		o.Script.On("b", orbittest.Spend(3, orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.FailForGood, "0.3": orbittest.FailFirst(1)})))
		name := o.Apply(mixed)
		stop := o.Replace(time.Second)
		defer stop()
		for _, point := range points {
			for i := 0; ; i++ {
				var mu sync.Mutex
				passed := 0
				o.SetFaults(func(p *orbittest.Process, _ int, at string) error {
					mu.Lock()
					defer mu.Unlock()
					if at != point {
						return nil
					}
					if passed++; passed != i+1 {
						return nil
					}
					o.Logf("%s of %s, for the %d. time", point, p.Name, passed)
					return happen(p)
				})
				run := o.Wait(o.Run(name, nil))
				time.Sleep(32 * time.Second) // checkpoints are saved, the lease of the dead has run out
				wantRun(t, run, orbit.RunFailed, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 3, orbit.ItemFailed: 1})
				wantRun(t, run, orbit.RunFailed, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 2, orbit.ItemSkipped: 1})
				wantRun(t, run, orbit.RunFailed, "each", map[orbit.ItemState]int{orbit.ItemSucceeded: 4})
				wantRun(t, run, orbit.RunFailed, "all", map[orbit.ItemState]int{orbit.ItemFailed: 1})
				wantRun(t, run, orbit.RunFailed, "tell", map[orbit.ItemState]int{orbit.ItemSucceeded: 2})
				if t.Failed() {
					t.Fatalf("at %s, passed for the %d. time", point, i+1)
				}
				mu.Lock()
				over := passed <= i
				mu.Unlock()
				if over && i == 0 {
					t.Errorf("nothing passes %s", point)
				}
				if over {
					break
				}
			}
		}
		o.SetFaults(nil)
	})
}
