package orbittest_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// again begins the next round of a run.
func again(o *orbittest.Orbit, run string, what map[string]string) orbittest.Answer {
	return o.Call("POST", "/v1/runs/"+run+"/retry", "", what)
}

// rounds is a cluster of which everything can fail: below a scope, at a limit, in joins of one and of all.
const rounds = `
version: 0.0.1b
cluster:
  identifier: test/rounds
  sla: 6h
  trigger: api-call
  retries: {max: 1, delay: 2s, jitter: none}
  satellites:
    - {uses: test/single, identifier: list}
    - {uses: test/few, identifier: work}
    - {uses: test/many, identifier: polish, concurrency: 2}
    - {uses: test/single, identifier: each, parents: [polish], unites: {identifier: list}}
    - {uses: test/single, identifier: total, parents: [each], unites: {identifier: run}}
  failure:
    satellites:
      - {uses: test/single, identifier: tell, config: {note: "${{ failure.item }}"}}
  logs:
    satellites:
      - {uses: test/few, identifier: send, concurrency: 1}
      - {uses: test/few, identifier: note, delay: 1s}
`

func TestRetryDoesAgainWhatFailedAndOnlyThat(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		var mended atomic.Bool
		u := &united{}
		until := func(c ctx, x *orbittest.Execution) error {
			if mended.Load() {
				return named(2)(c, x)
			}
			return orbittest.FailForGood(c, x)
		}
		o.Script.On("list", named(3))
		o.Script.On("work", func(c ctx, x *orbittest.Execution) error {
			if x.Lineage == "0.1" {
				return until(c, x)
			}
			return named(2)(c, x)
		})
		o.Script.On("polish", func(c ctx, x *orbittest.Execution) error {
			if x.Lineage == "0.2.1" {
				return until(c, x)
			}
			return named(1)(c, x)
		})
		o.Script.On("each", u.keep)
		o.Script.On("total", u.keep)
		run := o.Wait(o.Run(o.Apply(rounds), nil))
		wantRun(t, run, orbit.RunFailed, "each", map[orbit.ItemState]int{orbit.ItemSucceeded: 1, orbit.ItemFailed: 2})
		wantRun(t, run, orbit.RunFailed, "tell", map[orbit.ItemState]int{orbit.ItemSucceeded: 5})
		mended.Store(true)
		if a := again(o, run.ID, nil); a.Status != 200 || !strings.Contains(string(a.Body), `"round":2`) {
			t.Fatalf("retry answers %d: %s", a.Status, a.Body)
		}
		run = o.Wait(run.ID)
		wantRun(t, run, orbit.RunSucceeded, "each", map[orbit.ItemState]int{orbit.ItemSucceeded: 3})
		wantRun(t, run, orbit.RunSucceeded, "total", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		if run.Round != 2 || run.Error != "" {
			t.Errorf("the run is in round %d and says %q", run.Round, run.Error)
		}
		u.want(t, "each/0.1", map[string][]string{"polish": {"0.1.0.0", "0.1.1.0"}})
		u.want(t, "each/0.2", map[string][]string{"polish": {"0.2.0.0", "0.2.1.0", "0.2.1.1"}})
		u.want(t, "total/0", map[string][]string{"each": {"0.0.0", "0.1.0", "0.2.0"}})
		for item, want := range map[string]int{"list/0": 1, "work/0.0": 1, "work/0.1": 2, "polish/0.2.0": 1, "polish/0.2.1": 2, "each/0.0": 1, "each/0.1": 1, "total/0": 1} {
			if n := o.Script.Count(run.ID, item); n != want {
				t.Errorf("%s ran %d times, want %d", item, n, want)
			}
		}
		if a := again(o, run.ID, nil); a.Status != 409 {
			t.Errorf("retrying a run that has succeeded answers %d", a.Status)
		}
		states := map[orbit.ItemState]int{}
		for _, it := range o.Items(run.ID, "") {
			states[it.State]++
		}
		if states[orbit.ItemFailed] != 0 {
			t.Errorf("the items are shown as %v; nothing is failed any more", states)
		}
	})
}

func TestRetryOfOneItemAndThenOfAnother(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		var mended atomic.Bool
		o.Script.On("list", named(4))
		o.Script.On("work", func(c ctx, x *orbittest.Execution) error {
			if last, _ := x.Lineage.Last(); last > 0 && !mended.Load() {
				return orbittest.FailForGood(c, x)
			}
			return named(1)(c, x)
		})
		run := o.Wait(o.Run(o.Apply(rounds), nil))
		mended.Store(true)
		for name, c := range map[string]struct {
			what map[string]string
			want int
		}{
			"nothing of it failed":    {map[string]string{"satellite": "polish"}, 409},
			"it did not fail":         {map[string]string{"item": "work/0.0"}, 409},
			"no item":                 {map[string]string{"item": "work"}, 400},
			"no such satellite":       {map[string]string{"satellite": "wrok"}, 404},
			"an item of no satellite": {map[string]string{"item": "wrok/0.1"}, 404},
			"a join that never ran":   {map[string]string{"item": "each/0.1"}, 409},
			"no such key":             {map[string]string{"itme": "work/0.1"}, 400},
		} {
			if a := again(o, run.ID, c.what); a.Status != c.want {
				t.Errorf("%s: %d, want %d: %s", name, a.Status, c.want, a.Body)
			}
		}
		for round, item := range []string{"work/0.2", "work/0.1", "work/0.3"} {
			if a := again(o, run.ID, map[string]string{"item": item}); a.Status != 200 {
				t.Fatalf("retry of %s answers %d: %s", item, a.Status, a.Body)
			}
			run = o.Wait(run.ID)
			state := orbit.RunFailed
			if round == 2 {
				state = orbit.RunSucceeded
			}
			wantRun(t, run, state, "work", map[orbit.ItemState]int{orbit.ItemSucceeded: 2 + round, orbit.ItemFailed: 2 - round})
			wantRun(t, run, state, "each", map[orbit.ItemState]int{orbit.ItemSucceeded: 2 + round, orbit.ItemFailed: 2 - round})
		}
	})
}

func TestJoinThatToleratedAFailureIsNotDoneAgain(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		var mended atomic.Bool
		o.Script.On("list", named(2))
		o.Script.On("left", named(1))
		o.Script.On("leaf", func(c ctx, x *orbittest.Execution) error {
			if !mended.Load() {
				return orbittest.FailForGood(c, x)
			}
			return named(1)(c, x)
		})
		run := o.Wait(o.Run(o.Apply(strings.Replace(diamond, "STRATEGY", "all-done", 1)), nil))
		mended.Store(true)
		again(o, run.ID, nil)
		run = o.Wait(run.ID)
		wantRun(t, run, orbit.RunSucceeded, "leaf", map[orbit.ItemState]int{orbit.ItemSucceeded: 2})
		if n := o.Script.Count(run.ID, "each/0.0"); n != 1 {
			t.Errorf("the join ran %d times; it had succeeded", n)
		}
	})
}

func TestRetrySettlesWhereverOneProcessCrashes(t *testing.T) {
	for _, point := range []string{"retry.marked", "retry.moved", "settle.folded", "settle.scheduled", "settle.joined", "settle.released", "commit.recorded", "commit.child", "settle.ended", "checkpoint.runs", "checkpoint.saved"} {
		t.Run(point, func(t *testing.T) {
			orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
				o.Script.On("list", named(3))
				o.Script.On("work", named(2))
				o.Script.On("polish", func(c ctx, x *orbittest.Execution) error {
					if last, _ := x.Lineage.Last(); last == 1 && x.Count < 3 {
						return orbittest.FailForGood(c, x)
					}
					return named(1)(c, x)
				})
				name := o.Apply(rounds)
				stop := o.Replace(time.Second)
				defer stop()
				run := o.Wait(o.Run(name, nil))
				for i := range 2 {
					passed := 0
					o.SetFaults(func(p *orbittest.Process, _ int, at string) error {
						if at == point {
							if passed++; passed == i+1 {
								o.Logf("%s crashes at %s", p.Name, at)
								p.Crash()
								return fault.ErrCrash
							}
						}
						return nil
					})
					for run.State != orbit.RunSucceeded {
						if a := again(o, run.ID, nil); a.Status != 200 && a.Status != 409 {
							time.Sleep(2 * time.Second)
						}
						time.Sleep(40 * time.Second)
						run = o.Wait(run.ID)
					}
				}
				o.SetFaults(nil)
				wantRun(t, run, orbit.RunSucceeded, "each", map[orbit.ItemState]int{orbit.ItemSucceeded: 3})
				wantRun(t, run, orbit.RunSucceeded, "total", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
			})
		})
	}
}
