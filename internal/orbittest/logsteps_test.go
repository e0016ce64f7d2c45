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
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// told is a cluster whose log goes to a log step, and from there to another.
const told = `
version: 0.0.1b
cluster:
  identifier: test/told
  sla: 6h
  trigger: api-call
  retries: {max: 3, delay: 2s, jitter: none}
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/few, identifier: b}
  failure:
    satellites:
      - {uses: test/single, identifier: tell}
  logs:
    satellites:
      - {uses: test/few, identifier: send}
      - {uses: test/single, identifier: note}
`

// batch is what a first log step gets.
type batch struct {
	Records []orbit.LogRecord
	Run     string
	Cluster string
	Batch   int
	Last    bool
}

// heard keeps the batches that a log step has got, in the order in which it was done with them.
type heard struct {
	mu      sync.Mutex
	batches []batch
}

func (h *heard) keep(c ctx, x *orbittest.Execution) error {
	v, err := x.Incoming.Value()
	if err != nil {
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var b batch
	if err := json.Unmarshal(text, &b); err != nil {
		return err
	}
	h.mu.Lock()
	h.batches = append(h.batches, b)
	h.mu.Unlock()
	x.Log.Info().Msg("sent") // which is no news for a log step
	return x.Emit(map[string]any{"sent": len(b.Records)})
}

// want fails the test where the batches are not, batch by batch and record by record, what the run's log holds.
func (h *heard) want(t *testing.T, o *orbittest.Orbit, run string) (batches int) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	var got []orbit.LogRecord
	keys, last := map[string]bool{}, false
	for _, b := range h.batches {
		if b.Run != run {
			continue
		}
		if b.Batch < batches || b.Batch > batches+1 || b.Cluster != "test/told" || last && b.Batch > batches {
			t.Errorf("batch %d of %s comes after batch %d (the last: %v)", b.Batch, b.Cluster, batches, last)
		}
		batches, last = b.Batch, b.Last
		for _, r := range b.Records {
			if !keys[r.Key] { // a batch may come twice
				got = append(got, r)
			}
			keys[r.Key] = true
		}
	}
	if !last {
		t.Errorf("none of %d batches is the last", batches)
	}
	var want []orbit.LogRecord
	for _, r := range o.Log(run, "") {
		if r.Satellite != "send" && r.Satellite != "note" {
			want = append(want, r)
		}
	}
	if len(got) != len(want) {
		t.Errorf("the batches hold %d records, the log %d", len(got), len(want))
	}
	is, must := said(got), said(want)
	for item, words := range must {
		if !slices.Equal(is[item], words) {
			t.Errorf("%s:\n%q, want\n%q", item, is[item], words)
		}
	}
	return batches
}

func TestLogStepsGetTheLogInBatchesAndALastOneAtTheEnd(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		h := &heard{}
		o.Script.On("a", orbittest.FanOut(20))
		o.Script.On("b", talk(5, orbittest.FailFirst(1)))
		o.Script.On("send", h.keep)
		run := o.Wait(o.Run(o.Apply(told), nil))
		wantRun(t, run, orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
		n := h.want(t, o, run.ID)
		if n < 3 {
			t.Errorf("%d batches in a run of some 40 s", n)
		}
		wantRun(t, run, orbit.RunSucceeded, "send", map[orbit.ItemState]int{orbit.ItemSucceeded: n})
		wantRun(t, run, orbit.RunSucceeded, "note", map[orbit.ItemState]int{orbit.ItemSucceeded: n})
	})
}

func TestLogStepsOfARunThatSaysNothingGetALastBatch(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		h := &heard{}
		o.Script.On("send", h.keep)
		begun := time.Now()
		run := o.Wait(o.Run(o.Apply(told), nil))
		if n := h.want(t, o, run.ID); n != 1 || run.State != orbit.RunSucceeded {
			t.Errorf("%d batches; the run is %s", n, run.State)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestLogStepThatFailsForGoodLeavesTheRunSucceeded(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		h := &heard{}
		o.Script.On("b", talk(25, orbittest.Pass))
		o.Script.On("send", h.keep)
		o.Script.On("note", orbittest.FailForGood)
		run := o.Wait(o.Run(o.Apply(told), nil))
		n := h.want(t, o, run.ID)
		wantRun(t, run, orbit.RunSucceeded, "note", map[orbit.ItemState]int{orbit.ItemFailed: n})
		wantRun(t, run, orbit.RunSucceeded, "tell", nil)
		if run.Error != "" || len(o.Items(run.ID, "satellite=note&state=failed")) != n {
			t.Errorf("the run says %q", run.Error)
		}
		if a := again(o, run.ID, nil); a.Status != 409 {
			t.Errorf("retry answers %d: %s", a.Status, a.Body)
		}
	})
}

func TestABatchThatIsTriedAgainComesBeforeTheNext(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		h := &heard{}
		o.Script.On("b", talk(50, orbittest.Pass))
		o.Script.On("send", func(c ctx, x *orbittest.Execution) error {
			if x.Attempt < 4 {
				return orbit.RetryAfter(10*time.Second, orbit.CodeUnavailable, "not now")
			}
			return h.keep(c, x)
		})
		run := o.Wait(o.Run(o.Apply(told), nil))
		h.want(t, o, run.ID)
	})
}

func TestManyRecordsComeInSeveralBatches(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		h := &heard{}
		o.Script.On("a", orbittest.FanOut(12))
		o.Script.On("b", func(c ctx, x *orbittest.Execution) error {
			for i := range 150 {
				x.Log.Info().Int("word", i).Msg(strings.Repeat("x", 200))
			}
			return orbittest.Pass(c, x)
		})
		o.Script.On("send", h.keep)
		run := o.Wait(o.Run(o.Apply(strings.Replace(told, "identifier: note", "identifier: note, concurrency: 1, delay: 1s", 1)), nil))
		if n := h.want(t, o, run.ID); n < 3 {
			t.Errorf("%d batches", n)
		}
		for _, b := range h.batches {
			if len(b.Records) > 600 {
				t.Errorf("batch %d has %d records", b.Batch, len(b.Records))
			}
		}
	})
}

func TestARoundGoesOnWithTheLog(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		h := &heard{}
		o.Script.On("b", talk(12, func(c ctx, x *orbittest.Execution) error {
			if x.Count == 1 {
				return orbittest.FailForGood(c, x)
			}
			return orbittest.Pass(c, x)
		}))
		o.Script.On("send", h.keep)
		run := o.Wait(o.Run(o.Apply(told), nil))
		wantRun(t, run, orbit.RunFailed, "tell", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		first := len(h.batches)
		if a := again(o, run.ID, nil); a.Status != 200 {
			t.Fatalf("retry answers %d: %s", a.Status, a.Body)
		}
		run = o.Wait(run.ID)
		if len(h.batches) <= first || !h.batches[first-1].Last || run.State != orbit.RunSucceeded {
			t.Fatalf("%d and then %d batches; the run is %s", first, len(h.batches), run.State)
		}
		h.batches[first-1].Last = false // of the first round
		h.want(t, o, run.ID)
	})
}

func TestRunWithLogStepsEndsWithoutALog(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("b", talk(3, orbittest.Pass))
		o.DropStream("ORBIT_LOGS")
		wantRun(t, o.Wait(o.Run(o.Apply(told), nil)), orbit.RunSucceeded, "send", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
	})
}

func TestCancelledRunGetsNoLastBatch(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("b", talk(300, orbittest.Pass))
		id := o.Run(o.Apply(told), nil)
		time.Sleep(25 * time.Second)
		o.Cancel(id)
		if run := o.Wait(id); run.State != orbit.RunCancelled {
			t.Errorf("%s", run.State)
		}
	})
}

func TestNothingOfTheLogIsLostWhereverTheLeaderCrashes(t *testing.T) {
	for _, point := range []string{"logs.cut", "logs.published", "settle.folded", "commit.recorded", "settle.ended", "checkpoint.runs", "checkpoint.saved"} {
		for nth := 1; nth <= 3; nth++ {
			t.Run(fmt.Sprintf("%s/%d", point, nth), func(t *testing.T) {
				orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
					h := &heard{}
					o.Script.On("a", orbittest.FanOut(6))
					o.Script.On("b", talk(12, orbittest.FailFirst(1)))
					o.Script.On("send", h.keep)
					stop := o.Replace(time.Second)
					defer stop()
					name := o.Apply(told)
					var mu sync.Mutex
					passed := 0
					o.SetFaults(func(p *orbittest.Process, _ int, at string) error {
						mu.Lock()
						defer mu.Unlock()
						if at != point {
							return nil
						}
						if passed++; passed != nth {
							return nil
						}
						p.Crash()
						return fault.ErrCrash
					})
					run := o.Wait(o.Run(name, nil))
					wantRun(t, run, orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 6})
					h.want(t, o, run.ID)
					mu.Lock()
					if passed == 0 {
						t.Errorf("nothing passes %s", point)
					}
					mu.Unlock()
					o.SetFaults(nil)
				})
			})
		}
	}
}

func TestLogStepsGoOnAfterARestore(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Unchecked: true}, func(o *orbittest.Orbit) {
		h := &heard{}
		o.Script.On("a", orbittest.FanOut(8))
		o.Script.On("b", talk(8, orbittest.FailFirst(1)))
		o.Script.On("send", h.keep)
		id := o.Run(o.Apply(told), nil)
		time.Sleep(25 * time.Second)
		file := backup(o)
		if run, _ := o.Look(id); run.State.Terminal() || len(h.batches) == 0 {
			t.Fatalf("it is %s and has had %d batches before it was backed up", run.State, len(h.batches))
		}
		o.Close()

		twin := o.Twin(orbittest.Options{})
		defer twin.Close()
		twin.Script.On("b", talk(8, orbittest.FailFirst(1)))
		twin.Script.On("send", h.keep)
		twin.Accepted(id)
		restored(twin, file)
		wantRun(t, twin.Wait(id), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 8})
		var keys, all = map[string]bool{}, twin.Log(id, "satellite=b")
		for _, b := range h.batches {
			for _, r := range b.Records {
				keys[r.Key] = true
			}
		}
		for _, r := range all {
			if !keys[r.Key] {
				t.Errorf("no log step got %s of %s", r.Message, r.Item)
			}
		}
		twin.Settle()
		for _, v := range twin.Violations() {
			t.Error(v)
		}
	})
}

func TestItemsShowABatchThatWaits(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("send", orbittest.Sleep(20*time.Second, orbittest.Pass))
		id := o.Run(o.Apply(told), nil)
		time.Sleep(5 * time.Second)
		if items := o.Items(id, "satellite=send"); len(items) != 1 || items[0].ID != "send/0" || items[0].State.Terminal() {
			t.Errorf("%+v", items)
		}
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "send", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		if items := o.Items(id, "satellite=note"); len(items) != 1 || items[0].ID != "note/0.0" {
			t.Errorf("%+v", items)
		}
	})
}
