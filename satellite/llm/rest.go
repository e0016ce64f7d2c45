package llm

import (
	"context"
	"sync"
	"time"

	"github.com/exospherehost/orbit"
)

const (
	firstRest = 250 * time.Millisecond
	// longestRest is how long a server that fails is left alone between two looks. An item that waits for it keeps its place; one
	// that the server sends away for longer goes back to its queue.
	longestRest = 30 * time.Second
)

// rest keeps requests from a server that has just refused one for reasons of its own. The others would be refused, too, and
// a node whose endpoint is down would go through a queue in no time and spend an attempt of each item, while other nodes have
// endpoints that work.
type rest struct {
	mu    sync.Mutex
	until time.Time
	step  time.Duration // the last rest that the server did not ask for
}

// wait returns when a request may be sent. It fails only when ctx ends.
func (r *rest) wait(ctx context.Context) error {
	r.mu.Lock()
	left := time.Until(r.until)
	r.mu.Unlock()
	if left <= 0 {
		return nil
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// after notes how a request went.
func (r *rest) after(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.step = 0
		return
	}
	switch e := orbit.AsError(err); {
	case e.Code != orbit.CodeUnavailable: // the server is up
		r.step = 0
		return
	case e.After > 0:
		r.until = later(r.until, time.Now().Add(min(e.After, longestRest)))
		return
	case time.Now().Before(r.until): // it was under way with the one that began the rest
		return
	}
	r.step = min(max(2*r.step, firstRest), longestRest)
	r.until = time.Now().Add(r.step)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
