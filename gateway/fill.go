package gateway

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/exospherehost/orbit/streams"
)

// A full store must not lock: what is under way needs room for its records, and only runs that end make room. So gateways stop to
// accept, and nodes stop to do what makes more work, before nothing can be written any more (PROTOCOL, section 9).
const (
	// refuseFrom is the part of the store from which on no run is accepted.
	refuseFrom = 0.70
	// reserveFrom is the part from which on nodes do only bundles of steps without children, and reserveUntil where that ends.
	reserveFrom, reserveUntil = 0.85, 0.80
	// fillEvery is the time between looks. In that time a busy mesh writes some hundred megabytes.
	fillEvery = 5 * time.Second
	// fillPatience bounds one look.
	fillPatience = 10 * time.Second
)

// fill is how full the store was when it was looked at last.
type fill struct {
	now     atomic.Pointer[streams.Fill] // nil: not known
	reserve atomic.Bool
}

// watchFill looks how full the store is until the gateway ends. Where it cannot look, the last look stands.
func (g *Gateway) watchFill() {
	tick := time.NewTicker(fillEvery)
	defer tick.Stop()
	for {
		g.lookAtFill()
		select {
		case <-tick.C:
		case <-g.ctx.Done():
			return
		}
	}
}

func (g *Gateway) lookAtFill() {
	ctx, cancel := context.WithTimeout(g.ctx, fillPatience)
	defer cancel()
	look := g.opts.Fill
	if look == nil {
		look = func(ctx context.Context) (streams.Fill, error) {
			limit := int64(0)
			if g.opts.StoreLimit != nil {
				limit = g.opts.StoreLimit()
			}
			return g.topology.Fill(ctx, "the store", limit)
		}
	}
	f, err := look(ctx)
	if err != nil {
		g.log.Debug().Err(err).Msg("not known how full the store is")
		return
	}
	was := g.fill.now.Swap(&f)
	if refuses, refused := f.Share() >= refuseFrom, was != nil && was.Share() >= refuseFrom; refuses && !refused {
		g.log.Warn().Str("store", f.String()).Msg("no run is accepted until it has more room; finished runs leave it when they are archived")
	} else if refused && !refuses {
		g.log.Info().Str("store", f.String()).Msg("runs are accepted again")
	}
	limit := reserveFrom
	if g.fill.reserve.Load() {
		limit = reserveUntil
	}
	if reserve := f.Share() >= limit; g.fill.reserve.Swap(reserve) != reserve {
		g.log.Warn().Str("store", f.String()).Bool("reserve", reserve).Msg("nodes do only what makes no more work, while reserve is true")
		g.tellQueues()
	}
}

// full refuses what would start a run while the store is too full for it.
func (g *Gateway) full() error {
	f := g.fill.now.Load()
	if f == nil || f.Share() < refuseFrom {
		return nil
	}
	return problem(http.StatusServiceUnavailable, "%s, and no run is accepted above %d %%; wait until runs that have ended are archived (--archive-after), or give it more room",
		f, int(100*refuseFrom))
}

// reserved tells why a step that has children waits, where it does.
func (w *whyTeller) reserved() (reason, hint string) {
	f := w.g.fill.now.Load()
	return f.String() + ", and what is left is kept for the results of steps without children",
		"wait until runs that have ended are archived (--archive-after), or give the store more room; `orbit cancel` of a run makes room at once"
}

// storeMetrics tells how full the fullest place is.
func (g *Gateway) storeMetrics(t *promText) {
	f := g.fill.now.Load()
	if f == nil {
		return
	}
	t.family("orbit_store_used_bytes", "gauge", "Bytes stored in the place that is the fullest: all streams, the account or one stream.")
	t.value(float64(f.Used))
	t.family("orbit_store_limit_bytes", "gauge", "Bytes that this place may hold; 0: no limit is known.")
	t.value(float64(f.Limit))
}
