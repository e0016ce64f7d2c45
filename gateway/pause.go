package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// pauseRun stops a run for a while: nothing of it starts any more, what is running ends. Pausing a paused run is fine.
func (g *Gateway) pauseRun(ctx context.Context, id string) (*kv.Run, error) {
	doc, changed, err := g.changeRun(ctx, id, "pause.stored", func(doc *kv.Run, p *cluster.Plan) (bool, error) {
		switch {
		case doc.State == orbit.RunPaused:
			return false, nil
		case !doc.State.CanMove(orbit.RunPaused):
			return false, conflict("run %s has ended as %s; there is nothing to pause", id, doc.State)
		}
		if doc.State == orbit.RunPending { // its launcher may have died: nobody launches a paused run
			// Dying after this: a pending run with its roots queued, as in any launch.
			if err := g.publishRoots(ctx, doc, p); err != nil {
				return false, err
			}
		}
		if doc.StartedAt == nil {
			now := time.Now().UTC()
			doc.StartedAt = &now
		}
		doc.State = orbit.RunPaused
		return true, nil
	})
	if changed {
		g.tell(streams.CastPause, id)
	}
	return doc, err
}

// resumeRun lets a paused run go on. Resuming a run that is not paused is fine while it has not ended.
func (g *Gateway) resumeRun(ctx context.Context, id string) (*kv.Run, error) {
	doc, changed, err := g.changeRun(ctx, id, "resume.stored", func(doc *kv.Run, _ *cluster.Plan) (bool, error) {
		switch {
		case doc.State.Terminal():
			return false, conflict("run %s has ended as %s; there is nothing to resume", id, doc.State)
		case doc.State != orbit.RunPaused:
			return false, nil
		}
		doc.State = orbit.RunRunning
		return true, nil
	})
	if changed {
		g.tell(streams.CastResume, id)
	}
	return doc, err
}

// tell tells all nodes what became of a run. Lost, they learn it from the document, in time.
func (g *Gateway) tell(kind, run string) {
	_ = g.opts.Conn.Publish(streams.CastSubject, streams.Cast{Kind: kind, Run: run}.Encode())
}

// changeRun changes the document of a run by CAS, and passes the named fault point after it. change may be called again, with
// a newer document; it gives false where there is nothing to do.
func (g *Gateway) changeRun(ctx context.Context, id, point string, change func(*kv.Run, *cluster.Plan) (bool, error)) (doc *kv.Run, changed bool, err error) {
	for range 10 {
		doc, rev, err := g.store.Runs.Get(ctx, id)
		if errors.Is(err, kv.ErrNotFound) {
			return nil, false, notFound("there is no run %s; `orbit runs` lists them", id)
		}
		if err != nil {
			return nil, false, err
		}
		p, err := g.plans.get(ctx, doc.Plan)
		if err != nil {
			return nil, false, err
		}
		if ok, err := change(doc, p); err != nil || !ok {
			return doc, false, err
		}
		rev, err = g.store.Runs.Update(ctx, id, doc, rev)
		if errors.Is(err, kv.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		// Dying from here on: the leader finds the changed document.
		if err := g.opts.Faults.Point(ctx, point); err != nil {
			return nil, false, err
		}
		g.settlerOf(id).adopt(doc, rev, p)
		return doc, true, nil
	}
	return nil, false, conflict("run %s keeps changing; try again", id)
}

// unpark puts the bundles that were set aside back into their queues, of runs that are not paused any more.
func (s *settler) unpark(ctx context.Context) error {
	js, err := s.g.js.Stream(ctx, streams.StreamName(s.p))
	if err != nil {
		return err
	}
	info, err := js.Info(ctx, jetstream.WithSubjectFilter(streams.ParkedSubject(s.p, "*")))
	if err != nil {
		return err
	}
	for subject := range info.State.Subjects {
		_, run := ofSubject(subject, s.p)
		s.mu.Lock()
		or := s.runs[run]
		s.mu.Unlock()
		if or == nil {
			if or, err = s.find(ctx, run); err != nil {
				return err
			}
		}
		if or == nil || or.doc.State == orbit.RunPaused { // what has ended keeps it until it is closed
			continue
		}
		if err := s.unparkRun(ctx, js, or); err != nil {
			return fmt.Errorf("resume run %s: %w", run, err)
		}
	}
	return nil
}

func (s *settler) unparkRun(ctx context.Context, js jetstream.Stream, or *openRun) error {
	const most = 500 // published before the first is removed
	for {
		var seqs []uint64
		batch, now := s.newBatch(), time.Now()
		more, err := streams.ReadBatch(ctx, s.g.opts.Conn, streams.StreamName(s.p), streams.ParkedSubject(s.p, or.doc.ID), 1, most, func(m streams.Stored) error {
			b, err := orbit.DecodeBundle(m.Data)
			if err != nil {
				return err
			}
			step, ok := or.plan.Step(b.Step)
			if !ok {
				return fmt.Errorf("the plan has no step %s", b.Step)
			}
			seqs = append(seqs, m.Seq)
			// The plain id may be swallowed as a duplicate of the one that was parked.
			return batch.Publish(ctx, streams.WorkMessage(streams.QueueFor(step.Class, step.Pool, b, now), s.p, b, fmt.Sprintf("~%d", or.rev)))
		})
		if werr := batch.Wait(ctx); err == nil {
			err = werr
		}
		if err != nil {
			return err
		}
		if err := s.g.opts.Faults.Point(ctx, "resume.published"); err != nil {
			return err
		}
		// Dying among these: what is left is published once more, under the same id.
		for _, seq := range seqs {
			if err := js.DeleteMsg(ctx, seq); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}
