package gateway

import (
	"context"
	"encoding/json"
	"time"

	"github.com/exospherehost/orbit/streams"
)

const (
	// planAge is how long ago a plan must have been stored, or been asked for again, to be removed.
	planAge = 24 * time.Hour
	// planLook is the time between two looks for plans that nothing needs. It is far more than the way from a cluster's document to
	// that of a run takes: a plan that nothing needs at two looks is not on such a way.
	planLook = time.Hour
	// planTouch is how often a plan that is stored again is written again, so that it is not old. It is far less than planAge.
	planTouch = time.Hour
)

// removePlans removes plans that no cluster and no run has any more. The leader of partition 0 does it.
func (g *Gateway) removePlans() {
	tick := time.NewTicker(planLook)
	defer tick.Stop()
	var unused map[string]uint64 // at the last look, by hash, with the sequence that it had
	for {
		select {
		case <-tick.C:
		case <-g.ctx.Done():
			return
		}
		if !g.leads(0) {
			unused = nil
			continue
		}
		now, err := g.removeUnused(g.ctx, time.Now().Add(-planAge), unused)
		if err != nil {
			g.log.Debug().Err(err).Msg("not known which plans are unused")
			continue
		}
		unused = now
	}
}

// removeUnused removes the plans that nothing refers to and that were stored before a time, where that was so at the last look
// already, and gives the others.
func (g *Gateway) removeUnused(ctx context.Context, before time.Time, last map[string]uint64) (map[string]uint64, error) {
	unused, err := g.unusedPlans(ctx, before)
	for hash, seq := range unused {
		if last[hash] != seq {
			continue
		}
		// What was stored again since has another sequence and stays. Dying among them: the rest goes another time.
		if err := g.store.Plans.Erase(ctx, hash, seq); err != nil {
			return nil, err
		}
		g.plans.drop(hash)
		delete(unused, hash)
	}
	return unused, err
}

// unusedPlans gives the plans of before a time that nothing refers to, with their sequences. The runs are read last: a run may be made of a
// cluster whose document has moved on.
func (g *Gateway) unusedPlans(ctx context.Context, before time.Time) (map[string]uint64, error) {
	unused := map[string]uint64{}
	b := g.store.Plans
	err := streams.ReadAll(ctx, g.opts.Conn, b.Stream(), b.Keys(), 1, func(m streams.Stored) error {
		if len(m.Data) > 0 && m.Time.Before(before) {
			unused[b.Key(m.Subject)] = m.Seq
		}
		return nil
	})
	if err != nil || len(unused) == 0 {
		return nil, err
	}
	for _, from := range []struct{ stream, keys string }{
		{g.store.Clusters.Stream(), g.store.Clusters.Keys()}, {g.store.History.Stream(), g.store.History.Keys()}, {g.store.Runs.Stream(), g.store.Runs.Keys()},
	} {
		err := streams.ReadAll(ctx, g.opts.Conn, from.stream, from.keys, 1, func(m streams.Stored) error {
			var doc struct {
				Plan      string `json:"plan"`
				Forgotten bool   `json:"forgotten"`
			}
			if len(m.Data) > 0 && json.Unmarshal(m.Data, &doc) == nil && !doc.Forgotten {
				delete(unused, doc.Plan)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return unused, nil
}
