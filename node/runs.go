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
}

type seenRun struct {
	doc *kv.Run
	at  time.Time
}

func newRuns(b *kv.Bucket[kv.Run]) *runs {
	return &runs{bucket: b, seen: map[string]seenRun{}, gone: map[string]time.Time{}}
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
