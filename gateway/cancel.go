package gateway

import (
	"context"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// cancelRun ends a run as cancelled. The document is changed first, by CAS; telling the nodes and purging what waits only
// save work, and are made up for by whoever meets a piece of the run later. Cancelling a cancelled run is fine.
func (g *Gateway) cancelRun(ctx context.Context, id string) (*kv.Run, error) {
	s := g.settlerOf(id)
	doc, changed, err := g.changeRun(ctx, id, "cancel.stored", func(doc *kv.Run, p *cluster.Plan) (bool, error) {
		switch {
		case doc.State == orbit.RunCancelled:
			return false, nil
		case !doc.State.CanMove(orbit.RunCancelled):
			return false, conflict("run %s has ended as %s; there is nothing to cancel", id, doc.State)
		}
		now := time.Now().UTC()
		doc.State, doc.FinishedAt = orbit.RunCancelled, &now
		if live, sats, ok := s.tallyOf(id); ok {
			doc.Count(sats)
			if doc.StartedAt == nil {
				doc.StartedAt = live.StartedAt
			}
		} else if doc.Satellites == nil {
			doc.Count(satellites(p, p.NewTally(), nil))
		}
		for i := range doc.Satellites { // what has not ended counts as cancelled
			doc.Satellites[i].Items.Cancel()
		}
		return true, nil
	})
	if err != nil || !changed {
		return doc, err
	}
	// Dying from here on: nodes find the document when they look, and drop what they pull.
	g.tellCancelled(id)
	s.finished(doc)
	s.purge(ctx, id)
	return doc, nil
}

// tellCancelled tells all nodes that a run was cancelled. Lost, it is said again when a late record of the run shows up.
func (g *Gateway) tellCancelled(run string) { g.tell(streams.CastCancel, run) }
