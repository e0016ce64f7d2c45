package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// limitAhead is the number of records that are read at once to find what may be released next.
const limitAhead = 64

// stepLimit is how far a step with a limit on concurrency has been released. Its bundles hold one item each; what is released is
// always the first (limit + items that have ended) of them, in the order of the ledger. So it follows from a prefix of the
// ledger and only grows: nothing is counted down that could leak, and two leaders release the same.
type stepLimit struct {
	Released int        `json:"released"`        // bundles that were published
	Seq      uint64     `json:"seq"`             // the ledger has been read up to here, this record included
	Skip     int        `json:"skip"`            // bundles of the record after Seq that are released already
	Queue    []heldItem `json:"queue,omitempty"` // what no record names: released joins, and what a later round does again

	ahead []aheadBundle // read past Seq and not released
	read  uint64        // the ledger has been read up to here for ahead
}

// aheadBundle is a bundle that waits for its release.
type aheadBundle struct {
	cluster.BareBundle
	seq uint64 // of the record that names it
	n   int    // among the bundles of its step there
}

// heldItem is an item that waits for its release and that no record names.
type heldItem struct {
	Lineage orbit.Lineage `json:"lineage"`
	Parent  string        `json:"parent"`           // bundle
	Failed  string        `json:"failed,omitempty"` // of a join: the sentence with which it fails, or nothing
	Again   bool          `json:"again,omitempty"`  // it has ended in a round before
}

// limitOf gives the limit of a step in a run.
func (or *openRun) limitOf(step string) *stepLimit {
	if or.limits == nil {
		or.limits = map[string]*stepLimit{}
	}
	l := or.limits[step]
	if l == nil {
		l = &stepLimit{}
		or.limits[step] = l
	}
	return l
}

// hold puts a released join among those that wait for a limit.
func (or *openRun) hold(r cluster.Release) {
	l := or.limitOf(r.Join.Identifier)
	l.Queue = append(l.Queue, heldItem{r.Lineage, or.doc.ID, r.Failed, r.Again})
}

// delayed gives the bundles that a record names for steps with a delay and no limit.
func (s *settler) delayed(ctx context.Context, or *openRun, rec *orbit.Record) (out []timed, err error) {
	err = s.eachHeld(ctx, or, rec, func(_ int, h cluster.BareBundle) error {
		if !h.Step.Limited() {
			out = append(out, timed{or, &h.Bundle, time.UnixMilli(h.Due), h.Step})
		}
		return nil
	})
	return out, err
}

func (s *settler) eachHeld(ctx context.Context, or *openRun, rec *orbit.Record, f func(n int, h cluster.BareBundle) error) error {
	return s.g.eachBare(ctx, or.plan, or.doc, rec, true, f)
}

// eachBare calls f for the bundles that a record names, ready to be published.
func (g *Gateway) eachBare(ctx context.Context, p *cluster.Plan, doc *kv.Run, rec *orbit.Record, held bool, f func(n int, h cluster.BareBundle) error) error {
	return p.EachBare(rec, held, g.blobs(ctx), g.bundleOf(doc), func(n int, h cluster.BareBundle) error {
		if h.Step.SeesPayload() {
			h.Bundle.Payload = payloadOf(doc)
		}
		return f(n, h)
	})
}

// releaseLimited publishes what the limits of runs let through.
func (s *settler) releaseLimited(ctx context.Context, runs []*openRun) error {
	for _, or := range runs {
		for i := range or.plan.Steps {
			step := &or.plan.Steps[i]
			if !step.Limited() {
				continue
			}
			if err := s.releaseStep(ctx, or, step); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *settler) releaseStep(ctx context.Context, or *openRun, step *cluster.Step) error {
	s.mu.Lock()
	l, t := or.limitOf(step.Identifier), or.tally.Steps[step.Identifier]
	var free int
	if t != nil && !or.ended {
		settled := t.Succeeded + t.Failed + t.Skipped
		if fault.Planted(fault.LimitForgets) {
			settled += t.Retrying
		}
		free = min(step.Concurrency+settled, t.Born) - l.Released
	}
	s.mu.Unlock()
	if free <= 0 {
		return nil
	}
	var now []timed
	s.mu.Lock()
	n := min(free, len(l.Queue))
	for _, it := range l.Queue[:n] {
		now = append(now, s.unnamedNow(or, step, it))
	}
	l.Queue = l.Queue[n:]
	s.mu.Unlock()
	if step.Join == nil {
		for len(now) < free {
			if len(l.ahead) == 0 {
				if more, err := s.readAhead(ctx, or, step, l); err != nil {
					return err
				} else if !more {
					break
				}
				continue
			}
			next := l.ahead[0]
			if due := time.UnixMilli(next.Due); time.Until(due) > 0 { // those behind it are due later; housekeeping comes back
				break
			}
			now = append(now, timed{or, &next.Bundle, time.Time{}, step})
			l.ahead = l.ahead[1:]
			l.Seq, l.Skip = next.seq-1, next.n+1
		}
	}
	// Dying before the answers: the next leader finds the same position in its checkpoint or an earlier one, and publishes the
	// same bundles under the same ids.
	if err := s.schedule(ctx, now); err != nil {
		return fmt.Errorf("release items of %s: %w", step.Identifier, err)
	}
	s.mu.Lock()
	l.Released += len(now)
	s.mu.Unlock()
	if len(now) == 0 {
		return nil
	}
	return s.g.opts.Faults.Point(ctx, "settle.released")
}

// readAhead reads on in the run's ledger for bundles of a limited step. It gives false at the end of what is folded.
func (s *settler) readAhead(ctx context.Context, or *openRun, step *cluster.Step, l *stepLimit) (bool, error) {
	if l.read < l.Seq {
		l.read = l.Seq
	}
	found, last := false, l.read
	_, err := streams.ReadBatch(ctx, s.g.opts.Conn, streams.StreamName(s.p), streams.RecordsOf(s.p, or.doc.ID), l.read+1, limitAhead, func(m streams.Stored) error {
		if m.Seq > or.folded {
			return nil
		}
		last, found = m.Seq, true
		head, err := orbit.DecodeRecordHead(m.Data)
		if err != nil || !or.plan.Holds(head.Step) {
			return nil
		}
		rec, err := orbit.DecodeRecord(m.Data)
		if err != nil {
			return nil // told of when it was folded
		}
		err = s.eachHeld(ctx, or, rec, func(n int, h cluster.BareBundle) error {
			if h.Step.Identifier == step.Identifier && (m.Seq > l.Seq+1 || n >= l.Skip) {
				l.ahead = append(l.ahead, aheadBundle{h, m.Seq, n})
			}
			return nil
		})
		if damaged(err) {
			return nil // told of, too
		}
		return err
	})
	l.read = last
	return found, err
}
