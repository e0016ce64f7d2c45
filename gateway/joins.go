package gateway

import (
	"context"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// release is a join that nothing is waited for any more, with its run.
type release struct {
	or *openRun
	cluster.Release
}

func (todo *effects) release(or *openRun, r cluster.Release) {
	if todo.joins == nil {
		todo.joins = map[string]release{}
	}
	todo.joins[orbit.JoinBundleID(r.Join.Identifier, or.doc.ID, r.Lineage)] = release{or, r}
}

// publishJoins puts released joins into their queues. They bring no inputs: the node that does one reads them from the
// ledger, where all of them are committed by now. A join that fails because of its members is published too, so that every
// join has a record.
func (s *settler) publishJoins(ctx context.Context, joins map[string]release) error {
	if len(joins) == 0 {
		return nil
	}
	var now []timed
	for id, r := range joins {
		now = append(now, timed{r.or, s.joinBundle(id, r), time.Now().Add(time.Duration(r.Join.Delay)), r.Join})
	}
	// Dying before the answers: the checkpoint is older than the records that released them, so the next leader folds those
	// again and publishes the same bundles under the same ids.
	if err := s.schedule(ctx, now); err != nil {
		return fmt.Errorf("publish joins: %w", err)
	}
	return s.g.opts.Faults.Point(ctx, "settle.joined")
}

func (s *settler) joinBundle(id string, r release) *orbit.Bundle {
	b := s.g.bundleOf(r.or.doc)
	b.ID, b.Step, b.Parent, b.Failed = id, r.Join.Identifier, r.or.doc.ID, r.Failed
	b.Items = []orbit.Item{{Lineage: r.Lineage, Bare: true}}
	if r.Join.SeesPayload() {
		b.Payload = payloadOf(r.or.doc)
	}
	return &b
}
