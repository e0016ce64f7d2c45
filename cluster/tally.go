package cluster

import (
	"maps"
	"slices"

	"github.com/exospherehost/orbit"
)

// Tally is what the ledger of a run adds up to: a pure function of the records folded so far.
//
//	outstanding = roots + joins scoped on the run
//	            + Σ over records (children and joins born + failure items born − items settled)
//	            + Σ over cuts of the log (first log steps)
//
// An item counts from its birth. `retry` is not settled, and a retry bundle gives birth to nothing.
type Tally struct {
	Outstanding int                                     `json:"outstanding"`
	Round       int                                     `json:"round"` // from 1
	Steps       map[string]*StepTally                   `json:"steps"`
	Joins       map[string]map[orbit.Lineage]*JoinTally `json:"joins,omitempty"` // that are not released, by step and scope object
	Logs        LogTally                                `json:"logs,omitzero"`
}

// StepTally counts the items of one step.
type StepTally struct {
	Born      int `json:"born"`
	Succeeded int `json:"succeeded,omitempty"`
	Failed    int `json:"failed,omitempty"`
	Skipped   int `json:"skipped,omitempty"`
	Retrying  int `json:"retrying,omitempty"`

	Usage orbit.Usage `json:"usage,omitempty"` // by all attempts that are in the ledger
}

// Open is the number of items of the step that have not ended.
func (s *StepTally) Open() int { return s.Born - s.Succeeded - s.Failed - s.Skipped }

// NewTally is the tally of a run that has just been accepted: one item for each root, and for each join scoped on the run.
func (p *Plan) NewTally() *Tally {
	t := &Tally{Round: 1, Steps: make(map[string]*StepTally, len(p.Steps))}
	w := p.wiring()
	for _, s := range slices.Concat(p.Roots(), w.scoped[RunScope]) {
		t.step(s.Identifier).Born = 1
		t.Outstanding++
	}
	for _, j := range w.scoped[RunScope] {
		t.open(w, j, orbit.RootLineage) // roots lead to it, so it is not released
	}
	return t
}

// Fold adds one record, and gives the joins that it releases. The record's head is enough, unless the plan needs the results
// of its step (NeedsResults). Folding a record twice is the caller's mistake.
func (t *Tally) Fold(p *Plan, rec *orbit.Record) []Release {
	s := t.step(rec.Step)
	s.Succeeded += rec.Counts.Succeeded
	s.Failed += rec.Counts.Failed
	s.Skipped += rec.Counts.Skipped
	s.Retrying += rec.Counts.Retry - rec.Counts.Again
	s.Usage.Add(rec.Usage)
	t.Outstanding += rec.FailureItems - rec.Counts.Settled()
	for _, first := range p.wiring().firsts {
		if rec.FailureItems > 0 {
			t.step(first.Identifier).Born += rec.FailureItems / len(p.wiring().firsts)
		}
	}
	for _, b := range rec.Born {
		t.step(b.Step).Born += b.Items
		t.Outstanding += b.Items
	}
	return t.joins(p, rec)
}

// Settle gives the state in which the run ends; not ok while it is not over. Failure and log steps have no part in it.
func (t *Tally) Settle(p *Plan) (state orbit.RunState, ok bool) {
	if !t.Over(p) {
		return "", false
	}
	failed, leaves := 0, 0
	for i := range p.Steps {
		step := &p.Steps[i]
		s := t.Steps[step.Identifier]
		if s == nil || step.Part != Main {
			continue
		}
		failed += s.Failed
		if step.Leaf() {
			leaves += s.Succeeded
		}
	}
	switch {
	case failed == 0:
		return orbit.RunSucceeded, true
	case leaves > 0:
		return orbit.RunPartial, true
	}
	return orbit.RunFailed, true
}

func (t *Tally) step(name string) *StepTally {
	s := t.Steps[name]
	if s == nil {
		s = &StepTally{}
		t.Steps[name] = s
	}
	return s
}

// Clone is a copy that shares nothing.
func (t *Tally) Clone() *Tally {
	c := &Tally{Outstanding: t.Outstanding, Round: t.Round, Steps: make(map[string]*StepTally, len(t.Steps)), Logs: t.Logs}
	for name, s := range t.Steps {
		copied := *s
		copied.Usage = maps.Clone(s.Usage)
		c.Steps[name] = &copied
	}
	if t.Joins != nil {
		c.Joins = make(map[string]map[orbit.Lineage]*JoinTally, len(t.Joins))
		for name, open := range t.Joins {
			c.Joins[name] = make(map[orbit.Lineage]*JoinTally, len(open))
			for at, j := range open {
				copied := *j
				c.Joins[name][at] = &copied
			}
		}
	}
	return c
}
