package streams

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
)

// Transition is what a node has made of a delivered bundle, ready to be committed.
type Transition struct {
	Delivery *Delivery
	Record   *orbit.Record
	// Children publishes every bundle that the given record names and that a node publishes. It is called with the
	// committed record, which is another one than Record where someone else was first.
	Children func(ctx context.Context, rec *orbit.Record, publish func(*nats.Msg) error) error
	// Whole says that a leader needs the record's results too, and not only its head.
	Whole bool
}

// Committer makes a transition durable. Commit returns when it is, or with an error that leaves it unknown: then the
// bundle stays leased, and whoever gets it next finds the record or does it again. First commit wins, whole.
type Committer interface {
	Commit(ctx context.Context, t *Transition) error
}

// Outbox is the Committer that writes record, children and ack one after the other. The order is the guarantee: a child
// exists only after its parent's record, and the message is gone only after its children exist.
type Outbox struct {
	Publisher *Publisher
	Conn      *nats.Conn
	Hinter    *Hinter
	Faults    *fault.Injector
}

// Commit implements Committer.
func (o *Outbox) Commit(ctx context.Context, t *Transition) error {
	d, rec := t.Delivery, t.Record
	if fault.Planted(fault.AckBeforeRecord) {
		_ = d.Ack()
	}
	if err := o.Faults.Point(ctx, "commit.begin"); err != nil {
		return err
	}
	if fault.Planted(fault.ChildrenFirst) {
		if err := o.follow(ctx, d.Partition, rec, t.Children); err != nil {
			return err
		}
	}
	// Dying before the answer: the lease ends, the next holder finds the record or an empty subject. Both go on from there.
	data, head := rec.EncodeWithHead()
	ack, err := o.Publisher.Do(ctx, RecordMessage(d.Partition, rec, data))
	switch {
	case errors.Is(err, ErrExists):
		if rec, err = o.winner(ctx, d, rec); err != nil {
			return err
		}
		o.Hinter.Hint(d.Partition)
	case err != nil:
		return fmt.Errorf("record bundle %s of run %s: %w", rec.Bundle, rec.Run, err)
	case t.Whole || rec.Counts.Failed > 0 || rec.Counts.Retry > 0: // a leader needs the errors, and what is to be tried again
		o.Hinter.Record(d.Partition, ack.Seq, nil)
	default:
		o.Hinter.Record(d.Partition, ack.Seq, data[:head])
	}
	if err := o.Faults.Point(ctx, "commit.recorded"); err != nil {
		return err
	}
	return o.Finish(ctx, d, rec, t.Children)
}

// Finish does what follows a record: children, then ack. It is also the whole work of a holder who finds its bundle
// recorded.
func (o *Outbox) Finish(ctx context.Context, d *Delivery, rec *orbit.Record, children func(context.Context, *orbit.Record, func(*nats.Msg) error) error) error {
	if err := o.follow(ctx, d.Partition, rec, children); err != nil {
		return err
	}
	if err := o.Faults.Point(ctx, "commit.published"); err != nil {
		return err
	}
	// Not waited for: if the ack is lost, the bundle comes again and is found recorded.
	if err := o.Faults.Point(ctx, "delivery.ack"); errors.Is(err, fault.ErrLost) {
		return nil
	} else if err != nil {
		return err
	}
	return d.Ack()
}

// follow publishes what a record names, and returns when all of it is stored.
func (o *Outbox) follow(ctx context.Context, p int, rec *orbit.Record, children func(context.Context, *orbit.Record, func(*nats.Msg) error) error) error {
	if len(rec.Kids.Inline) == 0 && rec.Kids.Chunks == nil {
		return nil
	}
	// Dying among the children: the work message is still there; its next holder publishes all of them again under the
	// same ids, and their records sort out what ran twice.
	batch := o.Publisher.NewBatch()
	batch.Each = func(a PubAck) { o.Hinter.Other(p, a.Seq) }
	err := children(ctx, rec, func(m *nats.Msg) error {
		if err := o.Faults.Point(ctx, "commit.child"); err != nil {
			return err
		}
		return batch.Publish(ctx, m)
	})
	if werr := batch.Wait(ctx); err == nil {
		err = werr
	}
	if err != nil {
		return fmt.Errorf("publish the children of bundle %s of run %s: %w", rec.Bundle, rec.Run, err)
	}
	return nil
}

// winner reads the record of the one who committed first, which takes the place of our own. It may not be visible at once.
func (o *Outbox) winner(ctx context.Context, d *Delivery, own *orbit.Record) (*orbit.Record, error) {
	if fault.Planted(fault.OwnChildren) {
		return own, nil
	}
	for try := 0; ; try++ {
		s, err := LastRecord(ctx, o.Conn, d.Partition, d.Run, d.Bundle.ID)
		if err == nil {
			return orbit.DecodeRecord(s.Data)
		}
		if !errors.Is(err, ErrNotFound) || try == 5 {
			return nil, fmt.Errorf("read the record of bundle %s that someone else committed: %w", d.Bundle.ID, err)
		}
		select {
		case <-time.After(50 * time.Millisecond << try):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
