package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// RetryRequest says which of a run's failed items are done again.
type RetryRequest struct {
	Satellite string `json:"satellite,omitempty"` // identifier; empty: any
	Item      string `json:"item,omitempty"`      // id; empty: any
}

// retryRun begins the next round of a run that has ended: what failed is done again, what succeeded stays. The marker in
// the ledger comes first, for what the round does again follows from the ledger up to there; the document follows it.
func (g *Gateway) retryRun(ctx context.Context, id string, r RetryRequest) (*kv.Run, error) {
	doc, rev, err := g.store.Runs.Get(ctx, id)
	if errors.Is(err, kv.ErrNotFound) {
		return nil, notFound("there is no run %s; `orbit runs` lists them", id)
	}
	if err != nil {
		return nil, err
	}
	if err := retriable(doc); err != nil {
		return nil, err
	}
	p, err := g.plans.get(ctx, doc.Plan)
	if err != nil {
		return nil, err
	}
	marker := orbit.RetryMarker{Round: doc.Round + 1, Satellite: r.Satellite, Item: r.Item}
	s := g.settlerOf(id)
	failed, err := g.ledger(doc).failedItems(ctx, p, 0)
	if err != nil {
		return nil, err
	}
	if err := named(p, id, marker, failed); err != nil {
		return nil, err
	}
	if fault.Planted(fault.DocumentFirst) {
		if doc, err = g.moveToRound(ctx, doc, rev, marker.Round); err != nil {
			return nil, err
		}
	}
	if err := g.opts.Faults.Point(ctx, "retry.begin"); err != nil {
		return nil, err
	}
	rec := marker.Record(id, g.opts.Name, time.Now())
	ack, err := g.pub.Do(ctx, streams.RecordMessage(s.p, rec, rec.Encode()))
	if errors.Is(err, streams.ErrExists) {
		return nil, conflict("the next round of run %s has begun already; look at it with `orbit status %s`", id, id)
	}
	if err != nil {
		return nil, fmt.Errorf("begin the next round of run %s: %w", id, err)
	}
	if err := g.opts.Faults.Point(ctx, "retry.marked"); err != nil {
		return nil, err
	}
	// Dying before this: the leader folds the marker and moves the document itself.
	doc, err = g.moveToRound(ctx, doc, rev, marker.Round)
	if err != nil {
		return nil, err
	}
	if doc.Round < marker.Round { // it was put away meanwhile; of a closed run nobody folds the marker
		return nil, retriable(doc)
	}
	g.hinter.Record(s.p, ack.Seq, nil)
	return doc, g.opts.Faults.Point(ctx, "retry.moved")
}

// retriable tells why a run cannot begin another round; nil where it can.
func retriable(doc *kv.Run) error {
	switch {
	case !doc.State.Terminal():
		return conflict("run %s has not ended; its items are tried again by themselves", doc.ID)
	case doc.State == orbit.RunCancelled:
		return conflict("run %s was cancelled; %s", doc.ID, another(doc))
	case doc.Closed:
		return conflict("run %s is archived and cannot go on; %s", doc.ID, another(doc))
	case doc.State == orbit.RunSucceeded:
		return conflict("nothing of run %s has failed, so there is nothing to retry", doc.ID)
	}
	return nil
}

// another says how to start another run of the same.
func another(doc *kv.Run) string {
	if satellite, ok := cluster.CalledBy(doc.Cluster); ok {
		return "call the satellite " + satellite + " once more"
	}
	return "start another one with `orbit run " + doc.Cluster + "`"
}

// named tells what is wrong with the choice of items; nil where some failed item is meant.
func named(p *cluster.Plan, id string, m orbit.RetryMarker, failed []cluster.FailedItem) error {
	if m.Satellite != "" {
		if _, ok := p.Step(m.Satellite); !ok {
			return notFound("run %s has no satellite %s", id, m.Satellite)
		}
	}
	if step, _, ok := orbit.ParseItemID(m.Item); m.Item != "" && !ok {
		return badRequest("%q is no item; an item is written like parse-pdf/0.17", m.Item)
	} else if _, known := p.Step(step); m.Item != "" && !known {
		return notFound("run %s has no satellite %s", id, step)
	}
	joins := 0
	for _, f := range failed {
		if m.Matches(f.Step, f.Lineage) {
			if !f.ByMembers {
				return nil
			}
			joins++
		}
	}
	if joins > 0 {
		return conflict("what is named unites items that failed and did not run itself; retry these, `orbit items %s --state failed` lists them", id)
	}
	return conflict("nothing that is named has failed; `orbit items %s --state failed` lists what has", id)
}

// moveToRound moves the document of a run that has ended to its next round.
func (g *Gateway) moveToRound(ctx context.Context, doc *kv.Run, rev uint64, round int) (*kv.Run, error) {
	for range 10 {
		if doc.Round >= round || doc.Closed || doc.State == orbit.RunCancelled {
			return doc, nil
		}
		p, err := g.plans.get(ctx, doc.Plan)
		if err != nil {
			return nil, err
		}
		next := *doc
		next.Round, next.State, next.FinishedAt, next.Error = round, orbit.RunRunning, nil, ""
		newRev, err := g.store.Runs.Update(ctx, doc.ID, &next, rev)
		if err == nil {
			g.settlerOf(doc.ID).adopt(&next, newRev, p)
			return &next, nil
		}
		if !errors.Is(err, kv.ErrConflict) {
			return nil, err
		}
		if doc, rev, err = g.store.Runs.Get(ctx, doc.ID); err != nil {
			return nil, err
		}
	}
	return nil, conflict("run %s keeps changing; try again", doc.ID)
}

// marker reads the marker of a round; nil where there is none to be read.
func (s *settler) marker(ctx context.Context, run string, seq uint64, data []byte) (*orbit.RetryMarker, error) {
	rec, err := s.whole(ctx, seq, data)
	var m orbit.RetryMarker
	if err == nil {
		m, err = rec.Marker()
	}
	if errors.Is(err, orbit.ErrFrame) { // only a foreign writer makes such a thing; it must not stop the others
		s.g.log.Error().Err(err).Str("run", run).Uint64("seq", seq).Msg("the marker of a round cannot be read; left out")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// beginRound sees to it that the document of a run is at the round of a marker.
func (s *settler) beginRound(ctx context.Context, run string, seq uint64, data []byte) error {
	marker, err := s.marker(ctx, run, seq, data)
	if marker == nil {
		return err
	}
	doc, rev, err := s.g.store.Runs.Get(ctx, run)
	if errors.Is(err, kv.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !doc.State.Terminal() || doc.Round >= marker.Round {
		return nil
	}
	s.mu.Lock()
	delete(s.ended, run)
	s.mu.Unlock()
	_, err = s.g.moveToRound(ctx, doc, rev, marker.Round)
	return err
}

// reopen folds the marker of a round.
func (s *settler) reopen(ctx context.Context, or *openRun, seq uint64, data []byte, todo *effects) error {
	marker, err := s.marker(ctx, or.doc.ID, seq, data)
	if marker == nil {
		return err
	}
	if or.anew {
		if err := s.refold(ctx, or, seq, &effects{}); err != nil { // all effects of the rounds before are done
			return err
		}
	}
	if marker.Round > or.doc.Round { // its writer died before it moved the document
		doc, rev, err := s.g.store.Runs.Get(ctx, or.doc.ID)
		if err == nil {
			_, err = s.g.moveToRound(ctx, doc, rev, marker.Round)
		}
		if err != nil {
			return err
		}
	}
	failed, err := s.g.ledger(or.doc).failedItems(ctx, or.plan, seq)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	items, released := or.tally.Reopen(or.plan, *marker, failed)
	for i := range or.plan.Steps { // all that was born has ended, so it has been released
		if step := &or.plan.Steps[i]; step.Limited() {
			l, t := or.limitOf(step.Identifier), or.tally.Steps[step.Identifier]
			*l = stepLimit{Seq: seq, read: seq}
			if t != nil {
				l.Released = t.Born - t.Open()
			}
		}
	}
	for _, f := range items {
		step, ok := or.plan.Step(f.Step)
		if !ok {
			continue
		}
		it := heldItem{Lineage: f.Lineage, Parent: f.Bundle, Again: true}
		if step.Limited() {
			l := or.limitOf(f.Step)
			l.Queue = append(l.Queue, it)
		} else {
			todo.timed = append(todo.timed, timed{or, s.unnamed(or, step, it), time.Time{}, step})
		}
	}
	for _, r := range released {
		if r.Join.Limited() {
			or.hold(r)
		} else {
			todo.release(or, r)
		}
	}
	or.folded, or.reason, or.ended = seq, "", false
	todo.touched = append(todo.touched, or)
	return nil
}

// refold adds up anew what a run has come to before a sequence, and notes what follows from it.
func (s *settler) refold(ctx context.Context, or *openRun, before uint64, todo *effects) error {
	s.begin(or)
	return streams.ReadAll(ctx, s.g.opts.Conn, streams.StreamName(s.p), streams.RecordsOf(s.p, or.doc.ID), 1, func(m streams.Stored) error {
		if m.Seq >= before {
			return nil
		}
		return s.foldStored(ctx, m, todo)
	})
}

// begin forgets what a run has come to: it is added up anew.
func (s *settler) begin(or *openRun) {
	s.mu.Lock()
	or.tally, or.folded, or.limits, or.anew = or.plan.NewTally(), 0, nil, false
	or.first, or.records = 0, 0
	s.mu.Unlock()
}

// round is what the latest round of a run does again.
type round struct {
	again []cluster.FailedItem
	last  map[string]uint64 // sequence of the record with the last result of an item that has failed once; 0: it is being done again
}

// lastRound reads it from the ledger.
func (l *ledger) lastRound(ctx context.Context, p *cluster.Plan) (*round, error) {
	doc := l.doc
	r := &round{last: map[string]uint64{}}
	if doc.Round < 2 {
		return r, nil
	}
	var marker orbit.RetryMarker
	var at uint64
	err := l.each(ctx, 1, func(m streams.Stored) error {
		rec, err := orbit.DecodeRecord(m.Data)
		if err != nil {
			return nil
		}
		if rec.Step == orbit.RetryStep {
			marker, err = rec.Marker()
			at = m.Seq
			return err
		}
		step, ok := p.Step(rec.Step)
		if !ok || step.Part != cluster.Main {
			return nil
		}
		for i := range rec.Results {
			id := orbit.ItemID(rec.Step, rec.Results[i].Lineage)
			if _, failed := r.last[id]; failed || rec.Results[i].State == orbit.ItemFailed {
				r.last[id] = m.Seq
			}
		}
		return nil
	})
	if err != nil || at == 0 {
		return r, err
	}
	failed, err := l.failedItems(ctx, p, at)
	if err != nil {
		return nil, err
	}
	for _, f := range p.Again(marker, failed) {
		if id := orbit.ItemID(f.Step, f.Lineage); r.last[id] < at {
			r.last[id] = 0
			r.again = append(r.again, f)
		}
	}
	return r, nil
}

// failedItems reads from the ledger which items of the main part have failed for good and were not done again since, in the
// order in which they failed. before is the sequence of the record that asks; 0: as of now.
func (l *ledger) failedItems(ctx context.Context, p *cluster.Plan, before uint64) ([]cluster.FailedItem, error) {
	var order []string
	last := map[string]cluster.FailedItem{}
	err := l.each(ctx, 1, func(m streams.Stored) error {
		if before > 0 && m.Seq >= before {
			return nil
		}
		head, err := orbit.DecodeRecordHead(m.Data)
		if err != nil {
			return nil
		}
		step, ok := p.Step(head.Step)
		if !ok || step.Part != cluster.Main || head.Counts.Failed == 0 && len(last) == 0 {
			return nil
		}
		rec, err := orbit.DecodeRecord(m.Data)
		if err != nil {
			return nil
		}
		for i := range rec.Results {
			r := &rec.Results[i]
			id := orbit.ItemID(rec.Step, r.Lineage)
			if r.State == orbit.ItemFailed {
				order = append(order, id)
				last[id] = cluster.FailedItem{Step: rec.Step, Lineage: r.Lineage, Bundle: rec.Bundle, ByMembers: step.Join != nil && r.Error != nil && r.Error.Code == orbit.CodeJoin}
			} else {
				delete(last, id) // done again, and well this time
			}
		}
		return nil
	})
	out := make([]cluster.FailedItem, 0, len(last))
	for _, id := range order {
		if f, ok := last[id]; ok {
			delete(last, id)
			out = append(out, f)
		}
	}
	return out, err
}
