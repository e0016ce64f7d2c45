// Package fault lets tests make the main path fail or stop at a named point. In production the injector is nil and every
// point is a no-op.
package fault

import (
	"context"
	"errors"
	"sync"
)

// ErrCrash is what a point returns when the process is meant to die there: the caller returns at once and touches nothing more.
var ErrCrash = errors.New("injected crash")

// ErrLost is what a point returns when what is sent there is to be lost on its way: the sender goes on as if it had arrived.
var ErrLost = errors.New("injected loss")

// Injector decides at each point whether to fail. It is safe for concurrent use.
type Injector struct {
	mu    sync.Mutex
	n     int
	trace []string
	at    func(n int, point string) error
}

// New makes an injector; at is asked at every point, with the number of points passed before.
func New(at func(n int, point string) error) *Injector { return &Injector{at: at} }

// Point is passed by the code under test. A nil injector lets everything pass.
func (i *Injector) Point(_ context.Context, name string) error {
	if i == nil {
		return nil
	}
	i.mu.Lock()
	n := i.n
	i.n++
	i.trace = append(i.trace, name)
	i.mu.Unlock()
	return i.at(n, name)
}

// Trace lists the points that were passed, in order.
func (i *Injector) Trace() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]string(nil), i.trace...)
}
