package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// satellites are what the mesh runs while it is measured: one that makes objects, one that passes them on.
func satellites() []satellite.Satellite {
	return []satellite.Satellite{
		&emit{spec: spec("bench/emit", "Return as many objects as the payload's count")},
		&noop{spec: spec("bench/noop", "Return the incoming object")},
	}
}

func spec(name, title string) *satellite.Spec {
	return &satellite.Spec{Name: name, Kind: "custom", Title: title, Pool: orbit.CorePool, Timeout: time.Hour, BundleHint: 64, Available: true,
		Config: json.RawMessage(`{"type": "object", "additionalProperties": false}`)}
}

// noop returns what comes in. It is as cheap as a satellite can be, so what is measured is everything else.
type noop struct{ spec *satellite.Spec }

func (n *noop) Spec() *satellite.Spec { return n.spec }
func (n *noop) Immediate()            {}
func (n *noop) Run(_ context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	return emit(inv.Incoming)
}

// emit returns {"n": 0, "text": …}, {"n": 1, …} and so on, one by one: it never holds them all.
type emit struct{ spec *satellite.Spec }

func (e *emit) Spec() *satellite.Spec { return e.spec }
func (e *emit) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	payload, _ := inv.Input.(map[string]any)
	count, ok := payload["count"].(int)
	if !ok {
		return orbit.Permanent(orbit.CodeInvalidInput, "the payload has no count")
	}
	for n := range count {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := emit(orbit.MustObject(object(n))); err != nil {
			return err
		}
	}
	return nil
}

// object is about 50 bytes in its frame, and so an item about 64.
func object(n int) map[string]any {
	return map[string]any{"n": n, "text": fmt.Sprintf("object %027d", n)}
}
