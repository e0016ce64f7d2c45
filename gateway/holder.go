package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
	"github.com/exospherehost/orbit/vault"
)

// checkHolder refuses a node that has no business with the secrets it asks for: one that is not there, that does not host the
// satellite, or that names a bundle which nobody holds now. Who of several nodes holds a bundle, the server does not tell.
func (g *Gateway) checkHolder(ctx context.Context, req vault.Request, step *cluster.Step) error {
	node, err := g.hosting(ctx, req.Node)
	if err != nil {
		return err
	}
	if !slices.Contains(node.Pools, step.Pool) {
		return fmt.Errorf("node %s does not host the satellite %s (pool %s)", req.Node, step.Uses, step.Pool)
	}
	p := streams.Partition(req.Run, g.topology.Partitions)
	none := fmt.Errorf("node %s does not hold the bundle %s of run %s", req.Node, req.Bundle, req.Run)
	m, err := streams.At(ctx, g.opts.Conn, streams.StreamName(p), req.Seq)
	if errors.Is(err, streams.ErrNotFound) {
		return none // it was done, or never was
	}
	if err != nil {
		return err
	}
	q, run, ok := streams.QueueOf(m.Subject)
	if !ok || run != req.Run || q.Pool != step.Pool {
		return none
	}
	b, err := orbit.DecodeBundle(m.Data)
	if err != nil || b.ID != req.Bundle || b.Run != req.Run || b.Step != req.Step {
		return none
	}
	info, err := g.queueState(ctx, q, p)
	if err != nil {
		return err
	}
	if req.Seq > info.Delivered.Stream || info.NumAckPending == 0 {
		return none // it waits in its queue
	}
	return nil
}

// hosting gives what a living node says of itself; where this gateway has just started, what it said to another.
func (g *Gateway) hosting(ctx context.Context, name string) (*orbit.NodeDoc, error) {
	g.nodes.mu.Lock()
	n := g.nodes.all[name]
	var doc orbit.NodeDoc
	here := n != nil && !n.left && time.Since(n.at) <= nodeSilent
	if here {
		doc = n.beat.Node
	}
	g.nodes.mu.Unlock()
	if here {
		return &doc, nil
	}
	if n == nil && name != "" && !strings.ContainsAny(name, ".*> \t\r\n") { // it becomes a word of a subject
		stored, _, err := g.store.Nodes.Get(ctx, name)
		if err == nil && stored.State != "left" && time.Since(stored.Seen) <= kv.NodeTTL {
			return &stored.NodeDoc, nil
		}
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("no node %.64q is here", name)
}
