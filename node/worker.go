package node

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit/streams"
)

const (
	// maxCommitting bounds the bundles that have run and wait for the server's answers.
	maxCommitting = 512
	// maxAhead is the most bundles that wait here for a slot: enough to keep a fast satellite busy over a round trip.
	maxAhead = 512
	// aheadTime of work may wait here; slow satellites leave the rest to other nodes.
	aheadTime = 100 * time.Millisecond
	// handBack is how long a bundle may wait here for a slot before another node gets the chance.
	handBack = streams.AckWait / 3
)

// worker owns the slots. Its run method is the only one that starts bundles; everything else reaches it through channels.
type worker struct {
	node    *Node
	puller  *streams.Puller
	arrived chan *streams.Delivery
	freed   chan time.Duration // a slot came free after this long
	ended   chan *job          // committed or given up
	hand    chan *job          // taken by a goroutine of work that has nothing to do
	wake    chan struct{}
	stopped chan struct{} // closed by drain
	once    sync.Once
	drained chan struct{} // closed by run when nothing is left

	busy atomic.Int64

	// owned by run
	backlog    map[streams.Queue][]*streams.Delivery
	waiting    int
	running    int
	committing int
	each       time.Duration // about how long a bundle takes a slot
	done, rate int           // bundles that left their slot in this second, and in the one before

	mu   sync.Mutex
	jobs map[*job]struct{} // begun and not ended; guarded by mu
}

// job is a bundle in hand.
type job struct {
	d      *streams.Delivery
	ctx    context.Context
	cancel context.CancelCauseFunc
}

var errCancelled = errors.New("the run was cancelled")

func newWorker(n *Node) (*worker, error) {
	w := &worker{node: n, arrived: make(chan *streams.Delivery, 1024), freed: make(chan time.Duration, maxCommitting), ended: make(chan *job, maxCommitting), hand: make(chan *job),
		wake: make(chan struct{}, 1), stopped: make(chan struct{}), drained: make(chan struct{}),
		backlog: map[streams.Queue][]*streams.Delivery{}, jobs: map[*job]struct{}{}}
	p, err := streams.NewPuller(n.opts.Conn, w.arrived)
	w.puller = p
	return w, err
}

func (w *worker) run() {
	defer close(w.drained)
	second := time.NewTicker(time.Second)
	defer second.Stop()
	extend := time.NewTicker(streams.AckWait / 3)
	defer extend.Stop()
	connected := w.node.opts.Conn.StatusChanged(nats.CONNECTED)
	defer w.node.opts.Conn.RemoveStatusListener(connected)
	w.wantAll()
	for {
		select {
		case <-connected: // the server that we asked may be gone, and this one knows nothing of it
			w.puller.Forget()
			w.wantAll()
		// A busy worker takes all that a channel has at once: a select over all of them costs more than what it leads to.
		case d := <-w.arrived:
			w.take(d)
			for len(w.arrived) > 0 {
				w.take(<-w.arrived)
			}
			w.want(d.Queue)
		case took := <-w.freed:
			w.free(took)
			for len(w.freed) > 0 {
				w.free(<-w.freed)
			}
		case j := <-w.ended:
			w.end(j)
			for len(w.ended) > 0 {
				w.end(<-w.ended)
			}
			w.want(j.d.Queue)
		case <-second.C:
			w.done, w.rate = 0, w.done
			w.handBackOld()
			w.wantAll()
		case <-w.wake:
			w.wantAll()
		case <-extend.C:
			w.extendAll()
		case <-w.stopped:
			w.finish(extend)
			return
		}
		w.start()
		w.busy.Store(int64(w.running))
	}
}

// take puts a delivery among those that wait for a slot.
func (w *worker) take(d *streams.Delivery) {
	w.backlog[d.Queue] = append(w.backlog[d.Queue], d)
	w.waiting++
}

// free counts a bundle that has left its slot, after so long, and is being committed.
func (w *worker) free(took time.Duration) {
	w.running--
	w.committing++
	w.each = (w.each*7 + took) / 8
	w.done++
}

// end forgets a bundle that is committed or given up.
func (w *worker) end(j *job) {
	w.committing--
	w.mu.Lock()
	delete(w.jobs, j)
	w.mu.Unlock()
}

// start gives free slots to the waiting bundles with the earliest deadlines.
func (w *worker) start() {
	for w.waiting > 0 && w.running < w.node.opts.Slots && w.committing < maxCommitting {
		var best streams.Queue
		var first *streams.Delivery
		for q, ds := range w.backlog {
			if len(ds) > 0 && (first == nil || deadline(ds[0]) < deadline(first)) {
				best, first = q, ds[0]
			}
		}
		w.backlog[best] = w.backlog[best][1:]
		w.waiting--
		w.running++
		ctx, cancel := context.WithCancelCause(w.node.ctx)
		j := &job{d: first, cancel: cancel}
		w.mu.Lock()
		w.jobs[j] = struct{}{}
		w.mu.Unlock()
		j.ctx = ctx
		select {
		case w.hand <- j: // to a goroutine that has nothing to do: its stack has grown already
		default:
			w.node.wg.Go(func() { w.work(j) })
		}
	}
}

// work does one bundle after the other until the worker is done.
func (w *worker) work(j *job) {
	for {
		w.do(j)
		select {
		case j = <-w.hand:
		case <-w.drained:
			return
		}
	}
}

// do takes one bundle from its slot to its commit.
func (w *worker) do(j *job) {
	begun := time.Now()
	finish := w.node.handle(j.ctx, j.d)
	w.freed <- time.Since(begun)
	if finish != nil {
		finish()
	}
	j.cancel(nil)
	w.ended <- j
}

// want asks for more of one queue, so that the slots stay busy and little waits here.
func (w *worker) want(q streams.Queue) {
	ahead := maxAhead
	switch {
	case w.each > aheadTime*time.Duration(w.node.opts.Slots): // it would only wait here, and be handed back
		ahead = 0
	case w.each > 0:
		ahead = int(aheadTime * time.Duration(w.node.opts.Slots) / w.each)
	}
	// Not far ahead of what was done lately either: how long the next bundles take is not known before they come.
	ahead = min(ahead, w.node.opts.Slots+max(w.done, w.rate)/4, maxAhead)
	n := w.node.opts.Slots + ahead - w.running - w.waiting
	if n <= 0 {
		return
	}
	for p := range w.node.partitions() {
		if err := w.puller.Want(q, p, n); err != nil {
			w.node.log.Debug().Err(err).Str("queue", q.Consumer()).Msg("could not ask for work")
		}
	}
}

func (w *worker) wantAll() {
	for _, q := range w.node.served() {
		w.want(q)
	}
}

// handBackOld returns bundles that have waited here too long; one of a node with free slots will get them.
func (w *worker) handBackOld() {
	limit := time.Now().Add(-handBack)
	for q, ds := range w.backlog {
		w.backlog[q] = slices.DeleteFunc(ds, func(d *streams.Delivery) bool {
			if d.Arrived.After(limit) {
				return false
			}
			_ = d.Nak(0) // lost: the lease ends by itself
			w.waiting--
			return true
		})
	}
}

// extendAll keeps the leases of everything begun.
func (w *worker) extendAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for j := range w.jobs {
		_ = j.d.Extend() // lost: the next one comes well before the lease ends
	}
}

// finish hands back what waits and sees what was begun to its end.
func (w *worker) finish(extend *time.Ticker) {
	w.puller.Stop()
	for {
		for q, ds := range w.backlog {
			for _, d := range ds {
				_ = d.Nak(0)
			}
			delete(w.backlog, q)
		}
		w.waiting = 0
		w.busy.Store(int64(w.running))
		if w.running == 0 && w.committing == 0 {
			select {
			case d := <-w.arrived:
				w.backlog[d.Queue] = append(w.backlog[d.Queue], d)
				continue
			default:
				return
			}
		}
		select {
		case d := <-w.arrived:
			w.take(d)
		case took := <-w.freed:
			w.free(took)
		case j := <-w.ended:
			w.end(j)
		case <-extend.C:
			w.extendAll()
		}
	}
}

func (w *worker) drain() { w.once.Do(func() { close(w.stopped) }) }

func (w *worker) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// cancelRun ends what is being done for a run.
func (w *worker) cancelRun(run string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for j := range w.jobs {
		if j.d.Run == run {
			j.cancel(errCancelled)
		}
	}
}

// held lists what is in hand, for the heartbeat.
func (w *worker) held(most int) []*streams.Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]*streams.Delivery, 0, min(len(w.jobs), most))
	for j := range w.jobs {
		if len(out) == most {
			break
		}
		out = append(out, j.d)
	}
	return out
}

func deadline(d *streams.Delivery) int64 {
	if d.Bundle == nil {
		return 0
	}
	return d.Bundle.Deadline
}
