package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// endRuns ends those of the given runs of which nothing is left to be done.
func (s *settler) endRuns(ctx context.Context, runs []*openRun) error {
	var over []*openRun
	s.mu.Lock()
	for _, or := range runs {
		if !or.ended && or.tally.Over(or.plan) && or.tally.Round == or.doc.Round {
			or.ended = true
			over = append(over, or)
		}
	}
	s.mu.Unlock()
	if len(over) == 0 {
		return nil
	}
	errs := make(chan error, len(over))
	for _, or := range over {
		s.end(ctx, or, func(err error) { errs <- err })
	}
	var first error
	for range over {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	if first == nil {
		first = s.g.opts.Faults.Point(ctx, "settle.ended")
	}
	return first
}

// end moves a run's document to its terminal state, by CAS. done is called once, from any goroutine.
func (s *settler) end(ctx context.Context, or *openRun, done func(error)) {
	doc, m, err := s.terminal(or)
	if err != nil {
		done(err)
		return
	}
	// Dying before the answer: the next leader comes to the same end from the same ledger, and one of the two loses the CAS.
	err = s.g.pub.Publish(ctx, m, func(a streams.PubAck, err error) {
		switch {
		case errors.Is(err, streams.ErrExists):
			s.g.wg.Go(func() { done(s.endAnew(ctx, or)) }) // someone changed the document since we read it
		case err != nil:
			done(fmt.Errorf("end run %s: %w", doc.ID, err))
		default:
			s.docs.tell(streams.Told{Seq: a.Seq})
			s.finished(doc)
			done(nil)
		}
	})
	if err != nil {
		done(err)
	}
}

// endAnew reads a run's document again after a lost CAS, and ends the run from there.
func (s *settler) endAnew(ctx context.Context, or *openRun) error {
	for range 10 {
		fresh, rev, err := s.g.store.Runs.Get(ctx, or.doc.ID)
		if errors.Is(err, kv.ErrNotFound) {
			s.finished(or.doc)
			return nil
		}
		if err != nil {
			return err
		}
		if fresh.State.Terminal() {
			s.finished(fresh)
			return nil
		}
		s.mu.Lock()
		or.doc, or.rev, or.behind = fresh, rev, false
		void := or.tally.Round < fresh.Round
		or.ended = !void
		s.mu.Unlock()
		if void { // its next round has begun
			return nil
		}
		doc, m, err := s.terminal(or)
		if err != nil {
			return err
		}
		_, err = s.g.pub.Do(ctx, m)
		if err == nil {
			s.finished(doc)
			return nil
		}
		if !errors.Is(err, streams.ErrExists) {
			return fmt.Errorf("end run %s: %w", doc.ID, err)
		}
	}
	return fmt.Errorf("end run %s: its document keeps changing", or.doc.ID)
}

// terminal makes the document with which a run ends, and the message that writes it over the one that was read last.
func (s *settler) terminal(or *openRun) (*kv.Run, *nats.Msg, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state, ok := or.tally.Settle(or.plan)
	if !ok {
		return nil, nil, fmt.Errorf("run %s is not over", or.doc.ID)
	}
	doc, now := *or.doc, time.Now().UTC()
	doc.State, doc.FinishedAt = state, &now
	doc.Count(satellites(or.plan, or.tally, nil))
	if doc.StartedAt == nil { // it ended before its launcher could mark it running
		doc.StartedAt = &doc.CreatedAt
	}
	doc.DeadlineMissed = doc.DeadlineMissed || now.After(doc.Deadline)
	if failed := failures(or.plan, or.tally); failed > 0 {
		doc.Error = fmt.Sprintf("%s failed; the first: %s", plural(failed, "item"), or.reason)
		if _, alone := cluster.CalledBy(doc.Cluster); alone { // it is the only one
			doc.Error = or.reason
		}
	}
	m, err := s.g.store.Runs.Message(doc.ID, &doc, or.rev)
	return &doc, m, err
}

// finished forgets a run that has ended and wakes who waits for it.
func (s *settler) finished(doc *kv.Run) {
	s.mu.Lock()
	or := s.runs[doc.ID]
	delete(s.runs, doc.ID)
	s.ended[doc.ID] = true
	s.mu.Unlock()
	if or != nil {
		if at := or.checkpoint; at.rev > 0 {
			s.g.wg.Go(func() { s.forgetCheckpoint(s.g.ctx, doc.ID, at) }) // whoever calls may be answering for the publisher
		}
		s.g.metrics.end(doc.State)
	}
	s.g.waiters.wake(doc.ID)
	s.g.triggers.ended(doc)
	s.g.log.Debug().Str("run", doc.ID).Str("state", string(doc.State)).Msg("run ended")
}
