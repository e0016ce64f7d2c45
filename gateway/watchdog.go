package gateway

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit/streams"
)

// watchEvery is the time between looks at the queues.
const watchEvery = 30 * time.Second

// watchdog looks for queues that hold work which their consumer does not see. Consumers of work queue streams have been
// seen to get stuck like that, and an operator may have removed one. Such a consumer is made anew: that delivers
// everything again, which is harmless, for the records know what is done.
func (g *Gateway) watchdog() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	suspect := map[string]bool{}
	for {
		select {
		case <-tick.C:
		case <-g.ctx.Done():
			return
		}
		for p := range g.topology.Partitions {
			if !g.leads(p) {
				continue
			}
			for _, q := range g.topology.Queues() {
				key := streams.StreamName(p) + " " + q.Consumer()
				stuck, err := g.topology.Stuck(g.ctx, q, p)
				switch {
				case err != nil || !stuck:
					delete(suspect, key)
				case !suspect[key]: // it may just be between two states
					suspect[key] = true
				default:
					g.log.Warn().Str("queue", q.Consumer()).Int("partition", p).Msg("the queue holds work that its consumer does not see; making the consumer anew")
					if err := g.topology.Renew(g.ctx, q, p); err != nil {
						g.log.Error().Err(err).Str("queue", q.Consumer()).Msg("consumer not renewed")
					}
					delete(suspect, key)
				}
			}
		}
	}
}

// queueState is what a consumer tells of its queue.
func (g *Gateway) queueState(ctx context.Context, q streams.Queue, p int) (*jetstream.ConsumerInfo, error) {
	c, err := g.js.Consumer(ctx, streams.StreamName(p), q.Consumer())
	if err != nil {
		return nil, err
	}
	return c.CachedInfo(), nil
}
