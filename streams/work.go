package streams

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
)

// WorkMessage is the message that puts a bundle into a queue. Its Nats-Msg-Id is the bundle's id, so that replays within
// the window are stored once; suffix makes another one of it where a replay must not be swallowed ("~<pass>").
func WorkMessage(q Queue, p int, b *orbit.Bundle, suffix string) *nats.Msg {
	v := &[...]string{b.ID + suffix, b.Run, b.Step, strconv.Itoa(len(b.Items)), time.UnixMilli(b.Deadline).UTC().Format(time.RFC3339), strconv.Itoa(b.Items[0].Attempt + 1)}
	return &nats.Msg{Subject: WorkSubject(q, p, b.Run), Data: b.Encode(), Header: nats.Header{ // the values share one array: there are many such messages
		nats.MsgIdHdr:  v[0:1:1],
		HeaderRun:      v[1:2:2],
		HeaderStep:     v[2:3:3],
		HeaderItems:    v[3:4:4],
		HeaderDeadline: v[4:5:5],
		HeaderAttempt:  v[5:6:6],
	}}
}

// ParkMessage is the message that puts a bundle of a paused run aside. It carries no Nats-Msg-Id: stored twice is no harm, and
// swallowed as a duplicate it would be lost.
func ParkMessage(p int, run string, bundle []byte) *nats.Msg {
	return &nats.Msg{Subject: ParkedSubject(p, run), Data: bundle}
}

// QueueFor is where a bundle of a class and pool waits, given the time it is published.
func QueueFor(class, pool string, b *orbit.Bundle, now time.Time) Queue {
	return Queue{Class: class, Pool: pool, Tier: orbit.TierFor(time.UnixMilli(b.Deadline).Sub(now))}
}

// RecordMessage is the message that commits a bundle: stored only if its subject is empty. It carries no Nats-Msg-Id,
// for a record with its bundle's id would be swallowed as a duplicate of the work.
func RecordMessage(p int, rec *orbit.Record, data []byte) *nats.Msg {
	if fault.Planted(fault.DedupeForCAS) {
		return &nats.Msg{Subject: RecordSubject(p, rec.Run, rec.Bundle), Data: data, Header: nats.Header{nats.MsgIdHdr: {"record~" + rec.Bundle}}}
	}
	return &nats.Msg{Subject: RecordSubject(p, rec.Run, rec.Bundle), Data: data, Header: ifAbsent}
}

// ifAbsent is the header of a message that is stored only if its subject is empty. It is never written to.
var ifAbsent = nats.Header{nats.ExpectedLastSubjSeqHdr: {"0"}}

// Delivery is a leased work message. Exactly one of Ack and Nak ends it; both are sent without waiting, and losing one is
// harmless: after AckWait someone else finds the record.
type Delivery struct {
	Queue     Queue
	Partition int
	Run       string
	Data      []byte
	Bundle    *orbit.Bundle // nil where Data could not be decoded
	BundleErr error
	Delivered int       // 1 at the first delivery; grows on hand-backs too
	Stored    time.Time // when the server stored the message
	Arrived   time.Time // here
	Behind    int       // bundles that waited behind it in its queue and partition when it was delivered
	msg       *nats.Msg
	forsaken  atomic.Bool
}

// AckSubject names the lease: an ack or a NAK sent there by anyone acts on it.
func (d *Delivery) AckSubject() string { return d.msg.Reply }

// Ack removes the message from its queue. The caller has committed: record, then children, then this.
func (d *Delivery) Ack() error { return d.msg.Respond([]byte("+ACK")) }

// Forsake gives up a lease that may have ended: from now on nothing is said that another holder would feel, for the server
// does not look whether a NAK or an extension is of this delivery or of a later one.
func (d *Delivery) Forsake() { d.forsaken.Store(true) }

// Nak hands the bundle back: at once, or after the delay.
func (d *Delivery) Nak(delay time.Duration) error {
	if d.forsaken.Load() {
		return nil
	}
	if delay <= 0 {
		return d.msg.Respond([]byte("-NAK"))
	}
	return d.msg.Respond([]byte(`-NAK {"delay":` + strconv.FormatInt(delay.Nanoseconds(), 10) + `}`))
}

// Extend begins the lease anew.
func (d *Delivery) Extend() error {
	if d.forsaken.Load() {
		return nil
	}
	return d.msg.Respond([]byte("+WPI"))
}
