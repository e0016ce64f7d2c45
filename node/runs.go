package node

import (
	"sync"
	"time"

	"github.com/exospherehost/orbit/kv"
)

const (
	// runLife is how long a run's document is believed.
	runLife = 5 * time.Second
	// maxRuns bounds what is remembered of runs.
	maxRuns = 4096
)

// runs is what a node knows of runs beyond their bundles: documents read lately, and cancels it was told of.
type runs struct {
	bucket *kv.Bucket[kv.Run]

	mu   sync.Mutex
	seen map[string]seenRun
	gone map[string]time.Time // cancelled
	idle map[string]bool      // paused
}

type seenRun struct {
	doc *kv.Run
	at  time.Time
}

func newRuns(b *kv.Bucket[kv.Run]) *runs {
	return &runs{bucket: b, seen: map[string]seenRun{}, gone: map[string]time.Time{}, idle: map[string]bool{}}
}

func (r *runs) cancel(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.gone) > maxRuns {
		clear(r.gone) // a cancelled run's work is purged anyway
	}
	r.gone[id] = time.Now()
	delete(r.seen, id)
}

func (r *runs) cancelled(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.gone[id]
	return ok
}

// pause notes that a run is paused, or may be: its document tells.
func (r *runs) pause(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.idle) > maxRuns {
		clear(r.idle) // what of these is paused is noticed when it is older
	}
	r.idle[id] = true
	delete(r.seen, id)
}

// resume notes that a run is not paused.
func (r *runs) resume(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.idle, id)
	delete(r.seen, id)
}

func (r *runs) paused(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.idle[id]
}
