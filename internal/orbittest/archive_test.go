package orbittest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// soon puts runs away, and forgets them, as early as is allowed.
var soon = orbittest.Options{ArchiveAfter: 15 * time.Minute, KeepRuns: 7 * 24 * time.Hour}

// plain is a chain without joins, limits and failure steps.
const plain = `
version: 0.0.1b
cluster:
  identifier: test/mixed
  sla: 6h
  trigger: api-call
  retries: {max: 3, delay: 1s, jitter: none}
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/few, identifier: b}
    - {uses: test/few, identifier: c}
`

// varied makes the plain chain take every path: items that fail, are tried again, and return long objects.
func varied(o *orbittest.Orbit) string {
	o.Script.On("a", orbittest.FanOut(4))
	long := make([]byte, 40<<10)
	for i := range long {
		long[i] = 'a' + byte(i%26)
	}
	o.Script.On("b", orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.FailForGood, "0.3": orbittest.FailFirst(1),
		"0.2": emit(map[string]any{"text": string(long)})}))
	return o.Apply(plain)
}

// shown is all that the API shows of a run.
func shown(o *orbittest.Orbit, id string) (v struct {
	Run     orbit.Run
	Items   []orbit.ItemDoc
	Failed  []orbit.ItemDoc
	Outputs []string
}) {
	v.Run, _ = o.Look(id)
	v.Items, v.Failed, v.Outputs = o.Items(id, ""), o.Items(id, "state=failed"), o.Outputs(id)
	return v
}

func TestEndedRunIsPutAwayAndReadsAsBefore(t *testing.T) {
	orbittest.Test(t, soon, func(o *orbittest.Orbit) {
		name := varied(o)
		id := o.Run(name, map[string]any{"text": string(make([]byte, 50<<10))})
		o.Wait(id)
		before := shown(o, id)
		var page struct {
			Data []orbit.ItemDoc
			Next *string
		}
		if err := json.Unmarshal(o.Call("GET", "/v1/runs/"+id+"/items?limit=4", "", nil).Body, &page); err != nil || page.Next == nil {
			t.Fatalf("a page of 4: %v", err)
		}
		time.Sleep(14 * time.Minute)
		if doc := o.Document(id); doc.Closed || len(o.Left(id)) == 0 {
			t.Errorf("14 minutes after its end the run is closed: %v", doc.Closed)
		}
		time.Sleep(5 * time.Minute)
		if doc := o.Document(id); !doc.Closed || doc.Archive == nil || !doc.Purged {
			t.Errorf("the run is closed: %v, archived: %v, purged: %v", doc.Closed, doc.Archive != nil, doc.Purged)
		}
		if left := o.Left(id); len(left) > 0 {
			t.Errorf("the streams still have %v", left)
		}
		if diff := cmp.Diff(before, shown(o, id)); diff != "" {
			t.Errorf("before and after it was put away:\n%s", diff)
		}
		items, cursor := page.Data, *page.Next
		page.Data = nil
		if err := json.Unmarshal(o.Call("GET", "/v1/runs/"+id+"/items?cursor="+cursor, "", nil).Body, &page); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before.Items, append(items, page.Data...)); diff != "" {
			t.Errorf("pages of before and after do not make one list:\n%s", diff)
		}
		if run := o.Wait(o.Run(name, nil)); run.State != orbit.RunPartial {
			t.Errorf("the next run ended as %s", run.State)
		}
	})
}

func TestCancelledRunIsPutAwayWithWhatWasDone(t *testing.T) {
	orbittest.Test(t, soon, func(o *orbittest.Orbit) {
		id := o.Run(slowChain(o, 20, 20*time.Second), nil)
		time.Sleep(30 * time.Second)
		o.Cancel(id)
		time.Sleep(time.Minute)
		before := shown(o, id)
		time.Sleep(20 * time.Minute)
		if doc := o.Document(id); !doc.Purged {
			t.Error("it was not put away")
		}
		if diff := cmp.Diff(before, shown(o, id)); diff != "" {
			t.Errorf("before and after it was put away:\n%s", diff)
		}
	})
}

func TestOpenRunKeepsItsRecordsWhenOthersArePutAway(t *testing.T) {
	orbittest.Test(t, soon, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(2))
		name := o.Apply(chain)
		var ids []string
		for range 3 {
			ids = append(ids, o.Run(name, nil))
		}
		for _, id := range ids {
			o.Wait(id)
		}
		o.Script.On("b", func(c ctx, x *orbittest.Execution) error {
			if x.Attempt == 1 {
				return orbit.RetryAfter(40*time.Minute, orbit.CodeUnavailable, "later")
			}
			return orbittest.Pass(c, x)
		})
		open := o.Run(name, nil)
		time.Sleep(20 * time.Minute)
		for _, id := range ids {
			if left := o.Left(id); len(left) > 0 || !o.Document(id).Purged {
				t.Errorf("run %s was not put away; the streams have %v", id, left)
			}
		}
		if n := len(o.Records(open)); n != 2 {
			t.Errorf("the open run has %d records, want that of a and the first of b", n)
		}
		wantRun(t, o.Wait(open), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 2})
	})
}

func TestRecordThatComesAfterTheArchiveIsPurgedAndNotFolded(t *testing.T) {
	orbittest.Test(t, soon, func(o *orbittest.Orbit) {
		if n := childOfALateRecord(o); n != 0 {
			t.Errorf("%d items of the closed run were executed", n)
		}
	})
}

// childOfALateRecord tells how many items ran because a node that slept through the end and the archive of a run commits.
// Nothing of it may stay, nor be seen.
func childOfALateRecord(o *orbittest.Orbit) (ran int) {
	id := o.Run(varied(o), nil)
	o.Wait(id)
	records := o.Records(id)
	before := shown(o, id)
	time.Sleep(20 * time.Minute)
	ran = o.Script.Total()
	zombie := records[1] // nothing fences it
	o.Publish(fmt.Sprintf("orbit.record.0.%s.%s", id, zombie.Bundle), zombie.Encode())
	late := orbit.Bundle{ID: orbit.BundleID("c", zombie.Bundle, 0), Run: id, Plan: o.Document(id).Plan, Step: "c", Parent: zombie.Bundle,
		Accepted: before.Run.CreatedAt.UnixMilli(), Deadline: before.Run.Deadline.UnixMilli(), Items: []orbit.Item{{Lineage: "0.0.0"}}}
	o.Publish("orbit.work.cpu.core.6h.0."+id, late.Encode())
	time.Sleep(3 * time.Minute)
	if left := o.Left(id); len(left) > 0 {
		o.T.Errorf("the streams still have %v", left)
	}
	if diff := cmp.Diff(before, shown(o, id)); diff != "" {
		o.T.Errorf("before and after the late record:\n%s", diff)
	}
	return o.Script.Total() - ran
}

// archivePoints are the places where putting a run away can break off, forgetPoints those of forgetting it.
var (
	archivePoints = []string{"archive.closed", "archive.written", "archive.named", "archive.purged", "archive.done"}
	forgetPoints  = []string{"forget.begun", "forget.kept", "forget.removed", "forget.done"}
)

func TestRunIsPutAwayWhereverTheGatewayCrashes(t *testing.T) {
	orbittest.Test(t, soon, func(o *orbittest.Orbit) {
		name := varied(o)
		stop := o.Replace(time.Second)
		defer stop()
		for _, point := range archivePoints {
			id := o.Run(name, nil)
			o.Wait(id)
			before := shown(o, id)
			passed := crashAt(o, point)
			time.Sleep(20 * time.Minute)
			if !passed() {
				t.Errorf("nothing passes %s", point)
			}
			if doc := o.Document(id); !doc.Purged {
				t.Errorf("crashed at %s, the run is not put away", point)
			}
			if diff := cmp.Diff(before, shown(o, id)); diff != "" {
				t.Errorf("crashed at %s, before and after:\n%s", point, diff)
			}
		}
	})
}

// crashAt crashes the process that passes a point first, and tells whether one did.
func crashAt(o *orbittest.Orbit, point string) (passed func() bool) {
	var mu sync.Mutex
	crashed := false
	o.SetFaults(func(p *orbittest.Process, _ int, at string) error {
		mu.Lock()
		defer mu.Unlock()
		if at != point || crashed {
			return nil
		}
		crashed = true
		p.Crash()
		return fault.ErrCrash
	})
	return func() bool {
		mu.Lock()
		defer mu.Unlock()
		return crashed
	}
}

func TestForgottenRunLeavesItsEndAndNothingElse(t *testing.T) {
	orbittest.Test(t, soon, func(o *orbittest.Orbit) {
		name := varied(o)
		payload := map[string]any{"text": string(make([]byte, 50<<10))}
		id := o.Run(name, payload)
		run := o.Wait(id)
		other := o.Run(name, nil)
		o.Wait(other)
		if names, _ := o.Blobs(id); len(names) < 2 {
			t.Fatalf("blobs %v; want a payload and long outputs", names)
		}
		time.Sleep(20 * time.Minute)
		o.StopGateway(0)
		o.DrainNode(0)
		o.RestartServer(6 * 24 * time.Hour) // nobody is there, so this takes moments
		o.StartGateway()
		time.Sleep(2 * time.Minute)
		if o.Document(id) == nil {
			t.Fatal("forgotten after 6 days")
		}
		o.StopGateway(1)
		o.RestartServer(2 * 24 * time.Hour)
		o.StartGateway()
		time.Sleep(2 * time.Minute)
		if names, pieces := o.Blobs(id); len(names) > 0 || pieces > 0 {
			t.Errorf("blobs %v and %d pieces are left", names, pieces)
		}
		if doc := o.Forgotten(id); o.Document(id) != nil || doc == nil {
			t.Fatal("it is not in the history")
		}
		got, ok := o.Look(id)
		run.Trigger.Payload = orbit.Object{0xc0} // null
		if diff := cmp.Diff(run, got); !ok || diff != "" {
			t.Errorf("what is left of the run:\n%s", diff)
		}
		for _, what := range []string{"items", "outputs"} {
			if a := o.Call("GET", "/v1/runs/"+id+"/"+what, "", nil); a.Status != http.StatusGone {
				t.Errorf("%s: %d %s", what, a.Status, a.Body)
			}
		}
		o.StartNode()
		var again orbit.Run
		if a := o.Start(name, "run-0", payload); json.Unmarshal(a.Body, &again) != nil || again.ID != id {
			t.Errorf("its key, used again: %d %s", a.Status, a.Body)
		}
		wantEnd(o, o.Wait(o.Run(name, nil)), orbit.RunPartial)
	})
}

func TestRunIsForgottenWhereverTheGatewayCrashes(t *testing.T) {
	orbittest.Test(t, soon, func(o *orbittest.Orbit) {
		name := varied(o)
		var ids []string
		for range forgetPoints {
			ids = append(ids, o.Run(name, nil))
			o.Wait(ids[len(ids)-1])
		}
		time.Sleep(20 * time.Minute)
		o.StopGateway(0)
		o.DrainNode(0)
		o.RestartServer(8 * 24 * time.Hour)
		for _, point := range forgetPoints {
			passed := crashAt(o, point)
			o.StartGateway()
			time.Sleep(30 * time.Second)
			if !passed() {
				t.Errorf("nothing passes %s", point)
			}
		}
		o.SetFaults(nil)
		o.StartGateway()
		time.Sleep(time.Minute)
		for _, id := range ids {
			if names, pieces := o.Blobs(id); len(names) > 0 || pieces > 0 {
				t.Errorf("blobs %v and %d pieces are left", names, pieces)
			}
			if o.Document(id) != nil || o.Forgotten(id) == nil {
				t.Errorf("run %s is not where the forgotten are", id)
			}
		}
	})
}
