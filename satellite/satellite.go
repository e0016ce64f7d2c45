// Package satellite is the contract between Orbit and the functions it runs, and the way one invocation of one item is
// carried out: time limit, panics turned into errors, masking of secrets. The built-in satellites live in the packages
// below it, one family each; Registry knows which are at hand.
//
//	node ──Invocation──► Run ──► Satellite.Run(ctx, inv, emit) ──emit──► objects
//
// It refuses to know where work comes from and where results go: no stream, no bucket, no plan.
package satellite

import (
	"context"
	"iter"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
)

// Spec describes a satellite; it lives in the root package because the compiler needs it too.
type Spec = orbit.SatelliteSpec

// Satellite is an idempotent, stateless function. Implementations are safe for concurrent use.
type Satellite interface {
	// Spec describes it. The result is the same at every call and is not modified.
	Spec() *Spec
	// Run carries out one attempt of one item and hands each object it returns to emit, in order. It returns when all
	// is done, and soon after ctx has ended. An error from emit is returned as it is. Errors say whose fault they are:
	// orbit.Permanent (the input's), orbit.Transient or orbit.RetryAfter (the surroundings'); any other error counts as
	// transient. What was emitted before an error is thrown away.
	Run(ctx context.Context, inv *Invocation, emit Emit) error
}

// Uniting marks a satellite that takes the lists of a join as Invocation.Lists. Without it they come as Input, whole.
type Uniting interface{ Uniting() }

// Emit takes one returned object, which must be a JSON object (a map). The bytes are kept: they must not be changed
// afterwards. Its error ends the attempt.
type Emit func(orbit.Object) error

// Invocation is what one attempt of one item gets.
type Invocation struct {
	Run     string // run id
	Step    string // identifier of the step
	Lineage orbit.Lineage
	Attempt int // from 1

	// Config is the step's config with every expression resolved and every secret opened; keys that the schema names
	// are in kebab-case, lists of one-key maps have become maps where the schema wants a map. It fits Spec.Config.
	Config map[string]any
	// Input is the step's `input`, resolved; where the step has none, the incoming object; null at a root without
	// payload.
	Input any
	// HasInput tells an explicit `input` from the incoming object that stands in for a missing one.
	HasInput bool
	// Incoming is the object that made this item, encoded; a satellite that only passes it on need not decode it.
	Incoming orbit.Object

	// Lists is what a join without an `input` unites, for a satellite that is Uniting: the objects of each parent, by its
	// identifier, in lineage order. They are read one after the other, however many there are; a list may be read again.
	Lists map[string]iter.Seq2[orbit.Object, error]

	// Grants holds, for a satellite with Spec.ReadsFiles, the `secrets` maps of the ancestors with Spec.GivesFiles
	// (nearest first), so that it can open the files they found.
	Grants []map[string]string

	// Log takes what the satellite has to say: it becomes records of the run's log, of this item and attempt, and lines of
	// the node's. Secrets that the satellite was given are masked in it.
	Log zerolog.Logger

	meter *meter // of Use
}

// Item is the item's id, such as "call-webhook/0.17".
func (inv *Invocation) Item() string { return orbit.ItemID(inv.Step, inv.Lineage) }

// IdempotencyKey is the same for every attempt of this item and different for every item of every run.
func (inv *Invocation) IdempotencyKey() string { return orbit.HashID("effect", inv.Run, inv.Item()) }

// Secrets gives Config["secrets"] as strings; nil where there is none.
func (inv *Invocation) Secrets() map[string]string {
	m, _ := inv.Config["secrets"].(map[string]any)
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		if s, ok := v.(string); ok {
			out[k] = s
		}
	}
	return out
}
