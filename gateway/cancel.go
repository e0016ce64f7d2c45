package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// cancelRun ends a run as cancelled. The document is changed first, by CAS; telling the nodes and purging what waits only
// save work, and are made up for by whoever meets a piece of the run later. Cancelling a cancelled run is fine.
func (g *Gateway) cancelRun(ctx context.Context, id string) (*kv.Run, error) {
	s := g.settlerOf(id)
	for range 10 {
		doc, rev, err := g.store.Runs.Get(ctx, id)
		if errors.Is(err, kv.ErrNotFound) {
			return nil, notFound("there is no run %s; `orbit runs` lists them", id)
		}
		if err != nil {
			return nil, err
		}
		if doc.State == orbit.RunCancelled {
			return doc, nil
		}
		if !doc.State.CanMove(orbit.RunCancelled) {
			return nil, conflict("run %s has ended as %s; there is nothing to cancel", id, doc.State)
		}
		p, err := g.plans.get(ctx, doc.Plan)
		if err != nil {
			return nil, err
		}
		now := time.Now().UTC()
		doc.State, doc.FinishedAt = orbit.RunCancelled, &now
		if live, sats, ok := s.tallyOf(id); ok {
			doc.Satellites = sats
			if doc.StartedAt == nil {
				doc.StartedAt = live.StartedAt
			}
		} else if doc.Satellites == nil {
			doc.Satellites = satellites(p, p.NewTally(), nil)
		}
		for i := range doc.Satellites { // what has not ended counts as cancelled
			doc.Satellites[i].Items.Cancel()
		}
		_, err = g.store.Runs.Update(ctx, id, doc, rev)
		if errors.Is(err, kv.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := g.opts.Faults.Point(ctx, "cancel.stored"); err != nil {
			return nil, err
		}
		// Dying from here on: nodes find the document when they look, and drop what they pull.
		g.tellCancelled(id)
		s.finished(doc)
		s.purge(ctx, id)
		return doc, nil
	}
	return nil, conflict("run %s keeps changing; try again", id)
}

// tellCancelled tells all nodes that a run was cancelled. Lost, it is said again when a late record of the run shows up.
func (g *Gateway) tellCancelled(run string) {
	_ = g.opts.Conn.Publish(streams.CastSubject, streams.Cast{Kind: streams.CastCancel, Run: run}.Encode())
}
