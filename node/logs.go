package node

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit/streams"
)

const (
	// logPatience is how long the commit of a bundle waits for its log to be stored, at most.
	logPatience = 2 * time.Second
	// logRest is how long nobody waits after a wait that was in vain: a log that cannot be written must not slow the work down.
	logRest = 10 * time.Second
	// logEvery is how often the log of a bundle that still runs is sent: who follows a run sees what it says a second later.
	logEvery = time.Second
	// logWindow bounds the messages of log records without an answer, to some 16 MiB.
	logWindow = 16 << 20 / batchBytes
)

// logs takes what is said about items to the log stream. It has a publisher of its own, so that a log stream that does not
// answer never takes the room of records and children.
//
// It promises this much: what was said is sent before the bundle is committed, and waited for. If the log stream cannot be
// written, the work goes on: its publisher tries for some 40 seconds more, and what is not stored by then is lost, which the
// node's own log tells. A node that dies takes with it what was said in the last second by bundles it had not committed;
// whoever runs them next says it again.
type logs struct {
	node *Node
	pub  *streams.Publisher

	mu   sync.Mutex
	open map[*book]struct{} // that hold something to be sent
	rest time.Time          // until then nobody waits
}

func newLogs(n *Node) (*logs, error) {
	pub, err := streams.NewPublisherOf(n.opts.Conn, logWindow)
	return &logs{node: n, pub: pub, open: map[*book]struct{}{}}, err
}

// run sends what running bundles have said so far, again and again until the node stops.
func (l *logs) run() {
	tick := time.NewTicker(logEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.node.quit:
			return
		}
		l.mu.Lock()
		books := make([]*book, 0, len(l.open))
		for b := range l.open {
			books = append(books, b)
		}
		l.mu.Unlock()
		for _, b := range books {
			ctx, cancel := context.WithTimeout(l.node.ctx, l.patience())
			b.send(ctx)
			cancel()
		}
	}
}

// book begins the log of one execution of a bundle. Until something is said it costs next to nothing.
func (l *logs) book(d *streams.Delivery) *book {
	b := &book{logs: l, d: d}
	b.voice.book = b
	return b
}

// patience is how long to wait for the log stream now.
func (l *logs) patience() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Now().Before(l.rest) {
		return 0
	}
	return logPatience
}

// holds notes whether a book holds something to be sent.
func (l *logs) holds(b *book, something bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if something {
		l.open[b] = struct{}{}
	} else {
		delete(l.open, b)
	}
}

// failed notes that the log stream did not take a batch, or not in time.
func (l *logs) failed(b *book, err error) {
	if l.node.ctx.Err() != nil {
		return
	}
	l.mu.Lock()
	first := time.Now().After(l.rest)
	l.rest = time.Now().Add(logRest)
	l.mu.Unlock()
	level := zerolog.DebugLevel
	if first { // once for each time that it goes on
		level = zerolog.WarnLevel
	}
	l.node.log.WithLevel(level).Err(err).Str("run", b.d.Run).Msg("log records are not stored in time; the work goes on without")
}

// store sends what a book still holds, and waits until all that was sent of it is stored. It gives up soon: the log is worth
// a moment, not the run.
func (l *logs) store(b *book) {
	patience := l.patience()
	ctx, cancel := context.WithTimeout(l.node.ctx, patience)
	defer cancel()
	b.send(ctx)
	l.holds(b, false)
	if b.batch == nil || patience == 0 {
		return
	}
	if err := b.batch.Wait(ctx); err != nil {
		l.failed(b, err)
		return
	}
	// Dying after this: the bundle is run again, and says again what a reader then drops.
	_ = l.node.opts.Faults.Point(ctx, "logs.stored")
}

// close ends the publisher. No bundle is being run.
func (l *logs) close() { l.pub.Close() }
