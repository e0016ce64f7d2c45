package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// housekeeping is what a leader does by the clock rather than by the ledger. It is called four times a second.
func (s *settler) housekeeping(ctx context.Context) error {
	now := time.Now()
	s.pulse.beat(s.last, s.checkpointed, now)
	if now.Sub(s.times.checkpoint) >= max(checkpointEvery, checkpointShare*s.times.saving) && s.last != s.checkpointed {
		if err := s.save(ctx); err != nil && ctx.Err() == nil {
			s.g.log.Warn().Err(err).Msg("checkpoint not saved")
		}
		s.times.checkpoint, s.times.saving = now, time.Since(now)
	}
	if err := s.markRunning(ctx, now); err != nil {
		return err
	}
	if err := s.releaseLimited(ctx, s.limited()); err != nil {
		return err
	}
	s.cutLogs(ctx, s.logged())
	s.docs.take() // what this gateway has written itself; else it would fill up between two looks
	if now.Sub(s.times.look) >= pendingAge {
		if err := s.lookForRuns(ctx); err != nil {
			return err
		}
		s.completePending(ctx, now)
		s.permits.forget(func(run string) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.runs[run] != nil
		})
		if err := s.unpark(ctx); err != nil && ctx.Err() == nil {
			s.g.log.Warn().Err(err).Msg("paused bundles are not put back; trying again")
		}
		s.times.look = now
	}
	if now.Sub(s.times.sweep) >= sweepEvery {
		if err := s.sweep(ctx, now); err != nil && ctx.Err() == nil {
			s.g.log.Warn().Err(err).Msg("sweep")
		}
		s.times.sweep = now
	}
	if now.Sub(s.times.show) >= time.Second {
		s.show(ctx, now)
		s.times.show = now
	}
	return nil
}

// markRunning writes into the documents of runs that have not ended within moments that they are running: of very many that are open,
// into some at a time, for most of them end before their turn.
func (s *settler) markRunning(ctx context.Context, now time.Time) error {
	behind := s.snapshot(func(or *openRun) bool { return or.behind && !or.ended && now.Sub(*or.doc.StartedAt) > markAge })
	if len(behind) == 0 {
		return nil
	}
	behind = behind[:min(len(behind), marksAtOnce)]
	marks := make(chan error, len(behind))
	for _, or := range behind {
		m, err := s.g.store.Runs.Message(or.doc.ID, or.doc, or.rev)
		if err != nil {
			return err
		}
		// Dying before this: the run stays pending with its roots queued; a leader completes it, or it ends first. A lost
		// CAS means that the document was changed, by a cancel say: then the leader reads it.
		err = s.g.pub.Publish(ctx, m, func(a streams.PubAck, err error) {
			if err == nil {
				s.adopt(or.doc, a.Seq, or.plan)
				s.docs.tell(streams.Told{Seq: a.Seq})
			} else if errors.Is(err, streams.ErrExists) {
				err = nil
			}
			marks <- err
		})
		if err != nil {
			return err
		}
	}
	for range behind {
		if err := <-marks; err != nil {
			return fmt.Errorf("mark runs as running: %w", err)
		}
	}
	return s.g.opts.Faults.Point(ctx, "launch.running")
}

// completePending launches runs whose gateway died between acceptance and launch.
func (s *settler) completePending(ctx context.Context, now time.Time) {
	for _, or := range s.snapshot(func(or *openRun) bool {
		return or.doc.State == orbit.RunPending && !fault.Planted(fault.PendingLeft) && now.Sub(or.doc.CreatedAt) > pendingAge && !or.ended
	}) {
		if _, err := s.g.completeLaunch(ctx, or.doc, or.rev, or.plan); err != nil && ctx.Err() == nil {
			s.g.log.Warn().Err(err).Str("run", or.doc.ID).Msg("launch not completed; trying again")
		}
	}
}

// show writes counts into the documents of long runs, and marks missed deadlines.
func (s *settler) show(ctx context.Context, now time.Time) {
	for _, or := range s.snapshot(func(or *openRun) bool {
		missed := now.After(or.doc.Deadline) && !or.doc.DeadlineMissed
		return !or.ended && !or.anew && or.doc.State != orbit.RunPending && (missed || now.Sub(or.shown) > docEvery)
	}) {
		doc := *or.doc
		s.mu.Lock()
		doc.Count(satellites(or.plan, or.tally, nil))
		s.mu.Unlock()
		doc.DeadlineMissed = doc.DeadlineMissed || now.After(doc.Deadline)
		if same(doc.Satellites, or.doc.Satellites) && doc.DeadlineMissed == or.doc.DeadlineMissed {
			continue
		}
		rev, err := s.g.store.Runs.Update(ctx, doc.ID, &doc, or.rev)
		if errors.Is(err, kv.ErrConflict) {
			s.refresh(ctx, doc.ID)
			continue
		}
		if err != nil {
			continue // it is only for show; the deadline is marked at the next look
		}
		s.mu.Lock()
		if live := s.runs[doc.ID]; live != nil && rev > live.rev {
			live.doc, live.rev, live.behind, live.shown = &doc, rev, false, now
		}
		s.mu.Unlock()
	}
}

// refresh reads a run's document again, because someone else changed it.
func (s *settler) refresh(ctx context.Context, id string) {
	doc, rev, err := s.g.store.Runs.Get(ctx, id)
	if err != nil {
		return
	}
	if doc.State.Terminal() {
		s.finished(doc)
		return
	}
	s.mu.Lock()
	if or := s.runs[id]; or != nil {
		or.doc, or.rev, or.behind = doc, rev, false
	}
	s.mu.Unlock()
}

// limited gives the runs that have limits on concurrency.
func (s *settler) limited() []*openRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*openRun
	for _, or := range s.runs {
		if or.limits != nil {
			out = append(out, or)
		}
	}
	return out
}

// snapshot copies the runs that fit, for looking at them without the lock.
func (s *settler) snapshot(fit func(*openRun) bool) []openRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []openRun
	for _, or := range s.runs {
		if fit(or) {
			out = append(out, *or)
		}
	}
	return out
}

func same(a, b []orbit.RunSatellite) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Items != b[i].Items || !maps.Equal(a[i].Usage, b[i].Usage) {
			return false
		}
	}
	return true
}

func decodeRun(data []byte) (*kv.Run, error) {
	doc := &kv.Run{}
	return doc, json.Unmarshal(data, doc)
}
