package orbittest

import (
	"context"
	"time"

	"github.com/exospherehost/orbit"
)

// Pass returns the incoming object, or an empty one.
func Pass(_ context.Context, x *Execution) error {
	if x.Incoming.IsMap() {
		return x.emit(x.Incoming)
	}
	return x.Emit(map[string]any{})
}

// FanOut returns n objects {"n": 0} … {"n": n-1}.
func FanOut(n int) Behaviour {
	return func(_ context.Context, x *Execution) error {
		for i := range n {
			if err := x.Emit(map[string]any{"n": i}); err != nil {
				return err
			}
		}
		return nil
	}
}

// FailFirst fails the first k attempts of each item, then passes.
func FailFirst(k int) Behaviour {
	return func(ctx context.Context, x *Execution) error {
		if x.Attempt <= k {
			return orbit.Transient(orbit.CodeUnavailable, "%s: not yet, this is attempt %d", x.Item(), x.Attempt)
		}
		return Pass(ctx, x)
	}
}

// FailForGood fails with an error that no attempt can mend.
func FailForGood(_ context.Context, x *Execution) error {
	return orbit.Permanent(orbit.CodeInvalidInput, "%s: cannot be read", x.Item())
}

// Panic crashes the satellite.
func Panic(context.Context, *Execution) error { panic("a satellite went wrong") }

// Hang does not return before the mesh is closed, whatever its context says.
func Hang(_ context.Context, x *Execution) error {
	<-x.Orbit.Script.ended
	return nil
}

// Sleep takes d and then does what then does.
func Sleep(d time.Duration, then Behaviour) Behaviour {
	return func(ctx context.Context, x *Execution) error {
		select {
		case <-time.After(d):
			return then(ctx, x)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// KillNode crashes the node it runs on.
func KillNode(ctx context.Context, x *Execution) error {
	x.Node.Crash()
	<-ctx.Done()
	return ctx.Err()
}

// Spend takes so many tokens, and then does what then does.
func Spend(tokens int64, then Behaviour) Behaviour {
	return func(ctx context.Context, x *Execution) error {
		x.Use(orbit.CompletionTokens, tokens)
		return then(ctx, x)
	}
}

// OnItem does one thing for the items with the given lineages and Pass for all others.
func OnItem(b map[orbit.Lineage]Behaviour) Behaviour {
	return func(ctx context.Context, x *Execution) error {
		if f := b[x.Lineage]; f != nil {
			return f(ctx, x)
		}
		return Pass(ctx, x)
	}
}
