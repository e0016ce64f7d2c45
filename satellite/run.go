package satellite

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/vault"
)

// grace is how long past its time limit a satellite that does not heed its context is waited for before it is left
// behind: a stuck function must not become a stuck run.
const grace = 5 * time.Second

// Immediate marks a satellite that does no I/O and always returns within microseconds. It runs without a time limit and
// without a goroutine of its own.
type Immediate interface{ Immediate() }

// Call is one attempt of one item, ready to be carried out.
type Call struct {
	Satellite  Satellite
	Invocation *Invocation
	Timeout    time.Duration
	Mask       *vault.Masker // of the secrets that the invocation holds; nil: none
	Emit       Emit          // takes what the satellite returns, checked and masked

	edge Emit // pass, made once: a call may be done for one item after the other
}

// Do carries out the attempt. What the satellite emits is checked and masked on its way to Emit, and its error comes back
// as an *orbit.Error, masked: a panic, a time limit that has passed and an object that is none are errors of the item,
// never of the process. If ctx ended from outside, the error is the cause of that, as it is.
func (c *Call) Do(ctx context.Context) error {
	if c.edge == nil {
		c.edge = c.pass
	}
	if _, ok := c.Satellite.(Immediate); ok {
		c.Invocation.meter = nil // of the item before
		return c.finish(ctx, c.protected(ctx, c.edge))
	}
	c.Invocation.meter = &meter{}
	limited, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	door := &door{emit: c.edge}
	done := make(chan error, 1)
	go func() { done <- c.protected(limited, door.pass) }()
	var err error
	select {
	case err = <-done:
	case <-limited.Done():
		late := time.NewTimer(grace)
		defer late.Stop()
		select {
		case err = <-done:
		case <-late.C: // it does not heed its context; its goroutine is lost, the run is not
			err = limited.Err()
		}
	}
	door.close()
	if ctx.Err() == nil && limited.Err() != nil && err != nil {
		return orbit.Transient(orbit.CodeTimeout, "%s did not finish within its time limit of %s; raise `timeout` or make the item smaller",
			c.Invocation.Item(), orbit.Duration(c.Timeout))
	}
	return c.finish(ctx, err)
}

// protected runs the satellite; a panic becomes an error.
func (c *Call) protected(ctx context.Context, emit Emit) (err error) {
	defer func() {
		if r := recover(); r != nil {
			c.Invocation.Log.Error().Str("panic", c.Mask.Text(fmt.Sprint(r))).Str("stack", c.Mask.Text(string(debug.Stack()))).Msg("satellite panicked")
			err = orbit.Permanent(orbit.CodePanic, "%s crashed: %v; this is a mistake in the satellite, not in the item's neighbours", c.Satellite.Spec().Name, r)
		}
	}()
	return c.Satellite.Run(ctx, c.Invocation, emit)
}

// finish gives the satellite's error its form.
func (c *Call) finish(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil { // the node stops, or the run was cancelled
		return context.Cause(ctx)
	}
	var broken *emitError
	if errors.As(err, &broken) { // not the satellite's
		return broken.err
	}
	e := *orbit.AsError(err)
	e.Message = c.Mask.Text(e.Message)
	return &e
}

// pass checks and masks what leaves the satellite.
func (c *Call) pass(o orbit.Object) error {
	if !o.IsMap() {
		return orbit.Permanent(orbit.CodeInternal, "%s returned something that is no object", c.Satellite.Spec().Name)
	}
	if c.Mask.Shows(o) {
		v, err := o.Value()
		if err != nil {
			return orbit.Permanent(orbit.CodeInternal, "%s returned a damaged object", c.Satellite.Spec().Name)
		}
		if o, err = orbit.NewObject(c.Mask.Value(v)); err != nil {
			return orbit.Permanent(orbit.CodeInternal, "%s returned a damaged object", c.Satellite.Spec().Name)
		}
	}
	if err := c.Emit(o); err != nil {
		return &emitError{err}
	}
	return nil
}

// emitError is an error of the one who takes the objects, on its way through the satellite.
type emitError struct{ err error }

func (e *emitError) Error() string { return e.err.Error() }
func (e *emitError) Unwrap() error { return e.err }

// door lets objects pass until it is closed: what a satellite emits after it was given up goes nowhere.
type door struct {
	mu     sync.Mutex
	closed bool
	emit   Emit
}

var errClosed = errors.New("the attempt has ended")

func (d *door) pass(o orbit.Object) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return errClosed
	}
	return d.emit(o)
}

func (d *door) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
}
