package gateway

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/fault"
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
	todo.joins[or.unnamedID(r.Join, r.Lineage, r.Again)] = release{or, r}
}

// publishJoins puts released joins into their queues. They bring no inputs: the node that does one reads them from the
// ledger, where all of them are committed by now. A join that fails because of its members is published too, so that every
// join has a record.
func (s *settler) publishJoins(ctx context.Context, joins map[string]release) error {
	if len(joins) == 0 {
		return nil
	}
	var now []timed
	for _, r := range joins {
		now = append(now, s.unnamedNow(r.or, r.Join, heldItem{r.Lineage, r.or.doc.ID, r.Failed, r.Again}))
	}
	// Dying before the answers: the checkpoint is older than the records that released them, so the next leader folds those
	// again and publishes the same bundles under the same ids.
	if err := s.schedule(ctx, now); err != nil {
		return fmt.Errorf("publish joins: %w", err)
	}
	return s.g.opts.Faults.Point(ctx, "settle.joined")
}

// unnamedID is the id of the bundle of an item that no record names. A join that a later round gave birth to is found under the
// same id as one of the first round; only what is done again has an id of the round. Batches of the log are numbered through
// all rounds.
func (or *openRun) unnamedID(step *cluster.Step, at orbit.Lineage, again bool) string {
	switch {
	case step.Part == cluster.Logs:
		return orbit.LogBundleID(step.Identifier, or.doc.ID, at)
	case again:
		return orbit.RoundBundleID(step.Identifier, or.doc.ID, at, or.tally.Round)
	}
	return orbit.JoinBundleID(step.Identifier, or.doc.ID, at)
}

// unnamed is the bundle of an item that no record names: of a join, of a batch of the log, or one that a later round does again.
func (s *settler) unnamed(or *openRun, step *cluster.Step, it heldItem) *orbit.Bundle {
	b := s.g.bundleOf(or.doc)
	b.ID, b.Step, b.Parent, b.Failed, b.Round = or.unnamedID(step, it.Lineage, it.Again), step.Identifier, it.Parent, it.Failed, or.tally.Round
	if fault.Planted(fault.LeaderInIDs) {
		b.ID = orbit.HashID(b.ID, strconv.FormatUint(s.epoch, 10))
	}
	b.Items = []orbit.Item{{Lineage: it.Lineage, Bare: true}}
	if step.SeesPayload() {
		b.Payload = payloadOf(or.doc)
	}
	return &b
}

// unnamedNow is such a bundle with its time, given that it is to come now.
func (s *settler) unnamedNow(or *openRun, step *cluster.Step, it heldItem) timed {
	return timed{or, s.unnamed(or, step, it), time.Now().Add(time.Duration(step.Delay)), step}
}
