package node

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

const (
	// batchBytes is about the size of a message of log records: far below what a NATS server takes.
	batchBytes = 128 << 10
	// heldBytes bounds what a bundle holds back while it cannot be sent; what is said past it is left out.
	heldBytes = 1 << 20
	// lineOverhead is about what a record takes beside its message and fields.
	lineOverhead = 160
)

// book is the log of one execution of a bundle: what its items say, until it is sent.
type book struct {
	logs  *logs
	d     *streams.Delivery
	voice voice // of satellites that are done when they return

	mu    sync.Mutex // guards all below
	lines []orbit.LogEntry
	size  int  // of lines, about
	lost  int  // records left out since the last that was taken
	spoke bool // something was said
	shut  bool // nothing more is taken: the bundle is being committed

	order sync.Mutex     // held while something is sent, so that batches leave in the order of their records; guards all below
	batch *streams.Batch // of what was sent; nil: nothing was
	parts int            // messages sent
}

// write takes a record.
func (b *book) write(e orbit.LogEntry) {
	size := lineOverhead + len(e.Message) + len(e.Fields)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shut || b.size+size > heldBytes {
		b.lost++
		return
	}
	b.lines, b.size, b.spoke = append(b.lines, e), b.size+size, true
	if len(b.lines) == 1 {
		b.logs.holds(b, true)
	}
}

// close takes the node's own facts about the items, and sees to it that the log is stored before the bundle is committed, or
// handed back: then there is no execution. It gives up after a moment, and never fails. Of success it says nothing: the
// ledger does, and a bundle without anything to tell pays nothing for its log.
func (b *book) close(e *execution) {
	if e != nil {
		now, waits := time.Now(), e.waits
		for i := range e.results {
			r := &e.results[i]
			if r.State == orbit.ItemSucceeded || r.State == orbit.ItemSkipped {
				continue
			}
			wait := time.Duration(0)
			if len(waits) > 0 {
				wait, waits = waits[0], waits[1:]
			}
			if r.Error != nil {
				b.write(fact(r, wait, now))
			}
		}
	}
	b.mu.Lock()
	b.shut = true
	silent := !b.spoke
	b.mu.Unlock()
	if !silent {
		b.logs.store(b)
	}
}

// send sends what was said since the last time. What is not taken before ctx ends is lost.
func (b *book) send(ctx context.Context) {
	b.order.Lock()
	defer b.order.Unlock()
	b.mu.Lock()
	lines := b.lines
	if b.lost > 0 && len(lines) > 0 {
		last := lines[len(lines)-1]
		lines = append(lines, orbit.LogEntry{Time: time.Now().UTC(), Level: orbit.LogWarn, Message: "log records are left out here: " + strconv.Itoa(b.lost),
			Lineage: last.Lineage, Attempt: last.Attempt})
		b.lost = 0
	}
	b.lines, b.size = nil, 0
	b.mu.Unlock()
	if len(lines) > 0 && b.batch == nil {
		b.batch = b.logs.pub.NewBatch()
	}
	n := b.logs.node
	for len(lines) > 0 {
		count, size := 0, 0
		for count < len(lines) && (count == 0 || size < batchBytes) {
			size += lineOverhead + len(lines[count].Message) + len(lines[count].Fields)
			count++
		}
		m, err := streams.LogMessage(b.d.Partition, b.parts, &orbit.LogBatch{Run: b.d.Run, Satellite: b.d.Bundle.Step, Bundle: b.d.Bundle.ID, Node: n.opts.Name,
			Delivery: b.d.Delivered, Since: b.d.Arrived.UTC(), Records: lines[:count]})
		b.parts++
		lines = lines[count:]
		if err == nil {
			err = b.batch.Publish(ctx, m)
		}
		if err != nil {
			b.logs.failed(b, err)
			return
		}
	}
}
