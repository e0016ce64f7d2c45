package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

// retry is a bundle that a record says is to be tried again.
type retry struct {
	bundle *orbit.Bundle
	due    time.Time
	step   *cluster.Step
}

// retriesOf gives the retry bundles that a record names, with their times.
func (s *settler) retriesOf(ctx context.Context, or *openRun, rec *orbit.Record) ([]retry, error) {
	step, ok := or.plan.Step(rec.Step)
	if !ok {
		return nil, fmt.Errorf("the plan of run %s has no step %s", rec.Run, rec.Step)
	}
	var out []retry
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
		out = append(out, retry{b, time.UnixMilli(k.Due), step})
		return nil
	})
	return out, err
}

// schedule sees to it that retry bundles come at their time. What is due within the granularity of schedules goes out at once.
func (s *settler) schedule(ctx context.Context, retries []retry) error {
	if len(retries) == 0 {
		return nil
	}
	later, work := s.g.pub.NewBatch(), s.g.pub.NewBatch()
	work.Each = s.stored
	now := time.Now()
	var err error
	for _, r := range retries {
		if r.due.Sub(now) > 20*time.Millisecond {
			err = later.Publish(ctx, streams.ScheduleMessage(s.p, r.bundle.Run, r.bundle.ID, r.bundle.Encode(), r.due))
		} else {
			err = work.Publish(ctx, streams.WorkMessage(streams.QueueFor(r.step.Class, r.step.Pool, r.bundle, now), s.p, r.bundle, ""))
		}
		if err != nil {
			break
		}
	}
	// Dying before the answers: the checkpoint is older than these records, so the next leader folds them again and
	// schedules the same bundles under the same ids.
	if err := errors.Join(later.Wait(ctx), work.Wait(ctx)); err != nil {
		return fmt.Errorf("schedule retries: %w", err)
	}
	return nil
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
	ack, err := s.g.pub.Do(ctx, streams.WorkMessage(streams.QueueFor(step.Class, step.Pool, b, time.Now()), s.p, b, ""))
	if err != nil {
		return err
	}
	s.stored(ack)
	return s.g.opts.Faults.Point(ctx, "due.published")
}
