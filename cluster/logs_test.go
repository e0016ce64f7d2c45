package cluster_test

import (
	"testing"

	"github.com/exospherehost/orbit"
)

func TestARunIsOverWhenItsLogStepsHaveHadTheLastBatch(t *testing.T) {
	r := compile(head + step("a", "") + "  logs:\n    satellites:\n  " + step("l", "") + "  " + step("m", ""))
	if r.Plan == nil {
		t.Fatal(told(r.Diagnostics))
	}
	p := r.Plan
	tally := p.NewTally()
	ended := func(step string, state orbit.ItemState) {
		rec := &orbit.Record{Step: step, Counts: orbit.Counts{Failed: 1}}
		if state == orbit.ItemSucceeded {
			s, _ := p.Step(step)
			rec.Counts = orbit.Counts{Succeeded: 1}
			rec.Born, _ = p.Births(s, 1, 0)
		}
		tally.Fold(p, rec)
	}
	ended("a", orbit.ItemSucceeded)
	if _, ok := tally.Settle(p); ok || tally.Outstanding != 0 {
		t.Errorf("%d items are outstanding; it is over without a last batch: %v", tally.Outstanding, ok)
	}
	tally.Cut(p, orbit.LogMarker{Batch: 1, To: 5})
	if tally.Outstanding != 1 || tally.LogsOpen(p) != 1 {
		t.Errorf("%d items are outstanding, %d of log steps", tally.Outstanding, tally.LogsOpen(p))
	}
	ended("l", orbit.ItemSucceeded)
	ended("m", orbit.ItemFailed)
	tally = tally.Clone()
	if tally.Over(p) {
		t.Error("it is over after a batch that is not the last")
	}
	tally.Cut(p, orbit.LogMarker{Batch: 2, After: 5, To: 5, Last: true})
	if tally.Over(p) {
		t.Error("it is over, and the last batch is not")
	}
	ended("l", orbit.ItemFailed)
	if state, ok := tally.Settle(p); !ok || state != orbit.RunSucceeded {
		t.Errorf("%s, %v: failures of log steps have no part in it", state, ok)
	}
	l, _ := p.Step("l")
	if kids := p.FailureKids(l, []orbit.Result{{State: orbit.ItemFailed}}); kids != nil {
		t.Errorf("it starts %v", kids)
	}
	tally.Reopen(p, orbit.RetryMarker{Round: 2}, nil)
	if tally.Over(p) || tally.Logs.Batches != 2 || tally.Logs.To != 5 {
		t.Errorf("in the next round: %+v", tally.Logs)
	}
}
