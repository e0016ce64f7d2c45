package llm

import (
	"context"
	"slices"
	"sync"
)

// turnstile lets so many requests through at once. Of those that wait, the one goes next whose prompt begins as the last
// one did, for the longest: servers keep what they have computed for the beginning of a prompt, and find it again if the
// next request of that beginning comes before others have pushed it out.
type turnstile struct {
	mu      sync.Mutex
	free    int
	waiting []*waiter // in order of arrival
	last    string    // beginning of the prompt that was let through last
}

type waiter struct {
	prefix    string
	overtaken int
	in        chan struct{} // closed when it is let through
}

// maxOvertaken is how often one that waits is passed by: after that it goes next, whatever its prompt.
const maxOvertaken = 32

func newTurnstile(places int) *turnstile { return &turnstile{free: places} }

// enter waits for a place and gives the function that leaves it. It fails only when ctx ends.
func (t *turnstile) enter(ctx context.Context, prefix string) (leave func(), err error) {
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.last = prefix
		t.mu.Unlock()
		return t.leave, nil
	}
	w := &waiter{prefix: prefix, in: make(chan struct{})}
	t.waiting = append(t.waiting, w)
	t.mu.Unlock()
	select {
	case <-w.in:
		return t.leave, nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	at := slices.Index(t.waiting, w)
	if at >= 0 {
		t.waiting = slices.Delete(t.waiting, at, at+1)
	}
	t.mu.Unlock()
	if at < 0 { // it was let through at the same moment
		t.leave()
	}
	return nil, ctx.Err()
}

func (t *turnstile) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		t.free++
		return
	}
	at := t.next()
	w := t.waiting[at]
	for _, before := range t.waiting[:at] {
		before.overtaken++
	}
	t.waiting = slices.Delete(t.waiting, at, at+1)
	t.last = w.prefix
	close(w.in)
}

// next chooses one of those that wait.
func (t *turnstile) next() int {
	best, longest := 0, -1
	for i, w := range t.waiting {
		if w.overtaken >= maxOvertaken {
			return i
		}
		if n := shared(w.prefix, t.last); n > longest {
			best, longest = i, n
		}
	}
	return best
}

// shared is the number of bytes that two texts have in common at their beginning.
func shared(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
