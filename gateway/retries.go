package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

// timed is a bundle that is to come at its time.
type timed struct {
	or     *openRun
	bundle *orbit.Bundle
	due    time.Time
	step   *cluster.Step
}

// retriesOf gives the retry bundles that a record names, with their times.
func (s *settler) retriesOf(ctx context.Context, or *openRun, rec *orbit.Record) ([]timed, error) {
	step, ok := or.plan.Step(rec.Step)
	if !ok {
		return nil, fmt.Errorf("the plan of run %s has no step %s", rec.Run, rec.Step)
	}
	var out []timed
	err := cluster.EachKid(rec, s.g.blobs(ctx), func(k orbit.Kid) error {
		if k.Kind != orbit.KidRetry {
			return nil
		}
		b, err := cluster.RetryBundle(rec, k, s.g.bundleOf(or.doc))
		if err != nil {
			return err
		}
		if step.SeesPayload() {
			b.Payload = payloadOf(or.doc) // for items that came bare
		}
		out = append(out, timed{or, b, time.UnixMilli(k.Due), step})
		return nil
	})
	return out, err
}

// schedule sees to it that bundles come at their time. What is due within the granularity of schedules goes out at once.
func (s *settler) schedule(ctx context.Context, timed []timed) error {
	if len(timed) == 0 {
		return nil
	}
	later, work := s.g.pub.NewBatch(), s.newBatch()
	now := time.Now()
	var err error
	for _, t := range timed {
		if t.due.Sub(now) > 20*time.Millisecond {
			err = later.Publish(ctx, streams.ScheduleMessage(s.p, t.bundle.Run, t.bundle.ID, t.bundle.Encode(), t.due))
		} else {
			err = work.Publish(ctx, s.message(t.or, t.step, t.bundle, now))
		}
		if err != nil {
			break
		}
	}
	// Dying before the answers: the checkpoint is older than these records, so the next leader folds them again and
	// schedules the same bundles under the same ids.
	if err := errors.Join(later.Wait(ctx), work.Wait(ctx)); err != nil {
		return fmt.Errorf("schedule bundles: %w", err)
	}
	return nil
}

// newBatch collects work that the leader publishes.
func (s *settler) newBatch() *streams.Batch {
	b := s.g.pub.NewBatch()
	b.Each = s.stored
	return b
}

// message is what puts a bundle into its queue, or beside it while its run is paused.
func (s *settler) message(or *openRun, step *cluster.Step, b *orbit.Bundle, now time.Time) *nats.Msg {
	s.mu.Lock()
	paused, suffix := or != nil && or.doc.State == orbit.RunPaused, ""
	if or != nil && or.pass > 0 {
		suffix = fmt.Sprintf("~sweep%d.%d", s.epoch, or.pass)
	}
	s.mu.Unlock()
	if paused {
		return streams.ParkMessage(s.p, b.Run, b.Encode())
	}
	return streams.WorkMessage(streams.QueueFor(step.Class, step.Pool, b, now), s.p, b, suffix)
}

// publishDue publishes a retry bundle whose time has come.
func (s *settler) publishDue(ctx context.Context, data []byte) error {
	b, err := orbit.DecodeBundle(data)
	if err != nil {
		s.g.log.Error().Err(err).Msg("a scheduled bundle cannot be read; dropped")
		return nil
	}
	p, err := s.g.plans.get(ctx, b.Plan)
	if err != nil {
		return err
	}
	step, ok := p.Step(b.Step)
	if !ok {
		s.g.log.Error().Str("run", b.Run).Str("satellite", b.Step).Msg("a scheduled bundle of an unknown step; dropped")
		return nil
	}
	s.mu.Lock()
	or := s.runs[b.Run]
	s.mu.Unlock()
	ack, err := s.g.pub.Do(ctx, s.message(or, step, b, time.Now()))
	if err != nil {
		return err
	}
	s.stored(ack)
	return s.g.opts.Faults.Point(ctx, "due.published")
}
