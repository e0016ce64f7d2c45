package main

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// began is what a node tells of an item that it begins, if the satellite is one that tells.
type began struct {
	Run     string `json:"run"`
	Item    string `json:"item"`
	Node    string `json:"node"`
	Attempt int    `json:"attempt"`
	At      int64  `json:"at"` // Unix nanoseconds, by the one clock of this machine
}

// heard is what all nodes have told.
type heard struct {
	news chan struct{}

	mu  sync.Mutex
	all []began
}

func newHeard() *heard { return &heard{news: make(chan struct{}, 1)} }

// hear takes one line.
func (h *heard) hear(line []byte) {
	var b began
	if json.Unmarshal(line, &b) != nil || b.Run == "" {
		return
	}
	h.mu.Lock()
	h.all = append(h.all, b)
	h.mu.Unlock()
	select {
	case h.news <- struct{}{}:
	default:
	}
}

// of gives what was told of a run.
func (h *heard) of(run string) []began {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.all), func(b began) bool { return b.Run != run })
}

// forget drops what was told.
func (h *heard) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = nil
}

// until waits until enough was told of a run.
func (h *heard) until(ctx context.Context, run string, enough func([]began) bool) error {
	for !enough(h.of(run)) {
		select {
		case <-h.news:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// since is the time from a moment to when an item began.
func (b began) since(t time.Time) time.Duration { return time.Unix(0, b.At).Sub(t) }
