package gateway

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

const (
	// sweepEvery is the time between two looks for runs of which something was lost.
	sweepEvery = 2 * streams.AckWait
	// sweepMost bounds the bundles that are put back at once.
	sweepMost = 1000
)

// sweep looks for runs that cannot go on: something of them is outstanding, nothing has been committed for a while, and
// nothing of them waits anywhere, at two looks. Then a bundle was lost, which no crash of ours does; an operator may have
// purged a queue, or a disk has forgotten. What was lost follows from the ledger, and is put back.
func (s *settler) sweep(ctx context.Context, now time.Time) error {
	still := s.snapshot(func(or *openRun) bool {
		return !or.ended && !or.anew && or.doc.State == orbit.RunRunning && or.tally.Outstanding > 0 && now.Sub(or.progress) > sweepEvery && !or.delayed(now)
	})
	for i := range still {
		id := still[i].doc.ID
		n, err := s.waiting(ctx, id)
		if err != nil {
			return err
		}
		s.mu.Lock()
		or := s.runs[id]
		lost := or != nil && n == 0 && or.missed
		if or != nil {
			or.missed = n == 0
		}
		s.mu.Unlock()
		if lost {
			if err := s.putBack(ctx, or); err != nil {
				return fmt.Errorf("put back what was lost of run %s: %w", id, err)
			}
		}
	}
	return nil
}

// delayed tells whether items of a limited step wait for their time: they are in no queue.
func (or *openRun) delayed(now time.Time) bool {
	for _, l := range or.limits {
		if len(l.ahead) > 0 && time.UnixMilli(l.ahead[0].Due).After(now) {
			return true
		}
	}
	return false
}

// waiting counts the bundles of a run that wait in any place, or are being run.
func (s *settler) waiting(ctx context.Context, run string) (n uint64, err error) {
	for _, f := range streams.OfRun(s.p, run) {
		st, err := s.g.js.Stream(ctx, f.Stream)
		if err != nil {
			return 0, err
		}
		info, err := st.Info(ctx, jetstream.WithSubjectFilter(f.Subject))
		if err != nil {
			return 0, err
		}
		for subject, count := range info.State.Subjects {
			if kind, _ := ofSubject(subject, s.p); kind != "dead" {
				n += count
			}
		}
	}
	return n, nil
}

// putBack folds a run anew and publishes all that its records imply and that has no record, under ids of this pass: the
// plain ones may be swallowed as duplicates of what was lost.
func (s *settler) putBack(ctx context.Context, or *openRun) error {
	recorded := map[string]bool{}
	records := streams.RecordsOf(s.p, or.doc.ID)
	var lost []timed
	add := func(step *cluster.Step, b *orbit.Bundle) error {
		lost = append(lost, timed{or, b, time.Time{}, step})
		return nil
	}
	for _, root := range or.plan.Roots() {
		_ = add(root, s.g.rootBundle(or.doc, root))
	}
	err := streams.ReadAll(ctx, s.g.opts.Conn, streams.StreamName(s.p), records, 1, func(m streams.Stored) error {
		rec, err := orbit.DecodeRecord(m.Data)
		if err != nil {
			return nil // told of when it was folded
		}
		recorded[rec.Bundle] = true
		if rec.Step == orbit.RetryStep {
			return nil
		}
		return s.g.eachBare(ctx, or.plan, or.doc, rec, false, func(_ int, h cluster.BareBundle) error { return add(h.Step, &h.Bundle) })
	})
	if err != nil {
		return err
	}
	var todo effects
	if err := s.refold(ctx, or, math.MaxUint64, &todo); err != nil {
		return err
	}
	s.mu.Lock()
	or.pass++
	or.missed, or.progress = false, time.Now()
	s.mu.Unlock()
	lost = slices.DeleteFunc(append(lost, todo.timed...), func(t timed) bool { return recorded[t.bundle.ID] })
	s.g.log.Warn().Str("run", or.doc.ID).Int("bundles", len(lost)).Int("joins", len(todo.joins)).Msg("something of the run was lost; it is put back from the ledger")
	if err := s.schedule(ctx, lost[:min(len(lost), sweepMost)]); err != nil {
		return err
	}
	if err := s.publishJoins(ctx, todo.joins); err != nil {
		return err
	}
	return s.releaseLimited(ctx, []*openRun{or})
}
