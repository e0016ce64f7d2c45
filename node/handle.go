package node

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// handle does what needs a slot for one delivery and gives back what needs none: the commit. nil: nothing is left to do.
func (n *Node) handle(ctx context.Context, d *streams.Delivery) func() {
	b := d.Bundle
	if b == nil {
		return func() { n.bury(ctx, d) }
	}
	switch n.runs.look(ctx, b, d.Stored) {
	case runGone: // closed or cancelled: nothing of it runs any more, and it leaves no record
		return func() { n.drop(d) }
	case runPaused:
		return func() { n.park(ctx, d) }
	case runUnknown: // not found or not reachable: never dropped
		return func() { n.handOver(d, later, "its run is not known here yet") }
	}
	p, err := n.plans.get(ctx, b.Plan)
	if err != nil {
		return func() { n.handOver(d, soon, err.Error()) }
	}
	if d.Delivered > 1 { // someone may have committed it and died before the ack
		if s, err := streams.LastRecord(ctx, n.opts.Conn, d.Partition, b.Run, b.ID); err == nil {
			return func() { n.finish(ctx, d, p, s) }
		} else if !errors.Is(err, streams.ErrNotFound) {
			return func() { n.handOver(d, soon, err.Error()) }
		}
	}
	if s := p.steps[b.Step]; s != nil && len(s.Children) > 0 && n.reserves() {
		return func() { n.handOver(d, reserved, "the store is nearly full, and "+b.Step+" makes more work") }
	}
	if err := n.permit(ctx, b, p); err != nil { // before a start is marked: a bundle that waits does no harm to a node
		if errors.Is(err, errCancelled) {
			return func() { n.drop(d) }
		}
		return func() { n.handOver(d, backIn(err), err.Error()) }
	}
	log := n.logs.book(d)
	suspicious, marks := d.Delivered >= suspectFrom, 0
	if suspicious {
		if marks, err = n.marks(ctx, d); err != nil {
			return func() { n.handOver(d, soon, err.Error()) }
		}
	}
	var e *execution
	if marks >= maxStarts {
		e = n.poisoned(ctx, b, p)
	} else if e, err = n.prepare(ctx, d, p, log); err == nil {
		err = n.start(ctx, d, e, suspicious, marks)
	}
	if err != nil {
		return func() {
			log.close(nil)
			if errors.Is(err, errCancelled) {
				n.drop(d)
			} else {
				n.handOver(d, soon, err.Error())
			}
		}
	}
	return func() { n.commitBundle(ctx, d, p, e, log) }
}

// commitBundle makes an executed bundle durable, its log first.
func (n *Node) commitBundle(ctx context.Context, d *streams.Delivery, p *plan, e *execution, log *book) {
	defer e.release()
	rec, err := e.record(ctx)
	log.close(e)
	if err == nil {
		err = n.commit.Commit(ctx, &streams.Transition{Delivery: d, Record: rec, Children: n.children(e.bundle, p, e.blobs), Whole: p.NeedsResults(e.bundle.Step)})
	}
	if err != nil {
		n.handOver(d, soon, err.Error())
	}
}

// finish does what follows a record that is there already.
func (n *Node) finish(ctx context.Context, d *streams.Delivery, p *plan, s streams.Stored) {
	rec, err := orbit.DecodeRecord(s.Data)
	if err == nil {
		err = n.commit.Finish(ctx, d, rec, n.children(d.Bundle, p, n.blobs(ctx)))
	}
	if err != nil {
		n.handOver(d, soon, err.Error())
	}
}

// handOver gives a bundle back to its queue.
func (n *Node) handOver(d *streams.Delivery, delay time.Duration, why string) {
	n.log.Debug().Str("run", d.Run).Str("bundle", d.Bundle.ID).Str("err", why).Msg("bundle handed back")
	_ = d.Nak(delay) // lost: the lease ends by itself
}

// drop removes a bundle that must not run. Not waited for: if the ack is lost, the bundle comes again and is dropped again.
func (n *Node) drop(d *streams.Delivery) { _ = d.Ack() }

// park sets a bundle of a paused run aside; the leader puts it back when the run goes on. Handed back, it would stand in
// the way of others.
func (n *Node) park(ctx context.Context, d *streams.Delivery) {
	if fault.Planted(fault.AckBeforePark) {
		_ = d.Ack()
	}
	if n.opts.Faults.Point(ctx, "parked.begin") != nil {
		return
	}
	// Dying after this: the bundle is in both places, and its record tells that it ran twice.
	if _, err := n.pub.Do(ctx, streams.ParkMessage(d.Partition, d.Run, d.Data)); err != nil {
		n.handOver(d, soon, err.Error())
		return
	}
	if n.opts.Faults.Point(ctx, "parked.stored") != nil {
		return
	}
	_ = d.Ack() // lost: it comes again and is parked once more
}

// bury copies what cannot be decoded to orbit.dead and removes it from its queue.
func (n *Node) bury(ctx context.Context, d *streams.Delivery) {
	n.log.Error().Err(d.BundleErr).Str("run", d.Run).Msg("a message that is no bundle; kept under orbit.dead")
	m := &nats.Msg{Subject: streams.DeadSubject(d.Partition, safeToken(d.Run), orbit.HashID(string(d.Data))), Data: d.Data}
	// Dying after this: the message comes again and is copied once more; the copy carries no id, so none is swallowed.
	if _, err := n.pub.Do(ctx, m); err != nil {
		_ = d.Nak(later)
		return
	}
	if n.opts.Faults.Point(ctx, "dead.stored") != nil {
		return
	}
	_ = d.Ack() // lost: it comes again and is copied once more
}

// What a node knows of a run.
type runLook int

const (
	runOpen runLook = iota
	runGone
	runUnknown
	runPaused
)

// freshEnough: no run closes within 15 minutes of its acceptance, and server clocks are within 5 minutes of each other.
const freshEnough = 10 * time.Minute

// look tells whether a bundle's run may run. A bundle that was stored soon after its run was accepted needs no look at the
// document; cancels and pauses reach nodes by cast.
func (r *runs) look(ctx context.Context, b *orbit.Bundle, stored time.Time) runLook {
	if r.cancelled(b.Run) {
		return runGone
	}
	paused := r.paused(b.Run)
	if !paused && stored.Sub(time.UnixMilli(b.Accepted)) < freshEnough && time.Since(stored) < freshEnough {
		return runOpen
	}
	doc, err := r.get(ctx, b.Run)
	switch {
	case err != nil:
		return runUnknown
	case doc.Closed && !fault.Planted(fault.ClosedRuns) || doc.State == orbit.RunCancelled:
		return runGone
	case doc.State == orbit.RunPaused:
		return runPaused
	case paused:
		r.resume(b.Run)
	}
	return runOpen
}

// get reads a run's document from the leader of its bucket, at most every runLife.
func (r *runs) get(ctx context.Context, id string) (*kv.Run, error) {
	r.mu.Lock()
	c, ok := r.seen[id]
	r.mu.Unlock()
	if ok && time.Since(c.at) < runLife {
		return c.doc, nil
	}
	doc, _, err := r.bucket.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) > maxRuns {
		clear(r.seen)
	}
	r.seen[id] = seenRun{doc, time.Now()}
	return doc, nil
}

// safeToken makes a word from outside fit as one token of a subject.
func safeToken(s string) string {
	if s == "" || strings.ContainsAny(s, ".*> \t\r\n") {
		return "unknown"
	}
	return s
}
