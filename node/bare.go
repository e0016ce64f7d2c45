package node

import (
	"context"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// complete gives a bundle with what its bare items see, read from the ledger; a bundle without such items as it is.
//
// The values are the same whoever reads them: what an item sees is committed before the item is published.
func (n *Node) complete(ctx context.Context, b *orbit.Bundle, p *plan) (*orbit.Bundle, error) {
	s, ok := p.Step(b.Step)
	if !ok || !anyBare(b.Items) {
		return b, nil
	}
	full := *b
	full.Items = make([]orbit.Item, len(b.Items))
	blobs := n.keptBlobs(ctx)
	records := n.records.of(ctx, b.Run, blobs)
	for i, it := range b.Items {
		if it.Bare {
			it.Bare = false
			var err error
			if it.Value, err = n.incoming(ctx, b, s, it.Lineage, p, records, blobs); err != nil {
				return nil, err
			}
			if it.Live, err = n.gather(ctx, b, s, it.Lineage, p, records, blobs); err != nil {
				return nil, err
			}
		}
		full.Items[i] = it
	}
	return &full, nil
}

func anyBare(items []orbit.Item) bool {
	for i := range items {
		if items[i].Bare {
			return true
		}
	}
	return false
}

// incoming finds the object that made an item, or makes that of a batch of the log; a join has none.
func (n *Node) incoming(ctx context.Context, b *orbit.Bundle, s *cluster.Step, at orbit.Lineage, p *plan, records cluster.Records, blobs cluster.Blobs) (orbit.Value, error) {
	switch s.Feeder() {
	case "":
		if s.Part == cluster.Logs {
			return n.logBatch(ctx, b.Run, at, p, records)
		}
		return orbit.Value{}, nil
	case cluster.Payload:
		return b.Payload, nil
	}
	var o orbit.Object
	var err error
	if s.Feeder() == cluster.Failed {
		o, err = p.WhatFailed(s, b.Parent, at, records)
	} else {
		o, err = p.Incoming(s, b.Parent, at, records, blobs)
	}
	if err != nil {
		return orbit.Value{}, err
	}
	return n.value(ctx, b.Run, o)
}

// gather reads the live values of an item.
func (n *Node) gather(ctx context.Context, b *orbit.Bundle, s *cluster.Step, at orbit.Lineage, p *plan, records cluster.Records, blobs cluster.Blobs) ([]orbit.Value, error) {
	if len(s.Live) == 0 {
		return nil, nil
	}
	lists := make([]spool, len(s.Live))
	for i := range lists {
		lists[i].blobs = n.store.Blobs.Of(b.Run)
	}
	live := make([]orbit.Value, len(s.Live))
	take := func(i int, o orbit.Object) (err error) {
		if s.Live[i].Many {
			return lists[i].add(ctx, o)
		}
		live[i], err = n.value(ctx, b.Run, o)
		return err
	}
	var err error
	if s.Part == cluster.Failure {
		err = p.GatherFailure(s, b.Run, b.Round, b.Parent, at, records, blobs, take)
	} else {
		err = p.Gather(s, b.Run, b.Round, at, records, blobs, take)
	}
	if err != nil {
		return nil, err
	}
	for i, l := range s.Live {
		switch {
		case l.Step == cluster.Payload:
			live[i] = b.Payload
		case l.Many:
			if live[i], err = lists[i].list(ctx); err != nil {
				return nil, err
			}
		}
	}
	return live, nil
}

// value is an object as it travels: by reference where it is long.
func (n *Node) value(ctx context.Context, run string, o orbit.Object) (orbit.Value, error) {
	if len(o) <= orbit.MaxInline {
		return orbit.Value{Object: o}, nil
	}
	name, err := n.store.Blobs.Of(run).Put(ctx, o)
	return orbit.Value{Ref: &orbit.Ref{Blob: name, Length: len(o)}}, err
}
