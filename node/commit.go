package node

import (
	"context"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

// itemOverhead is about what an item takes in a bundle beside its value: lineage, attempt, lengths.
const itemOverhead = 24

// record makes the record of an executed bundle: results, outputs, and every bundle that follows. From here on the
// grouping stands; it is read from the record and never computed again.
func (e *execution) record(ctx context.Context) (*orbit.Record, error) {
	b := e.bundle
	rec := &orbit.Record{Bundle: b.ID, Run: b.Run, Step: b.Step, Parent: b.Parent, Ordinal: b.Ordinal, Node: e.node.opts.Name,
		Started: e.started.UnixMilli(), Finished: time.Now().UnixMilli(), Results: e.results}
	if b.ID == orbit.RetryBundleID(b.Step, b.Parent, b.Ordinal) { // attempts do not tell: some are not counted
		rec.Counts.Again = len(b.Items)
	}
	for i := range e.results {
		rec.Usage.Add(e.results[i].Usage)
		switch e.results[i].State {
		case orbit.ItemSucceeded:
			rec.Counts.Succeeded++
		case orbit.ItemFailed:
			rec.Counts.Failed++
		case orbit.ItemSkipped:
			rec.Counts.Skipped++
		case orbit.ItemRetrying:
			rec.Counts.Retry++
		}
	}
	kids := spool{blobs: e.spool.blobs}
	var list []byte
	count := 0
	add := func(k orbit.Kid) error {
		list = orbit.AppendKid(list, k)
		if count++; len(list) < chunkBytes {
			return nil
		}
		return cutKids(ctx, &kids, &list, &count)
	}
	total := len(e.spool.sizes)
	rec.Born, rec.FailureItems = e.plan.Births(e.step.Step, total, rec.Counts.Failed)
	if total > 0 {
		sizes := slices.Grow(e.scratch.asItems[:0], total)[:total]
		e.scratch.asItems = sizes
		for _, child := range e.step.kids {
			e.childSizes(child, sizes)
			k := e.node.pace.bundle(child.Uses, child.BundleHint)
			// What is let through one by one comes one by one. Items of a model wait on the network, each as long as a bundle of
			// anything else takes: one after the other in a bundle, they would leave places at the endpoint empty.
			if child.Limited() || child.RateLimit != nil || orbit.IsModelPool(child.Pool) {
				k = 1
			}
			for _, kid := range cluster.Group(child.Identifier, sizes, k) {
				kid.Due = e.due(child)
				if err := add(kid); err != nil {
					return nil, err
				}
			}
		}
	}
	failures := e.plan.FailureKids(e.step.Step, e.results)
	for i := range failures {
		if first, ok := e.plan.Step(failures[i].Step); ok {
			failures[i].Due = e.due(first)
		}
	}
	for _, kid := range append(e.retries(), failures...) {
		if err := add(kid); err != nil {
			return nil, err
		}
	}
	if len(kids.chunks) == 0 && len(list) <= orbit.MaxInline {
		rec.Kids.Inline = list
	} else {
		if len(list) > 0 {
			if err := cutKids(ctx, &kids, &list, &count); err != nil {
				return nil, err
			}
		}
		rec.Kids.Chunks = kids.chunks
	}
	var err error
	rec.Outputs, err = e.spool.payload(ctx)
	return rec, err
}

// due is when the delay of a step that follows is over; 0 where it has none.
func (e *execution) due(s *cluster.Step) int64 {
	if s.Delay == 0 {
		return 0
	}
	return time.Now().Add(time.Duration(s.Delay)).UnixMilli()
}

// cutKids moves the list of bundles so far to the blob store.
func cutKids(ctx context.Context, kids *spool, list *[]byte, count *int) error {
	name, err := kids.blobs.Put(ctx, *list)
	if err != nil {
		return err
	}
	kids.chunks = append(kids.chunks, orbit.Chunk{Blob: name, Size: len(*list), Count: *count})
	*list, *count = nil, 0
	return nil
}

// childSizes fills in what each output takes as an item of the child.
func (e *execution) childSizes(child *cluster.Step, sizes []int) {
	at := 0
	for i := range e.results {
		extra := itemOverhead + len(e.results[i].Lineage) + cluster.LiveSize(child, e.step.Step, &e.bundle.Items[i])
		for range e.results[i].Outputs {
			size := int(e.spool.sizes[at])
			if size > orbit.MaxInline { // travels as a reference
				size = 48
			}
			sizes[at] = size + extra
			at++
		}
	}
}

// retries groups the items to try again: neighbours that wait for the same reason share a bundle and its time.
func (e *execution) retries() []orbit.Kid {
	var kids []orbit.Kid
	now, at, waitAt, last := time.Now(), 0, 0, time.Duration(-1)
	for i := range e.results {
		r := &e.results[i]
		if r.State == orbit.ItemSucceeded || r.State == orbit.ItemSkipped {
			continue
		}
		wait := e.waits[waitAt]
		waitAt++
		if r.State != orbit.ItemRetrying {
			continue
		}
		after := r.Error.After // only a wait that the service named sets items apart; backoffs of one bundle are one
		if n := len(kids); n > 0 && after == last && kids[n-1].Count < orbit.MaxBundleItems {
			kids[n-1].Count++
		} else {
			kids = append(kids, orbit.Kid{Kind: orbit.KidRetry, Step: e.step.Identifier, Ordinal: n, First: at, Count: 1, Due: now.Add(wait).UnixMilli()})
		}
		last = after
		at++
	}
	return kids
}

// children publishes what a record names and a node publishes: no retry, and nothing of a step that is held. b is the bundle it was made from,
// rec the committed record, be it ours or another node's.
func (n *Node) children(b *orbit.Bundle, p *plan, blobs cluster.Blobs) func(context.Context, *orbit.Record, func(*nats.Msg) error) error {
	return func(ctx context.Context, rec *orbit.Record, publish func(*nats.Msg) error) error {
		b, err := n.complete(ctx, b, p)
		if err != nil {
			return err
		}
		partition := streams.Partition(b.Run, n.partitions())
		now := time.Now()
		return p.Next(b, rec, blobs, func(s *cluster.Step, nb *orbit.Bundle) error {
			if s.Held() {
				return nil
			}
			return publish(streams.WorkMessage(streams.QueueFor(s.Class, s.Pool, nb, now), partition, nb, ""))
		})
	}
}
