package cluster

import (
	"fmt"
	"slices"

	"github.com/exospherehost/orbit"
)

// GatherFailure is Gather for an item of a failure step, given the bundle whose record names the item's. What the item that
// failed did not see is left out, and so is the payload.
func (p *Plan) GatherFailure(s *Step, run string, round int, parent string, at orbit.Lineage, records Records, blobs Blobs, emit func(live int, o orbit.Object) error) error {
	f := &failureGathering{plan: p, live: s.Live, run: run, round: round, records: records, blobs: blobs, emit: emit}
	for { // up through the failure steps to what failed
		recs, err := records([]string{parent})
		if err != nil {
			return err
		}
		rec := recs[0]
		parent = rec.Parent
		if rec.Step == s.Identifier { // an attempt before
			continue
		}
		step, ok := p.Step(rec.Step)
		if !ok {
			return fmt.Errorf("the plan has no step %s", rec.Step)
		}
		if step.Part == Main {
			return f.saw(step, rec, at)
		}
		i, err := rec.result(at.Parent())
		if err != nil {
			return err
		}
		ordinal, err := at.Last()
		if err != nil {
			return err
		}
		g := &gathering{blobs: blobs, emit: func(v orbit.Value) error { return f.give(rec.Step, v.Object) }}
		if err := g.outputs(rec, rec.first[i]+ordinal, rec.first[i]+ordinal+1); err != nil {
			return err
		}
		s, at = step, at.Parent()
	}
}

// failureGathering is the walk for all live values of an item of a failure step.
type failureGathering struct {
	plan    *Plan
	live    []Live
	run     string
	round   int
	records Records
	blobs   Blobs
	emit    func(live int, o orbit.Object) error
}

// give emits an object where it is among the live values.
func (f *failureGathering) give(step string, o orbit.Object) error {
	i := slices.IndexFunc(f.live, func(l Live) bool { return l.Step == step })
	if i < 0 {
		return nil
	}
	v, err := prune(orbit.Value{Object: o}, f.live[i].Fields, f.blobs)
	if err != nil {
		return err
	}
	return f.emit(i, v.Object)
}

// saw gives what failed and what it saw.
func (f *failureGathering) saw(failed *Step, rec *Committed, at orbit.Lineage) error {
	what, err := rec.Failure(at)
	if err != nil {
		return err
	}
	if err := f.give(Failed, what); err != nil {
		return err
	}
	sees, of := *failed, []int(nil)
	sees.Live = nil
	for i, l := range f.live {
		if l.Step == Payload {
			continue
		}
		if l.Step == failed.Feeder() {
			o, err := f.plan.Incoming(failed, rec.Parent, at, f.records, f.blobs)
			if err != nil {
				return err
			}
			if err := f.give(l.Step, o); err != nil {
				return err
			}
		}
		if n := slices.IndexFunc(failed.Live, func(own Live) bool { return own.Step == l.Step }); n >= 0 {
			l.Many = failed.Live[n].Many
			sees.Live, of = append(sees.Live, l), append(of, i)
		}
	}
	return f.plan.Gather(&sees, f.run, f.round, at, f.records, f.blobs, func(i int, o orbit.Object) error { return f.emit(of[i], o) })
}

// WhatFailed is what made an item of a first failure step, given the bundle whose record, or whose retry's, names the item's.
func (p *Plan) WhatFailed(s *Step, parent string, at orbit.Lineage, records Records) (orbit.Object, error) {
	for {
		recs, err := records([]string{parent})
		if err != nil {
			return nil, err
		}
		if rec := recs[0]; rec.Step != s.Identifier {
			return rec.Failure(at)
		}
		parent = recs[0].Parent
	}
}
