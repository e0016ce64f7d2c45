package node

import (
	"context"
	"errors"
	"time"

	"github.com/exospherehost/orbit/streams"
)

const (
	// leaseLimit is how long a bundle whose step has a limit on concurrency may run after the server heard of it last. Then
	// it stops, for at the end of AckWait another node may start it, and there may not be two.
	leaseLimit = streams.AckWait * 2 / 3
	// heardWithin bounds the wait for the server's word that it has heard a round of extensions.
	heardWithin = streams.AckWait / 6
)

// errUnleased is the cause where work is stopped because its lease may end.
var errUnleased = errors.New("the server could not be told that it is still held")

// lease is what is known of the extensions. Each round of them extends everything that has begun.
type lease struct {
	round      int       // the last one sent
	asking     bool      // whether it was heard
	heardRound int       // the last one that the server has heard
	heard      time.Time // when that one was sent, by the monotonic clock
}

// extendAll keeps the leases of everything begun.
func (w *worker) extendAll() {
	sent := time.Now() // before, for the server counts from when it hears it
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lease.round++
	for j := range w.jobs {
		_ = j.d.Extend() // lost: the next one comes well before the lease ends
	}
	if w.lease.asking {
		return
	}
	w.lease.asking = true
	round := w.lease.round
	w.node.wg.Go(func() { w.ackRound(round, sent) })
}

// ackRound waits for the server's answer to what was sent: it answers in order, so it has heard the extensions before.
func (w *worker) ackRound(round int, sent time.Time) {
	ctx, cancel := context.WithTimeout(w.node.ctx, heardWithin)
	defer cancel()
	err := w.node.opts.Conn.FlushWithContext(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lease.asking = false
	if err == nil {
		w.lease.heardRound, w.lease.heard = round, sent
	}
}

// stopUnleased stops what has been running for leaseLimit since the server heard of it, if its step has a limit on
// concurrency. It leaves no record, and nothing is handed back either: the lease ends by itself, and may be another's by
// now. Everything else goes on, and its first record counts. So does what has left its slot: it runs no more.
func (w *worker) stopUnleased(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for j := range w.jobs {
		since := j.d.Arrived
		if j.round <= w.lease.heardRound {
			since = w.lease.heard
		}
		if now.Sub(since) <= leaseLimit || j.left.Load() {
			continue
		}
		if limited, known := w.node.limited(j.d); limited || !known {
			j.d.Forsake()
			j.cancel(errUnleased)
		}
	}
}
