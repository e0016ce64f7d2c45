package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

const (
	// suspectFrom is the delivery from which on a bundle's starts are marked. Deliveries grow on hand-backs too, so the
	// count alone proves nothing.
	suspectFrom = 5
	// maxStarts is the number of marked starts without a record after which a bundle is not started again.
	maxStarts = 3
)

// marks counts the starts of a suspicious bundle that were marked; none of them left a record.
func (n *Node) marks(ctx context.Context, d *streams.Delivery) (int, error) {
	for i := range maxStarts {
		_, err := streams.Last(ctx, n.opts.Conn, streams.StreamName(d.Partition), streams.StartMarkSubject(d.Partition, d.Run, d.Bundle.ID, i+1))
		if errors.Is(err, streams.ErrNotFound) {
			return i, nil
		}
		if err != nil {
			return 0, fmt.Errorf("look for start marks: %w", err)
		}
	}
	return maxStarts, nil
}

// start runs a bundle beside others, or alone: one that was started before and left no record may take the node with it,
// and what runs beside it must not be blamed. The mark is written when nothing stands between it and the start. The first
// one proves nothing, for hand-backs count as deliveries too, so that start is like any other.
func (n *Node) start(ctx context.Context, d *streams.Delivery, e *execution, suspicious bool, marks int) error {
	leave, err := n.gate.enter(ctx, marks > 0)
	if err != nil {
		return err
	}
	defer leave()
	if suspicious {
		m := &nats.Msg{Subject: streams.StartMarkSubject(d.Partition, d.Run, d.Bundle.ID, marks+1), Data: []byte(n.opts.Name),
			Header: nats.Header{nats.ExpectedLastSubjSeqHdr: {"0"}}}
		// Dying after this and before the start: a start too many is counted, of the three that it takes.
		if _, err := n.pub.Do(ctx, m); err != nil { // lost to another node, too: that one runs it
			return fmt.Errorf("mark a start: %w", err)
		}
	}
	return e.run(ctx)
}

// poisoned is the result of a bundle that was started again and again and never recorded: a single item has failed; of
// several, each gets a bundle of its own, and the attempt does not count.
func (n *Node) poisoned(ctx context.Context, b *orbit.Bundle, p *plan) *execution {
	e := &execution{node: n, bundle: b, plan: p, step: p.steps[b.Step], started: time.Now(), blobs: n.blobs(ctx), spool: spool{blobs: n.store.Blobs.Of(b.Run)}}
	for i := range b.Items {
		it := b.Items[i]
		id := orbit.ItemID(b.Step, it.Lineage)
		r := orbit.Result{Lineage: it.Lineage, State: orbit.ItemFailed, Attempt: it.Attempt + 1,
			Error: orbit.Permanent(orbit.CodePoisoned, "%s: %d nodes died while they ran it; look for what it does to a machine before you retry it", id, maxStarts)}
		if len(b.Items) > 1 {
			r.State, r.Attempt, r.Input = orbit.ItemRetrying, it.Attempt, &it
			r.Error = orbit.Transient(orbit.CodePoisoned, "%s: nodes died while they ran its bundle; it is tried alone", id)
			r.Error.After = time.Duration(i + 1) // tells neighbours apart, so that each gets a bundle of its own
		}
		e.results = append(e.results, r)
		e.waits = append(e.waits, 0)
	}
	return e
}
