package main

import (
	"bufio"
	"encoding/json"
	"os"
	"sync"
	"time"

	"github.com/exospherehost/orbit"
)

// What a client does to a run.
const (
	opStart  = "start"
	opRead   = "read"
	opCancel = "cancel"
)

// How it came out for the client.
const (
	resultOK      = "ok"
	resultRefused = "refused" // for good, with a reason
	resultFailed  = "failed"  // surely nothing happened
	resultUnknown = "unknown" // no answer, or one that leaves it open
)

// op is one operation of a client, from its request to its answer.
type op struct {
	Kind    string         `json:"kind"`
	Client  int            `json:"client"`
	Gateway string         `json:"gateway"`
	Cluster string         `json:"cluster,omitempty"`
	Run     string         `json:"run,omitempty"` // known before only with a key
	Key     string         `json:"key,omitempty"`
	Other   bool           `json:"other,omitempty"` // the key of another request: it must be refused
	Call    time.Duration  `json:"call"`
	Return  time.Duration  `json:"return"`
	Result  string         `json:"result"`
	State   orbit.RunState `json:"state,omitempty"` // that the answer told
	Status  int            `json:"status,omitempty"`
	Note    string         `json:"note,omitempty"`
}

// history is everything that clients did.
type history struct {
	begun time.Time

	mu  sync.Mutex
	ops []op
}

// now is the time since the beginning.
func (h *history) now() time.Duration { return time.Since(h.begun) }

func (h *history) add(o op) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, o)
}

func (h *history) all() []op {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]op(nil), h.ops...)
}

// save writes the history, an operation a line.
func (h *history) save(file string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	for _, o := range h.all() {
		if err := enc.Encode(o); err != nil {
			return err
		}
	}
	return w.Flush()
}
