package node

import (
	"sync"
	"time"

	"github.com/exospherehost/orbit"
)

const (
	// targetTime is how long a bundle should run: long enough that queueing costs nothing beside it, short enough that
	// little is redone when a node dies.
	targetTime = time.Second
	// weight of the newest measurement.
	weight = 0.2
)

// pace remembers how long one item of each satellite takes here.
type pace struct {
	fixed int // items a bundle, whatever was measured; 0: none

	mu   sync.Mutex
	item map[string]time.Duration // by full name; guarded by mu
}

func newPace(fixed int) *pace { return &pace{fixed: fixed, item: map[string]time.Duration{}} }

// took notes that n items took d together.
func (p *pace) took(uses string, n int, d time.Duration) {
	if n == 0 {
		return
	}
	each := d / time.Duration(n)
	p.mu.Lock()
	defer p.mu.Unlock()
	if old, ok := p.item[uses]; ok {
		each = time.Duration(float64(old)*(1-weight) + float64(each)*weight)
	}
	p.item[uses] = max(each, 1)
}

// bundle is the number of items that a bundle of the satellite should hold: about targetTime of work, or the satellite's
// own hint until it has been measured.
func (p *pace) bundle(uses string, hint int) int {
	if p.fixed > 0 {
		return min(p.fixed, orbit.MaxBundleItems)
	}
	p.mu.Lock()
	each, ok := p.item[uses]
	p.mu.Unlock()
	if !ok {
		return max(hint, 1)
	}
	return min(max(int(targetTime/each), 1), orbit.MaxBundleItems)
}
