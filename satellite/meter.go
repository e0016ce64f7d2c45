package satellite

import (
	"sync"

	"github.com/exospherehost/orbit"
)

// meter adds up what one attempt took. An attempt that was given up may still be counting.
type meter struct {
	mu   sync.Mutex
	used orbit.Usage
}

// Use counts what the attempt takes of something, such as orbit.PromptTokens. It is committed with the item's result, whatever
// becomes of the item, and summed up for each step and run. Amounts below one are passed over.
func (inv *Invocation) Use(name string, amount int64) {
	if amount < 1 {
		return
	}
	if inv.meter == nil { // an attempt that Call does not carry out
		inv.meter = &meter{}
	}
	inv.meter.mu.Lock()
	inv.meter.used.Add(orbit.Usage{name: amount})
	inv.meter.mu.Unlock()
}

// Used gives what has been counted so far; nil: nothing. What is counted later is not in it.
func (inv *Invocation) Used() orbit.Usage {
	if inv.meter == nil {
		return nil
	}
	inv.meter.mu.Lock()
	defer inv.meter.mu.Unlock()
	var used orbit.Usage
	used.Add(inv.meter.used)
	return used
}
