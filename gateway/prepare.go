package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

const (
	// startPatience is how long a gateway that starts waits for NATS servers that cannot be reached, or that are choosing who
	// leads. Then it ends with an error, for whoever started it to see.
	startPatience = 2 * time.Minute
	// startAttempt is how long one attempt may take. A request that was lost takes all of it.
	startAttempt = 20 * time.Second
)

// prepare brings about that what is stored can be used. Dying in the middle of it is mended by the next start.
func (g *Gateway) prepare(ctx context.Context) error {
	for begun, told := time.Now(), false; ; {
		attempt, cancel := context.WithTimeout(ctx, startAttempt)
		err := g.prepareOnce(attempt)
		cancel()
		late := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, streams.ErrUnknown)
		if err == nil || ctx.Err() != nil || !electing(err) && !late || time.Since(begun) > startPatience {
			return storageTrouble(err)
		}
		if !told {
			g.log.Warn().Err(err).Msg("the NATS servers do not do what is asked yet; waiting for them")
			told = true
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return err
		}
	}
}

func (g *Gateway) prepareOnce(ctx context.Context) error {
	if _, err := g.js.AccountInfo(ctx); errors.Is(err, context.DeadlineExceeded) || electing(err) {
		return fmt.Errorf("the NATS server does not answer (%w); look whether its cluster is whole", err)
	} else if err != nil {
		return fmt.Errorf("the NATS server has no JetStream for us (%w); enable it, or run orbit-gateway without --nats to use the embedded server", err)
	}
	if err := g.checkKeys(ctx); err != nil {
		return err
	}
	if err := g.setUp(ctx); err != nil {
		return err
	}
	return g.discard(ctx)
}

// setUp creates streams, buckets and the queues that every mesh has. Dying half-way is mended by the next start.
func (g *Gateway) setUp(ctx context.Context) error {
	if err := g.topology.Ensure(ctx); err != nil {
		return err
	}
	if err := kv.Ensure(ctx, g.js, g.topology.Replicas); err != nil {
		return err
	}
	if err := g.topology.Discover(ctx); err != nil {
		return fmt.Errorf("look for queues: %w", err)
	}
	first := "cpu"
	if len(g.opts.Classes) > 0 {
		first = g.opts.Classes[0].Name
	}
	_, err := g.topology.EnsureQueues(ctx, streams.QueuesOf(first, orbit.CorePool))
	return err
}

// electing tells whether the servers of a cluster are choosing who leads, so that asking again may help.
func electing(err error) bool {
	const unavailable = 10008 // of JetStream's API: temporarily unavailable
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == unavailable
}

// storageTrouble says in a sentence that the server has no room, where that is what it said.
func storageTrouble(err error) error {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.ErrorCode {
	case 10023, 10047, 10049, 10077: // insufficient resources, of storage; a store that cannot be made or written
		return fmt.Errorf("the NATS server cannot store anything (%s): make room on its disk, or choose another folder with --data", api.Description)
	}
	return err
}
