package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// satellites are what the mesh runs while it is measured: one that makes objects, and others that pass them on, in one way or
// another. node is the name of the node that runs them.
func satellites(node string) []satellite.Satellite {
	return []satellite.Satellite{
		&emit{spec: spec("bench/emit", "Return as many objects as the payload's count", "")},
		&noop{spec: spec("bench/noop", "Return the incoming object", "")},
		&nap{spec: spec("bench/nap", "Return the incoming object after a while", `"for": {"type": "string"}`)},
		&flaky{spec: spec("bench/flaky", "Return the incoming object, one of ten at the second attempt", "")},
		&hold{spec: spec("bench/hold", "Tell that the item began, and return its object once a file is there", `"until": {"type": "string"}, "fails": {"type": "boolean"}`), node: node},
	}
}

func spec(name, title, properties string) *satellite.Spec {
	return &satellite.Spec{Name: name, Kind: "custom", Title: title, Pool: orbit.CorePool, Timeout: time.Hour, BundleHint: 64,
		Config: json.RawMessage(`{"type": "object", "additionalProperties": false, "properties": {` + properties + `}}`)}
}

// noop returns what comes in. It is as cheap as a satellite can be, so what is measured is everything else.
type noop struct{ spec *satellite.Spec }

func (n *noop) Spec() *satellite.Spec { return n.spec }
func (n *noop) Immediate()            {}
func (n *noop) Run(_ context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	return emit(inv.Incoming)
}

// emit returns as many objects as the payload's count, one by one: it never holds them all.
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
		if err := emit(object(n)); err != nil {
			return err
		}
	}
	return nil
}

// firstN is the field n of the first object: from there on numbers take five bytes each.
const firstN = 1 << 31

// firstObject is object(0). An object takes about 50 bytes, and so an item about 64.
var firstObject = orbit.MustObject(map[string]any{"n": firstN, "text": "an object as small as most of them"})

// object is firstObject with another n. It is made without encoding anything: the root's work is not what is measured.
func object(n int) orbit.Object {
	o := bytes.Clone(firstObject)
	binary.BigEndian.PutUint32(o[4:], uint32(firstN+n)) // after the map (1 byte), the key (2) and the number's kind (1)
	return o
}
