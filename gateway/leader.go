package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/exospherehost/orbit/kv"
)

const (
	// leaseLife is how long a leader that says nothing is believed alive.
	leaseLife = 3 * time.Second
	// leaseEvery is how often a leader says that it lives.
	leaseEvery = time.Second
)

// lease is the claim of one gateway to lead one partition. It saves work and is not needed for safety, so clocks play no
// part in it: who waits watches whether the document changes within leaseLife by its own clock.
type lease struct {
	g   *Gateway
	p   int
	doc leaseDoc
	rev uint64

	mu          sync.Mutex
	began, good time.Time // when this gateway took the lease, and when it last renewed it
}

// times tells since when this gateway leads, and when it was last known to.
func (l *lease) times() (began, good time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.began, l.good
}

// renewed notes that the lease was renewed; begin is the time before the server was asked.
func (l *lease) renewed(begin time.Time, taken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.good = begin; taken {
		l.began = time.Now()
	}
}

type leaseDoc struct {
	Owner string `json:"owner"` // "": given up
	Epoch uint64 `json:"epoch"` // grows with each change of owner
	Beat  uint64 `json:"beat"`
}

func (l *lease) bucket() *kv.Bucket[leaseDoc] {
	return kv.Open[leaseDoc](l.g.opts.Conn, l.g.js, kv.CheckpointsBucket)
}

func (l *lease) key() string { return fmt.Sprintf("lease.%d", l.p) }

// wait returns when this gateway leads (true), or ctx has ended (false).
func (l *lease) wait(ctx context.Context) bool {
	var seen uint64
	since := time.Now()
	for ctx.Err() == nil {
		doc, rev, err := l.bucket().Get(ctx, l.key())
		switch {
		case errors.Is(err, kv.ErrNotFound):
			if l.take(ctx, leaseDoc{}, 0) {
				return true
			}
		case err != nil:
		case doc.Owner == "", doc.Owner == l.g.opts.Name && l.g.opts.Alone, rev == seen && time.Since(since) > leaseLife:
			if l.take(ctx, *doc, rev) {
				return true
			}
		case rev != seen:
			seen, since = rev, time.Now()
		}
		select {
		case <-time.After(leaseEvery / 2):
		case <-ctx.Done():
		}
	}
	return false
}

func (l *lease) take(ctx context.Context, was leaseDoc, rev uint64) bool {
	doc, asked := leaseDoc{Owner: l.g.opts.Name, Epoch: was.Epoch + 1}, time.Now()
	var err error
	if rev == 0 {
		rev, err = l.bucket().Create(ctx, l.key(), &doc)
	} else {
		rev, err = l.bucket().Update(ctx, l.key(), &doc, rev)
	}
	if err != nil {
		return false
	}
	l.doc, l.rev = doc, rev
	l.renewed(asked, true)
	return true
}

// keep renews the lease until ctx ends; when it is lost, lost is called.
func (l *lease) keep(ctx context.Context, lost func()) {
	tick := time.NewTicker(leaseEvery)
	defer tick.Stop()
	good := time.Now()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		next := l.doc
		next.Beat++
		asked := time.Now()
		rev, err := l.bucket().Update(ctx, l.key(), &next, l.rev)
		switch {
		case err == nil:
			l.doc, l.rev, good = next, rev, time.Now()
			l.renewed(asked, false)
		case errors.Is(err, kv.ErrConflict):
			if doc, rev, err := l.bucket().Get(ctx, l.key()); err == nil && doc.Owner == l.doc.Owner && doc.Epoch == l.doc.Epoch {
				l.doc, l.rev, good = *doc, rev, time.Now() // our own write, whose answer was lost
				continue
			}
			l.rev = 0
			lost()
			return
		case time.Since(good) > 10*leaseLife: // a new start may find what is wrong
			lost()
			return
		}
	}
}

// release gives the lease up, so that another gateway need not wait. keep has returned.
func (l *lease) release() {
	if l.rev == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	next := leaseDoc{Epoch: l.doc.Epoch}
	_, _ = l.bucket().Update(ctx, l.key(), &next, l.rev) // failing, it runs out by itself
	l.rev = 0
}
