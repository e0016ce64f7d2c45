package orbittest_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// why asks what a run, or an item of it, waits for.
func why(o *orbittest.Orbit, run, item string) (w orbit.Why) {
	o.T.Helper()
	a := o.Call("GET", "/v1/runs/"+run+"/why?item="+url.QueryEscape(item), "", nil)
	if err := json.Unmarshal(a.Body, &w); a.Status != 200 || err != nil || len(w.Reasons) == 0 {
		o.T.Fatalf("why %s %s: %d %s", run, item, a.Status, a.Body)
	}
	return w
}

// tells demands of the answer reasons that are written "satellite items code", in this order.
func tells(t *testing.T, w orbit.Why, want ...string) {
	t.Helper()
	var got []string
	for _, r := range w.Reasons {
		got = append(got, fmt.Sprintf("%s %d %s", r.Satellite, r.Items, r.Code))
		if r.Reason == "" || r.Hint == "" {
			t.Errorf("a reason or hint is empty: %+v", r)
		}
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("told:\n%s\nwant:\n%s", g, w)
	}
}

// says demands that the first reason and its hint hold what is given.
func says(t *testing.T, w orbit.Why, parts ...string) {
	t.Helper()
	text := w.Reasons[0].Reason + " | " + w.Reasons[0].Hint
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("told: %s\nwithout: %s", text, p)
		}
	}
}

// afterList is a cluster whose second step is STEP, below a root that lists.
const afterList = `
version: 0.0.1b
cluster:
  identifier: test/why
  sla: 6h
  trigger: api-call
  retries: {max: 3, delay: 30s, jitter: none}
  satellites:
    - {uses: test/single, identifier: list}
    - {STEP}
    - {uses: test/single, identifier: last}
`

func listThen(step string) string { return strings.Replace(afterList, "STEP", step, 1) }

func TestWhyNoNodeIsOfTheClass(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.FanOut(5))
		id := o.Run(o.Apply(listThen("uses: test/single, identifier: big, resources: {gpu-memory: 80GiB}")), nil)
		time.Sleep(5 * time.Second)
		tells(t, why(o, id, ""), "big 5 no-node", "last 0 dependency")
		says(t, why(o, id, ""), "no node is of class gpu-80g; the nearest, node", "of class cpu, has no GPU where one of 80GiB is needed", "start `orbit-node` on a machine with a GPU of 80GiB")
		tells(t, why(o, id, "big/0.3"), "big 1 no-node")
		o.Cancel(id)
	})
}

func TestWhyWithoutAnyNode(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: -1}, func(o *orbittest.Orbit) {
		id := o.Run(o.Apply(listThen("uses: test/single, identifier: work")), nil)
		tells(t, why(o, id, ""), "list 1 no-node", "work 0 dependency", "last 0 dependency")
		says(t, why(o, id, ""), "no node is alive at all")
		o.KillGateway(0)
		o.StartGateway()
		tells(t, why(o, id, ""), "list 1 no-node", "work 0 dependency", "last 0 dependency") // it need not lead for that
		o.StartNode()
		o.Wait(id)
	})
}

func TestWhyNoNodeHostsThePool(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		id := o.Run(o.Apply(listThen("uses: test/pooled, identifier: work")), nil)
		time.Sleep(5 * time.Second)
		tells(t, why(o, id, ""), "work 1 no-pool", "last 0 dependency")
		says(t, why(o, id, ""), "no node of class cpu hosts the pool project-x, which test/pooled needs", "(core)", "start a node that hosts the pool project-x")
		o.Cancel(id)
	})
}

func TestWhyNoNodeHasTheModel(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		id := o.Run(o.Apply(listThen("uses: test/model, identifier: work")), nil)
		time.Sleep(5 * time.Second)
		tells(t, why(o, id, ""), "work 1 no-node", "last 0 dependency")
		says(t, why(o, id, ""), "no node hosts the pool model-test~model, which test/model needs", "under `models:`, as test/model: {url: ", "needs no GPU for that")
		o.Cancel(id)
	})
}

func TestWhyTheModelOfANodeIsNotReady(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Models: 2, Launched: true}, func(o *orbittest.Orbit) {
		id := o.Run(o.Apply(listThen("uses: test/model, identifier: work")), nil)
		since := time.Now().UTC()
		tell := func(first, second orbit.ModelState, reason string) {
			for i, s := range []orbit.ModelState{first, second} {
				o.Node(i).Describe(orbit.ModelDoc{Name: "test/model", State: s, Since: &since, Error: reason})
			}
			time.Sleep(5 * time.Second)
		}
		name := func(i int) string { return o.Node(i).Name }
		tell(orbit.ModelStopped, orbit.ModelFailed, "")
		tells(t, why(o, id, ""), "work 1 model", "last 0 dependency")
		says(t, why(o, id, ""), "the model test/model is about to be started on node "+name(0))
		tell(orbit.ModelStopped, orbit.ModelFailed, "the GPU is needed for other models")
		says(t, why(o, id, ""), "the model test/model is not started on node "+name(0)+": the GPU is needed for other models", "makes its turn sooner")
		tell(orbit.ModelFailed, orbit.ModelStarting, "")
		says(t, why(o, id, ""), "the model test/model is being started on node "+name(1)+" since 2000-01-01T00:00:0", "the folder models")
		tell(orbit.ModelFailed, orbit.ModelFailed, "its server ended with exit status 1")
		says(t, why(o, id, ""), "the model test/model failed to start on node "+name(0)+": its server ended with exit status 1", "tries again by itself")
		tell(orbit.ModelFailed, orbit.ModelStopping, "")
		says(t, why(o, id, ""), "the model test/model is being stopped on node "+name(1))
		tell(orbit.ModelFailed, orbit.ModelReady, "")
		tells(t, why(o, id, ""), "work 1 queued", "last 0 dependency")
		o.Node(1).Switch(true)
		o.Wait(id)
	})
}

func TestWhyARunIsPausedOrHasEnded(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.Sleep(10*time.Second, orbittest.FanOut(3)))
		o.Script.On("work", orbittest.FailForGood)
		id := o.Run(o.Apply(listThen("uses: test/single, identifier: work")), nil)
		time.Sleep(5 * time.Second)
		verb(o, id, "pause")
		tells(t, why(o, id, ""), "list 1 running", "work 0 dependency", "last 0 dependency")
		time.Sleep(10 * time.Second)
		tells(t, why(o, id, ""), "work 3 paused", "last 0 dependency")
		says(t, why(o, id, "work/0.1"), "is paused", "orbit resume "+id)
		verb(o, id, "resume")
		o.Wait(id)
		w := why(o, id, "")
		tells(t, w, " 0 ended")
		says(t, w, "has ended as failed at ", "`orbit retry "+id+"` does the 3 items that failed again")
		says(t, why(o, id, "work/0.1"), "has failed on node", "cannot be read", "`orbit retry "+id+" --item work/0.1` does it again")
		says(t, why(o, id, "list/0"), "has succeeded on node", "`orbit outputs "+id+" --satellite list`")
		for item, status := range map[string]int{"work/0.7": 404, "none": 404, "none/0": 404, "/": 400} {
			if a := o.Call("GET", "/v1/runs/"+id+"/why?item="+url.QueryEscape(item), "", nil); a.Status != status {
				t.Errorf("why %s answers %d, want %d: %s", item, a.Status, status, a.Body)
			}
		}
	})
}

func TestWhyOfARunThatWasCancelled(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.Sleep(30*time.Second, orbittest.Pass))
		id := o.Run(o.Apply(listThen("uses: test/single, identifier: work")), nil)
		time.Sleep(5 * time.Second)
		o.Cancel(id)
		for _, item := range []string{"", "list/0", "work"} {
			says(t, why(o, id, item), "run "+id+" was cancelled", "start another one with `orbit run test/why`")
		}
	})
}

func TestWhyAnItemRuns(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.FanOut(20))
		o.Script.On("work", orbittest.Sleep(10*time.Second, orbittest.Pass))
		id := o.Run(o.Apply(listThen("uses: test/single, identifier: work")), nil)
		time.Sleep(27 * time.Second)
		tells(t, why(o, id, ""), "work 20 running", "last 0 dependency")
		w := why(o, id, "work/0.3")
		tells(t, w, "work 1 running")
		says(t, w, "runs on node node-0 since 2000-01-01T00:00:0", ", for 27s, in a bundle of 20 items that are committed together", "an attempt of one item may take 1m")
		o.Wait(id)
	})
}

func TestWhyAnItemIsQueued(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Slots: 2}, func(o *orbittest.Orbit) {
		hog := o.Apply(strings.Replace(chain, "identifier: a", "identifier: hog", 1))
		o.Script.On("hog", orbittest.Sleep(40*time.Second, orbittest.Pass))
		o.Script.On("work", orbittest.Sleep(5*time.Second, orbittest.Pass))
		id := o.Run(o.Apply(listThen("uses: test/single, identifier: work")), nil)
		time.Sleep(time.Second)
		var hogs []string
		for range 6 {
			hogs = append(hogs, o.Run(hog, nil))
		}
		time.Sleep(9 * time.Second)
		w := why(o, id, "last/0.0.0")
		tells(t, w, "last 1 queued")
		says(t, w, "waits in the queue cpu/core/6h behind ", " bundles at most, about ", " at the pace of this run", "1 node with 2 slots take from this queue, 2 busy; another node of class cpu makes it shorter")
		for _, id := range append(hogs, id) {
			o.Wait(id)
		}
	})
}

func TestWhyAnItemIsTriedAgainLater(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.FanOut(3))
		o.Script.On("work", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.FailFirst(1)}))
		id := o.Run(o.Apply(listThen("uses: test/single, identifier: work")), nil)
		time.Sleep(5 * time.Second)
		w := why(o, id, "")
		tells(t, w, "work 1 retry")
		says(t, w, "is tried again at 2000-01-01T00:00:", "attempt 2 of 4; the last one ended with: work/0.1: not yet, this is attempt 1", "`orbit logs "+id)
		if r := w.Reasons[0]; r.Due == nil || time.Until(*r.Due) < 20*time.Second || time.Until(*r.Due) > 30*time.Second || *r.Item != "work/0.1" {
			t.Errorf("due at %v, of %v", r.Due, r.Item)
		}
		o.Wait(id)
	})
}

func TestWhyAnItemIsDelayed(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.FanOut(3))
		id := o.Run(o.Apply(listThen("uses: test/single, identifier: work, delay: 2m")), nil)
		time.Sleep(5 * time.Second)
		w := why(o, id, "")
		tells(t, w, "work 3 delay", "last 0 dependency")
		says(t, w, "the first of them, work/0.0, starts at 2000-01-01T00:02:", "for work has a delay of 2m")
		o.Wait(id)
	})
}

func TestWhyALimitOnConcurrencyHoldsItemsBack(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.FanOut(10))
		o.Script.On("work", orbittest.Sleep(20*time.Second, orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.FailFirst(1)})))
		id := o.Run(o.Apply(listThen("uses: test/single, identifier: work, concurrency: 3")), nil)
		time.Sleep(10 * time.Second)
		tells(t, why(o, id, ""), "work 10 concurrency", "last 0 dependency")
		says(t, why(o, id, ""), "of work run at most 3 items at once, and so many have been let through; the others: 3 running")
		time.Sleep(20 * time.Second) // 0.1 waits for its retry, and goes on counting
		tells(t, why(o, id, "work/0.1"), "work 1 retry")
		says(t, why(o, id, "work"), "the others: 1 retry, 2 running")
		o.Wait(id)
	})
}

func TestWhyAJoinWaits(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Slots: 8}, func(o *orbittest.Orbit) {
		o.Script.On("list", named(2))
		o.Script.On("left", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.Sleep(30*time.Second, named(5)), "0.0": named(1)}))
		o.Script.On("right", named(1))
		id := o.Run(o.Apply(strings.NewReplacer("STRATEGY", "all-success", "{uses: test/few, identifier: left}", "{uses: test/single, identifier: left}").Replace(diamond)), nil)
		time.Sleep(10 * time.Second)
		tells(t, why(o, id, ""), "left 2 running", "each 2 join", "total 1 join", "leaf 0 dependency", "after 0 dependency")
		w := why(o, id, "each/0.1")
		tells(t, w, "each 1 join")
		says(t, w, "unites what list returned and waits for 1 item below it: left/0.1", "`orbit why "+id+" left/0.1`")
		says(t, why(o, id, "total/0"), "unites the whole run and waits for ", "left/0.1")
		o.Wait(id)
	})
}

func TestWhyAJoinOfALaterRoundWaits(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		done := false
		o.Script.On("list", func(c ctx, x *orbittest.Execution) error {
			if !done {
				done = true
				return orbittest.FailForGood(c, x)
			}
			return named(2)(c, x)
		})
		o.Script.On("work", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.0": named(1), "0.1": orbittest.Sleep(30*time.Second, named(1))}))
		id := o.Run(o.Apply(strings.ReplaceAll(rounds, "test/few", "test/single")), nil)
		o.Wait(id)
		again(o, id, nil)
		time.Sleep(10 * time.Second)
		tells(t, why(o, id, ""), "work 2 running", "each 2 join", "total 1 join", "polish 0 dependency")
		says(t, why(o, id, "each/0.1"), "below it: work/0.1")
		if _, ok := o.TryWait(id, 10*time.Minute); !ok {
			t.Fatalf("%+v", why(o, id, ""))
		}
		for _, it := range o.Items(id, "state=waiting") {
			t.Errorf("%s waits in a run that has ended", it.ID)
		}
		if n := len(o.Items(id, "satellite=each&state=succeeded")); n != 2 {
			t.Errorf("%d items of each are shown, want 2", n)
		}
	})
}

func TestWhyARunIsStillAtItsFailureSteps(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.FailForGood)
		o.Script.On("tell", orbittest.Sleep(30*time.Second, orbittest.Pass))
		id := o.Run(o.Apply(rounds[:strings.Index(rounds, "  logs:")]), nil)
		time.Sleep(10 * time.Second)
		w := why(o, id, "")
		tells(t, w, "tell 2 running")
		says(t, w, "the run ends after its failure steps")
		o.Wait(id)
	})
}

func TestWhyIsTheSameOnAGatewayThatDoesNotLead(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Gateways: 2}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.FanOut(8))
		o.Script.On("work", orbittest.Sleep(30*time.Second, orbittest.Pass))
		id := o.Run(o.Apply(listThen("uses: test/single, identifier: work, concurrency: 2")), nil)
		time.Sleep(10 * time.Second)
		var answers []string
		for i := range 2 {
			answers = append(answers, string(o.CallOn(o.Gateway(i), "GET", "/v1/runs/"+id+"/why", "", nil).Body))
		}
		if answers[0] != answers[1] || !strings.Contains(answers[0], `"code":"concurrency"`) {
			t.Errorf("one gateway answers\n%s\nand the other\n%s", answers[0], answers[1])
		}
		o.Wait(id)
	})
}
