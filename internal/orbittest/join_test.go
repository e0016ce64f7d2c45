package orbittest_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// diamond lists, works on each object on two branches of which one fans out, and unites them for each object and for the run.
const diamond = `
version: 0.0.1b
cluster:
  identifier: test/diamond
  sla: 6h
  trigger: api-call
  retries: {max: 2, delay: 20s, jitter: none}
  satellites:
    - {uses: test/single, identifier: list}
    - {uses: test/few, identifier: left}
    - {uses: test/few, identifier: leaf, parents: [left]}
    - {uses: test/many, identifier: right, parents: [list]}
    - {uses: test/single, identifier: each, parents: [leaf, right], unites: {identifier: list, strategy: STRATEGY}}
    - {uses: test/few, identifier: after}
    - {uses: test/single, identifier: total, parents: [after], unites: {identifier: run, strategy: all-done}}
`

// united keeps what each join got: by item, the lineages of the objects it unites. The objects of a scripted step are named by
// their lineages.
type united struct {
	mu  sync.Mutex
	got map[string]map[string][]string
}

func (u *united) keep(c ctx, x *orbittest.Execution) error {
	in, _ := x.Input.(map[string]any)
	got := map[string][]string{}
	for parent, list := range in {
		got[parent] = []string{}
		for _, o := range list.([]any) {
			got[parent] = append(got[parent], fmt.Sprint(o.(map[string]any)["at"]))
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.got == nil {
		u.got = map[string]map[string][]string{}
	}
	u.got[x.Item()] = got
	return named(1)(c, x)
}

// named returns n objects that say which they are.
func named(n int) orbittest.Behaviour {
	return func(_ ctx, x *orbittest.Execution) error {
		for i := range n {
			if err := x.Emit(map[string]any{"at": string(x.Lineage.Child(i))}); err != nil {
				return err
			}
		}
		return nil
	}
}

func (u *united) want(t *testing.T, item string, want map[string][]string) {
	t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	got, ok := u.got[item]
	if !ok {
		t.Errorf("%s did not run", item)
		return
	}
	if a, b := fmt.Sprint(got), fmt.Sprint(want); a != b {
		t.Errorf("%s unites %s, want %s", item, a, b)
	}
}

func TestJoinRunsForEachScopeObjectWithWhatLiesBelowIt(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		u := &united{}
		o.Script.On("list", named(3))
		o.Script.On("left", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.0": named(2), "0.1": named(0), "0.2": named(12)}))
		o.Script.On("right", named(1))
		o.Script.On("each", u.keep)
		o.Script.On("after", named(1))
		o.Script.On("total", u.keep)
		o.Script.On("leaf", func(c ctx, x *orbittest.Execution) error {
			if x.Lineage == "0.2.3" && x.Attempt == 1 { // a retry comes later, and out of line
				return orbittest.FailFirst(1)(c, x)
			}
			return named(1)(c, x)
		})
		run := o.Wait(o.Run(o.Apply(strings.Replace(diamond, "STRATEGY", "all-success", 1)), nil))
		wantRun(t, run, orbit.RunSucceeded, "each", map[orbit.ItemState]int{orbit.ItemSucceeded: 3})
		u.want(t, "each/0.0", map[string][]string{"leaf": {"0.0.0.0", "0.0.1.0"}, "right": {"0.0.0"}})
		u.want(t, "each/0.1", map[string][]string{"leaf": {}, "right": {"0.1.0"}})
		var all []string
		for i := range 12 {
			all = append(all, fmt.Sprintf("0.2.%d.0", i))
		}
		u.want(t, "each/0.2", map[string][]string{"leaf": all, "right": {"0.2.0"}})
		u.want(t, "total/0", map[string][]string{"after": {"0.0.0.0", "0.1.0.0", "0.2.0.0"}})
	})
}

func TestJoinOfAllFailsVisiblyWithAMember(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		u := &united{}
		o.Script.On("list", named(3))
		o.Script.On("left", named(2))
		o.Script.On("leaf", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1.1": orbittest.FailForGood}))
		o.Script.On("total", u.keep)
		run := o.Wait(o.Run(o.Apply(strings.Replace(diamond, "STRATEGY", "all-success", 1)), nil))
		wantRun(t, run, orbit.RunPartial, "each", map[orbit.ItemState]int{orbit.ItemSucceeded: 2, orbit.ItemFailed: 1})
		it := o.Items(run.ID, "satellite=each&state=failed")
		if len(it) != 1 || it[0].ID != "each/0.1" || it[0].Error.Code != orbit.CodeJoin || !strings.Contains(it[0].Error.Message, "1 item below it failed") {
			t.Errorf("the failed join shows as %+v", it)
		}
		if o.Script.Count(run.ID, "each/0.1") != 0 {
			t.Error("a join that fails because of its members ran")
		}
	})
}

func TestJoinOfWhatIsDoneToleratesAFailureAndTheRunIsPartial(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		u := &united{}
		o.Script.On("list", named(2))
		o.Script.On("left", orbittest.FailForGood)
		o.Script.On("right", named(1))
		o.Script.On("each", u.keep)
		run := o.Wait(o.Run(o.Apply(strings.Replace(diamond, "STRATEGY", "all-done", 1)), nil))
		wantRun(t, run, orbit.RunPartial, "each", map[orbit.ItemState]int{orbit.ItemSucceeded: 2})
		u.want(t, "each/0.1", map[string][]string{"leaf": {}, "right": {"0.1.0"}})
	})
}

func TestJoinNeedsAsManyAsItSays(t *testing.T) {
	for min, want := range map[string]orbit.ItemState{"66%": orbit.ItemSucceeded, "67%": orbit.ItemFailed, "2": orbit.ItemSucceeded, "3": orbit.ItemFailed} {
		t.Run(min, func(t *testing.T) {
			orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
				o.Script.On("list", named(1))
				o.Script.On("left", named(2))
				o.Script.On("leaf", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.0.1": orbittest.FailForGood}))
				o.Script.On("right", named(1)) // so two of three succeed
				run := o.Wait(o.Run(o.Apply(strings.Replace(diamond, "STRATEGY", "all-done, min-success: "+min, 1)), nil))
				wantRun(t, run, run.State, "each", map[orbit.ItemState]int{want: 1})
			})
		})
	}
}

func TestJoinOverNothingRunsOnEmptyLists(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		u := &united{}
		o.Script.On("list", named(0))
		o.Script.On("total", u.keep)
		run := o.Wait(o.Run(o.Apply(strings.Replace(diamond, "STRATEGY", "all-success", 1)), nil))
		wantRun(t, run, orbit.RunSucceeded, "total", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		u.want(t, "total/0", map[string][]string{"after": {}})
	})
}

func TestLongListReachesTheJoinWhole(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		const n = 3000 // some 100 KiB: too much for a message
		o.Script.On("list", named(n))
		o.Script.On("right", func(_ ctx, x *orbittest.Execution) error {
			return x.Emit(map[string]any{"at": string(x.Lineage.Child(0)), "text": strings.Repeat("x", 40)})
		})
		var got []string
		o.Script.On("total", func(c ctx, x *orbittest.Execution) error {
			for _, v := range x.Input.(map[string]any)["right"].([]any) {
				got = append(got, v.(map[string]any)["at"].(string))
			}
			return orbittest.FanOut(3)(c, x)
		})
		var carried []any
		o.Script.On("last", func(c ctx, x *orbittest.Execution) error {
			carried = x.Config["note"].([]any)
			return orbittest.Pass(c, x)
		})
		run := o.Wait(o.Run(o.Apply(`
version: 0.0.1b
cluster:
  identifier: test/long
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: test/single, identifier: list}
    - {uses: test/many, identifier: right}
    - {uses: test/single, identifier: total, unites: {identifier: run}}
    - {uses: test/single, identifier: last, config: {note: "${{ satellites.right.output.at }}"}}
`), nil))
		wantRun(t, run, orbit.RunSucceeded, "last", map[orbit.ItemState]int{orbit.ItemSucceeded: 3})
		if len(got) != n || !slices.IsSortedFunc(got, func(a, b string) int { return orbit.Lineage(a).Compare(orbit.Lineage(b)) }) {
			t.Errorf("the join got %d of %d objects, or not in order", len(got), n)
		}
		if len(carried) != n || carried[n-1] != fmt.Sprintf("0.%d.0", n-1) {
			t.Errorf("below the join the list has %d objects, want %d", len(carried), n)
		}
	})
}

// alarms is a cluster whose failures are told.
const alarms = `
version: 0.0.1b
cluster:
  identifier: test/alarms
  sla: 6h
  trigger: api-call
  retries: {max: 1, delay: 5s, jitter: none}
  satellites:
    - {uses: test/single, identifier: list}
    - {uses: test/few, identifier: work}
    - {uses: test/few, identifier: polish}
    - {uses: test/single, identifier: total, unites: {identifier: run}}
  failure:
    from: work
    satellites:
      - {uses: test/single, identifier: tell, config: {note: "${{ failure.item }}: ${{ failure.error }} (${{ satellites.list.output.at }})"}}
      - {uses: test/single, identifier: repeat}
`

func TestFailureStepsRunOnceForEachItemThatFailsForGood(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("list", named(4))
		o.Script.On("work", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.FailForGood, "0.2": orbittest.FailFirst(1)}))
		o.Script.On("polish", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.3.0": orbittest.FailFirst(9)}))
		var told []string
		o.Script.On("tell", func(c ctx, x *orbittest.Execution) error {
			told = append(told, x.Config["note"].(string))
			return orbittest.FanOut(2)(c, x)
		})
		o.Script.On("repeat", orbittest.FailForGood)
		run := o.Wait(o.Run(o.Apply(alarms), nil))
		wantRun(t, run, orbit.RunFailed, "tell", map[orbit.ItemState]int{orbit.ItemSucceeded: 3})
		wantRun(t, run, orbit.RunFailed, "repeat", map[orbit.ItemState]int{orbit.ItemFailed: 6})
		slices.Sort(told)
		if len(told) != 3 {
			t.Fatalf("told %q, want three", told)
		}
		for i, want := range []string{"polish/0.3.0: polish/0.3.0: not yet, this is attempt 2 (0.3)", "total/0: total/0: 2 items below it failed", "work/0.1: work/0.1: cannot be read (0.1)"} {
			if !strings.HasPrefix(told[i], want) {
				t.Errorf("told %q, want %q", told[i], want)
			}
		}
		if !strings.HasPrefix(run.Error, "3 items failed") {
			t.Errorf("the run says %q; what fails among the failure steps does not count", run.Error)
		}
	})
}

func TestFailureAboveFromStartsNoFailureStep(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.FailForGood)
		run := o.Wait(o.Run(o.Apply(alarms), nil))
		wantRun(t, run, orbit.RunFailed, "tell", map[orbit.ItemState]int{orbit.ItemSucceeded: 1}) // of the join, which is below
		if n := o.Script.Count(run.ID, "tell/0"); n != 1 {
			t.Errorf("the failure steps of the root ran %d times, want once", n)
		}
	})
}

func TestFailureStepsAreDoneBeforeTheRunEnds(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("list", named(1))
		o.Script.On("work", orbittest.FailForGood)
		o.Script.On("tell", orbittest.Sleep(time.Minute, orbittest.Pass))
		begun := time.Now()
		run := o.Wait(o.Run(o.Apply(alarms), nil))
		wantRun(t, run, orbit.RunFailed, "repeat", map[orbit.ItemState]int{orbit.ItemSucceeded: 2})
		if took := time.Since(begun); took < time.Minute {
			t.Errorf("the run ended after %s, before its failure steps", took)
		}
	})
}

func TestItemWhoseConditionDoesNotHoldIsSkippedAndItsBranchEnds(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(5))
		run := o.Wait(o.Run(o.Apply(`
version: 0.0.1b
cluster:
  identifier: test/some
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/few, identifier: b, if: "${{ satellites.a.output.n > 2 && satellites.a.output.n != 3 }}"}
    - {uses: test/few, identifier: c}
    - {uses: test/few, identifier: d, unites: {identifier: run}, if: "${{ length(satellites.c.output) == 0 }}"}
`), nil))
		wantRun(t, run, orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 1, orbit.ItemSkipped: 4})
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		wantRun(t, run, orbit.RunSucceeded, "d", map[orbit.ItemState]int{orbit.ItemSkipped: 1})
		if n := o.Script.Count(run.ID, "b/0.0"); n != 0 {
			t.Error("a skipped item ran")
		}
	})
}

func TestConditionThatCannotBeToldFailsTheItem(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(2))
		run := o.Wait(o.Run(o.Apply(`
version: 0.0.1b
cluster:
  identifier: test/unclear
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/few, identifier: b, if: "${{ satellites.a.output.missing > 2 }}"}
`), nil))
		wantRun(t, run, orbit.RunFailed, "b", map[orbit.ItemState]int{orbit.ItemFailed: 2})
		if it := o.Items(run.ID, "state=failed"); !strings.Contains(it[0].Error.Message, "b/0.0, if: ") {
			text, _ := json.Marshal(it[0])
			t.Errorf("the failure does not say where it is: %s", text)
		}
	})
}

func TestItemsShowWhatAJoinUnitesAndWhatWaits(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("list", named(2))
		o.Script.On("left", named(1))
		o.Script.On("right", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.Sleep(30*time.Second, named(1))}))
		id := o.Run(o.Apply(strings.Replace(diamond, "STRATEGY", "all-success", 1)), nil)
		time.Sleep(10 * time.Second)
		var waits []string
		for _, it := range o.Items(id, "state=waiting") {
			waits = append(waits, it.ID)
		}
		if slices.Sort(waits); fmt.Sprint(waits) != "[each/0.0 each/0.1 total/0]" { // a bundle is committed whole
			t.Errorf("%v wait; want the joins", waits)
		}
		o.Wait(id)
		for _, it := range o.Items(id, "satellite=each") {
			want := `{"leaf":[{"at":"0.0.0"}],"right":[{"at":"0.0"}]}`
			if it.ID == "each/0.1" {
				want = `{"leaf":[{"at":"0.1.0"}],"right":[{"at":"0.1.0"}]}`
			}
			if text, _ := json.Marshal(it.Input); string(text) != want {
				t.Errorf("%s shows as its input %s, want %s", it.ID, text, want)
			}
		}
	})
}
