package node

import (
	"context"
	"errors"
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
	// glance is the number of bundles of a queue that may wait here while others' do, though no slot will be free for them:
	// by them the node sees what is more urgent.
	glance = 1
	// tellEvery is how often it is told what is held, while that changes.
	tellEvery = 250 * time.Millisecond
	// tellSoon is the same while no more than fewTold bundles are in hand: what was pulled a moment ago is told too. A list of more
	// costs too much for that.
	tellSoon = 20 * time.Millisecond
	fewTold  = 64
	// reservedLook is the most bundles of a queue that are looked at in a second while the store is nearly full.
	reservedLook = 256
	// ticks of tellEvery make a second.
	ticks = int(time.Second / tellEvery)
)

// worker owns the slots. Its run method is the only one that starts bundles; everything else reaches it through channels.
type worker struct {
	node    *Node
	puller  *streams.Puller
	arrived chan *streams.Delivery
	moves   moves
	hand    chan *job // taken by a goroutine of work that has nothing to do; closed by run when nothing is left
	wake    chan struct{}
	asked   chan chan<- []*streams.Delivery // somebody wants to know what is held
	stopped chan struct{}                   // closed by drain
	once    sync.Once
	drained chan struct{} // closed by run when nothing is left

	busy atomic.Int64

	// owned by run
	rooms
	committing   int
	freed, ended []*job // taken last
	tick         int    // of tellEvery, in this second
	moved        bool   // what is held has changed since it was told
	told         time.Time
	soon         *time.Timer // set while what is held is to be told before the next tick
	late         bool        // a bundle was begun that had waited long

	mu    sync.Mutex
	jobs  map[*job]struct{} // begun and not ended; guarded by mu
	lease lease             // guarded by mu
}

// job is a bundle in hand.
type job struct {
	d      *streams.Delivery
	lane   *lane // the worker's
	ctx    context.Context
	cancel context.CancelCauseFunc
	took   time.Duration // in its slot
	left   atomic.Bool   // its slot, and is being committed
	round  int           // of extensions, the first that it is part of
}

var errCancelled = errors.New("the run was cancelled")

func newWorker(n *Node) (*worker, error) {
	w := &worker{node: n, arrived: make(chan *streams.Delivery, 1024), moves: moves{some: make(chan struct{}, 1)}, hand: make(chan *job),
		wake: make(chan struct{}, 1), stopped: make(chan struct{}), drained: make(chan struct{}), asked: make(chan chan<- []*streams.Delivery),
		rooms: newRooms(n.opts.Slots, n.opts.Elsewhere, n.opts.Ready), soon: time.NewTimer(tellEvery), jobs: map[*job]struct{}{}, lease: lease{heard: time.Now()}}
	p, err := streams.NewPuller(n.opts.Conn, w.arrived, w.poke)
	w.puller = p
	return w, err
}

func (w *worker) run() {
	defer close(w.drained)
	defer close(w.hand)
	defer w.soon.Stop()
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	extend := time.NewTicker(streams.AckWait / 3)
	defer extend.Stop()
	connected := w.node.opts.Conn.StatusChanged(nats.CONNECTED)
	defer w.node.opts.Conn.RemoveStatusListener(connected)
	w.wantAll()
	for {
		select {
		case <-connected: // the server that we asked may be gone, and this one knows nothing of it
			w.forget()
			w.wantAll()
		// A busy worker takes all that a channel has at once: a select over all of them costs more than what it leads to.
		case d := <-w.arrived:
			w.take(d)
			for len(w.arrived) > 0 {
				w.take(<-w.arrived)
			}
		case <-w.moves.some:
			w.move()
		case <-tick.C:
			w.beat()
		case reply := <-w.asked:
			reply <- w.everything()
		case <-w.soon.C:
		case <-w.wake:
			w.wantAll()
		case <-extend.C:
			w.extendAll()
		case <-w.stopped:
			w.finish(tick, extend)
			return
		}
		w.start()
		if w.late { // a third of its lease may be gone before the next round
			w.extendAll()
			w.late = false
		}
		w.askMore()
		if w.moved {
			w.tellInTime(time.Now())
		}
		w.busy.Store(int64(w.running()))
		for _, r := range w.doors {
			r.tell()
		}
	}
}

// beat does what is done now and then.
func (w *worker) beat() {
	if w.tick++; w.tick < ticks {
		return
	}
	w.tick = 0
	for _, r := range w.rooms.rooms {
		r.second()
	}
	w.handBackOld()
	w.stopUnleased(time.Now())
	w.wantAll()
}

// take puts a delivery among those that wait for a slot.
func (w *worker) take(d *streams.Delivery) {
	l := w.lane(d.Queue)
	if l.room.closed() {
		_ = d.Nak(0) // lost: the lease ends by itself
		return
	}
	l.room.put(l, d)
	l.room.ask = l
	w.moved = true
}

// move takes the jobs that have left their slots, and are being committed now, and forgets those that have ended.
func (w *worker) move() {
	w.freed, w.ended = w.moves.take(w.freed, w.ended)
	for _, j := range w.freed {
		j.lane.room.ended(j.lane, j.took)
		w.committing++
	}
	if len(w.ended) == 0 {
		return
	}
	w.moved = true
	w.mu.Lock()
	for _, j := range w.ended {
		w.committing--
		delete(w.jobs, j)
	}
	w.mu.Unlock()
	for _, j := range w.ended {
		r := j.lane.room
		if r.ask = j.lane; r.running+r.waiting < r.slots { // a slot is free: for whatever there is
			w.wantAll()
			break
		}
	}
}

// start gives the free slots of each room to the waiting bundles of its most urgent lane.
func (w *worker) start() {
	for _, r := range w.rooms.rooms {
		w.startIn(r)
	}
}

func (w *worker) startIn(r *room) {
	if r.closed() {
		return
	}
	for r.waiting > 0 && r.running < r.slots && w.committing < maxCommitting {
		d, l := r.next(r.slots)
		if len(l.waiting) == 0 { // the next one of it should be here before the next slot is free
			r.ask = l
		}
		r.begun()
		w.late = w.late || time.Since(d.Arrived) > streams.AckWait/6
		ctx, cancel := context.WithCancelCause(w.node.ctx)
		j := &job{d: d, lane: l, cancel: cancel}
		w.mu.Lock()
		j.round = w.lease.round + 1
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
	for more := true; more; j, more = <-w.hand {
		w.do(j)
	}
}

// do takes one bundle from its slot to its commit.
func (w *worker) do(j *job) {
	begun := time.Now()
	finish := w.node.handle(j.ctx, j.d)
	j.took = time.Since(begun)
	j.left.Store(true)
	w.moves.add(&w.moves.freed, j)
	if finish != nil {
		finish()
	}
	j.cancel(nil)
	w.moves.add(&w.moves.ended, j)
}

// want asks for more of one queue, so that the slots stay busy and little waits here.
func (w *worker) want(l *lane) {
	puller := w.pullerOf(l.room)
	if puller == nil {
		return
	}
	n := l.room.wants(l)
	if w.node.reserves() {
		n = min(n, reservedLook)
	}
	if n <= 0 {
		return
	}
	if err := puller.Want(l.queue, w.node.partitions(), n); err != nil {
		w.node.log.Debug().Err(err).Str("queue", l.queue.Consumer()).Msg("could not ask for work")
	}
}

// askMore asks for more of what came or ended last in each room. While the store is nearly full that waits for the second: most of
// what comes may be handed back.
func (w *worker) askMore() {
	if w.node.reserves() {
		return
	}
	for _, r := range w.rooms.rooms {
		if r.ask != nil {
			w.want(r.ask)
			r.ask = nil
		}
	}
}

func (w *worker) wantAll() {
	w.turnDoors()
	for _, q := range w.node.served() {
		w.want(w.lane(q))
	}
}

// handBackOld returns bundles that have waited here too long; one of a node with free slots will get them.
func (w *worker) handBackOld() {
	limit := time.Now().Add(-handBack)
	if w.drop(func(d *streams.Delivery) bool { return d.Arrived.Before(limit) }) > 0 {
		w.moved = true
	}
}

// finish hands back what waits and sees what was begun to its end.
func (w *worker) finish(tick, extend *time.Ticker) {
	w.stopPulling()
	for {
		w.drop(func(*streams.Delivery) bool { return true })
		w.busy.Store(int64(w.running()))
		if w.running() == 0 && w.committing == 0 {
			select {
			case d := <-w.arrived:
				w.take(d)
				continue
			default:
				return
			}
		}
		select {
		case d := <-w.arrived:
			w.take(d)
		case <-w.moves.some:
			w.move()
		case reply := <-w.asked:
			reply <- w.everything()
		case <-tick.C:
			w.tell()
			w.stopUnleased(time.Now())
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

// cancelPool ends what is being done of a pool. What has left its slot is left alone: it is being committed.
func (w *worker) cancelPool(pool string, why error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for j := range w.jobs {
		if j.d.Queue.Pool == pool && !j.left.Load() {
			j.cancel(why)
		}
	}
}
