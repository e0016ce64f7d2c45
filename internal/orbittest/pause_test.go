package orbittest_test

import (
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// verb asks the API to do something with a run.
func verb(o *orbittest.Orbit, run, verb string) orbittest.Answer {
	return o.Call("POST", "/v1/runs/"+run+"/"+verb, "", nil)
}

// pausable fans out, fails once, waits, unites: everything that can be about to start when a run is paused.
const pausable = `
version: 0.0.1b
cluster:
  identifier: test/pausable
  sla: 6h
  trigger: api-call
  retries: {max: 2, delay: 30s, jitter: none}
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/single, identifier: b, concurrency: 6}
    - {uses: test/few, identifier: c, delay: 40s}
    - {uses: test/single, identifier: all, unites: {identifier: run}}
  logs:
    satellites:
      - {uses: test/few, identifier: send}
`

func pauseScript(o *orbittest.Orbit) {
	o.Script.On("a", orbittest.FanOut(20))
	o.Script.On("b", orbittest.Sleep(4*time.Second, orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.2": orbittest.FailFirst(1)})))
}

func TestPausedRunStartsNothingAndResumesWhereItStood(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		pauseScript(o)
		other := o.Apply(chain)
		id := o.Run(o.Apply(pausable), nil)
		time.Sleep(10 * time.Second)
		if a := verb(o, id, "pause"); a.Status != 200 {
			t.Fatalf("pause answers %d: %s", a.Status, a.Body)
		}
		time.Sleep(10 * time.Second) // what was running has ended
		ran := o.Script.Total()
		time.Sleep(20 * time.Minute)
		if n := o.Script.Total(); n != ran {
			t.Errorf("%d items started while the run was paused", n-ran)
		}
		if run, ok := o.Look(id); !ok || run.State != orbit.RunPaused {
			t.Errorf("the run is %s, want paused", run.State)
		}
		wantRun(t, o.Wait(o.Run(other, nil)), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 20}) // it is in nobody's way
		if a := verb(o, id, "pause"); a.Status != 200 {
			t.Errorf("pausing again answers %d", a.Status)
		}
		if a := verb(o, id, "resume"); a.Status != 200 {
			t.Fatalf("resume answers %d: %s", a.Status, a.Body)
		}
		run := o.Wait(id)
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
		wantRun(t, run, orbit.RunSucceeded, "all", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		for _, v := range []string{"pause", "resume"} {
			if a := verb(o, id, v); a.Status != 409 {
				t.Errorf("%s of a run that has ended answers %d", v, a.Status)
			}
		}
	})
}

func TestPausedRunWhoseLastItemEndsIsOver(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("c", orbittest.Sleep(20*time.Second, orbittest.Pass))
		id := o.Run(o.Apply(chain), nil)
		time.Sleep(5 * time.Second)
		verb(o, id, "pause")
		wantEnd(o, o.Wait(id), orbit.RunSucceeded)
	})
}

func TestPausedRunCanBeCancelled(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		pauseScript(o)
		id := o.Run(o.Apply(pausable), nil)
		time.Sleep(10 * time.Second)
		verb(o, id, "pause")
		time.Sleep(time.Minute)
		if a := verb(o, id, "cancel"); a.Status != 200 {
			t.Fatalf("cancel answers %d: %s", a.Status, a.Body)
		}
		wantEnd(o, o.Wait(id), orbit.RunCancelled)
	})
}

func TestPauseOutlivesEveryProcess(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		pauseScript(o)
		id := o.Run(o.Apply(pausable), nil)
		time.Sleep(6 * time.Second)
		verb(o, id, "pause")
		o.KillNode(0)
		o.KillGateway(0)
		o.RestartServer(5 * time.Second)
		o.StartGateway()
		o.StartNode()
		time.Sleep(5 * time.Minute)
		ran := o.Script.Total()
		time.Sleep(5 * time.Minute)
		if n := o.Script.Total(); n != ran {
			t.Errorf("%d items started while the run was paused", n-ran)
		}
		verb(o, id, "resume")
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "all", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
	})
}

func TestPauseAndResumeSettleWhereverOneProcessCrashes(t *testing.T) {
	for _, point := range []string{"pause.stored", "parked.stored", "resume.stored", "resume.published"} {
		t.Run(point, func(t *testing.T) {
			orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
				pauseScript(o)
				stop := o.Replace(time.Second)
				defer stop()
				done := false
				o.SetFaults(func(p *orbittest.Process, _ int, at string) error {
					if at != point || done {
						return nil
					}
					done = true
					p.Crash()
					return fault.ErrCrash
				})
				id := o.Run(o.Apply(pausable), nil)
				time.Sleep(6 * time.Second)
				for _, v := range []string{"pause", "resume"} {
					for a := verb(o, id, v); a.Status != 200; a = verb(o, id, v) {
						time.Sleep(2 * time.Second)
					}
					time.Sleep(2 * time.Minute)
				}
				wantRun(t, o.Wait(id), orbit.RunSucceeded, "all", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
				o.SetFaults(nil)
				if !done {
					t.Errorf("nothing passed %s", point)
				}
			})
		})
	}
}
