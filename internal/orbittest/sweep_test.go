package orbittest_test

import (
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

func TestWhatAnOperatorPurgedIsPutBack(t *testing.T) {
	for name, at := range map[string]time.Duration{"roots and children": 0, "children": 3 * time.Second, "retries and limits": 9 * time.Second, "joins": 100 * time.Second} {
		t.Run(name, func(t *testing.T) {
			orbittest.Test(t, orbittest.Options{Slots: 1}, func(o *orbittest.Orbit) {
				pauseScript(o)
				o.Script.On("all", orbittest.Sleep(10*time.Second, orbittest.Pass))
				cluster := o.Apply(pausable)
				o.StopNode(0) // so that everything waits
				id := o.Run(cluster, nil)
				if at > 0 {
					n := o.StartNode()
					time.Sleep(at)
					o.KillNode(n)
				}
				time.Sleep(time.Second)
				if o.Lose(id) == 0 {
					t.Error("nothing waited; the scenario wants something lost")
				}
				o.StartNode()
				begun := time.Now()
				run := o.Wait(id)
				wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
				wantRun(t, run, orbit.RunSucceeded, "all", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
				if took := time.Since(begun); took > 10*time.Minute {
					t.Errorf("it took %s to notice", took)
				}
			})
		})
	}
}

func TestSlowRunIsNotSwept(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(1))
		o.Script.On("b", orbittest.Sleep(50*time.Second, orbittest.Pass))
		id := o.Run(o.Apply(limitedTo("delay: 30m, concurrency: 2")), nil)
		o.Wait(id)
		for _, item := range []string{"a/0", "b/0.0", "c/0.0.0"} {
			if n := o.Script.Count(id, item); n != 1 {
				t.Errorf("%s ran %d times", item, n)
			}
		}
	})
}
