package streams

import (
	"fmt"
	"strconv"
	"strings"
)

// Lease names one delivery of a bundle to whoever holds it: what its ack subject says, without what differs for no reason.
type Lease struct {
	Consumer  string // the subject up to its numbers: "$JS.ACK.ORBIT_0.cpu_core_1h"
	Delivered uint64 // how many times the bundle was delivered, this time included
	Seq       uint64 // of the bundle in its stream
	Order     uint64 // of the delivery among all that the consumer made
}

const (
	ackPrefix = "$JS.ACK."
	// maxConsumerName bounds the first part of an ack subject: a class, a pool and a tier, of a stream in a domain.
	maxConsumerName = 256
)

// Lease gives the lease of a delivery; not ok where its subject has a form that this version does not know.
func (d *Delivery) Lease() (Lease, bool) { return leaseOf(d.AckSubject()) }

// leaseOf reads an ack subject: $JS.ACK.<stream>.<consumer>, or $JS.ACK.<domain>.<account>.<stream>.<consumer>, then five
// numbers, and after the longer form whatever the server likes.
func leaseOf(subject string) (l Lease, ok bool) {
	consumer, n, ok := ackOf(subject)
	l = Lease{consumer, n[0], n[1], n[2]}
	return l, ok && l.check() == nil
}

// ackOf gives what leaseOf reads: the consumer and the five numbers, which are how many times the bundle was delivered, its
// sequence in the stream, the order of the delivery, when the server stored the message (Unix nanoseconds), and how many wait
// behind it.
func ackOf(subject string) (consumer string, n [5]uint64, ok bool) {
	var words [12]string
	count, at := split(words[:], subject), 4
	switch {
	case count >= 11:
		at = 6
	case count != 9:
		return "", n, false
	}
	size := at - 1 // of the dots between
	for i, w := range words[:at+len(n)] {
		if i < at {
			size += len(w)
			continue
		}
		var err error
		if n[i-at], err = strconv.ParseUint(w, 10, 64); err != nil {
			return "", n, false
		}
	}
	return subject[:size], n, true
}

// Place names the bundle among those of all queues, whichever delivery of it is meant.
func (l Lease) Place() string {
	consumer := l.Consumer[strings.LastIndexByte(l.Consumer, '.')+1:]
	stream := strings.TrimSuffix(l.Consumer, "."+consumer) // behind a domain and an account, where there are such
	return stream[strings.LastIndexByte(stream, '.')+1:] + "." + consumer + "." + strconv.FormatUint(l.Seq, 10)
}

// Subject is where an ack or a NAK of the lease is sent. The two numbers at its end, the time and what was pending then, are
// read by nobody.
func (l Lease) Subject() string {
	return fmt.Sprintf("%s.%d.%d.%d.0.0", l.Consumer, l.Delivered, l.Seq, l.Order)
}

// check refuses what came from elsewhere and is no ack subject: whoever hands back a lease publishes there.
func (l Lease) check() error {
	words := strings.Count(l.Consumer, ".") + 1
	switch {
	case len(l.Consumer) > maxConsumerName, !strings.HasPrefix(l.Consumer, ackPrefix), words != 4 && words != 6,
		strings.Contains(l.Consumer, ".."), strings.HasSuffix(l.Consumer, "."):
		return errLease
	}
	for _, c := range []byte(l.Consumer) {
		if c <= ' ' || c == '*' || c == '>' || c == 127 {
			return errLease
		}
	}
	return nil
}
