package orbittest

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// The satellites of every test mesh: test/single, test/few and test/many differ only in the size of their bundles, and
// test/pooled needs a pool that no node hosts, and test/model one of a model that wants a large GPU. What they do is the mesh's Script, by the identifier of the step.
var hints = map[string]int{"test/single": 1, "test/few": 4, "test/many": 256, "test/pooled": 1, "test/model": 1}

// Behaviour is what the items of a step do.
type Behaviour func(ctx context.Context, x *Execution) error

// Execution is one attempt of one item, seen from inside.
type Execution struct {
	*satellite.Invocation
	Orbit *Orbit
	Node  *Process
	Count int // executions of this item so far, this one included: attempts, and what infrastructure made anew
	emit  satellite.Emit
}

// Emit returns an object.
func (x *Execution) Emit(v map[string]any) error {
	o, err := orbit.NewObject(v)
	if err != nil {
		return err
	}
	return x.emit(o)
}

// Script says what each step does, and remembers what ran.
type Script struct {
	mu    sync.Mutex
	steps map[string]Behaviour
	count map[string]int // executions by run and item
	ended chan struct{}  // closed at the end, for who hangs
}

func newScript() *Script {
	return &Script{steps: map[string]Behaviour{}, count: map[string]int{}, ended: make(chan struct{})}
}

// On sets what the items of a step do, in every run. Pass is the default.
func (s *Script) On(step string, b Behaviour) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps[step] = b
}

// Count is how often an item has been executed.
func (s *Script) Count(run, item string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count[run+" "+item]
}

// Total is how many executions there were, of all items.
func (s *Script) Total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.count {
		n += c
	}
	return n
}

func (s *Script) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.ended:
	default:
		close(s.ended)
	}
}

// actor is a test satellite on one process.
type actor struct {
	spec *satellite.Spec
	o    *Orbit
	on   *Process
}

// Spec implements satellite.Satellite.
func (a *actor) Spec() *satellite.Spec { return a.spec }

// Run implements satellite.Satellite.
func (a *actor) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	s := a.o.Script
	s.mu.Lock()
	b := s.steps[inv.Step]
	s.count[inv.Run+" "+inv.Item()]++
	n := s.count[inv.Run+" "+inv.Item()]
	s.mu.Unlock()
	if b == nil {
		b = Pass
	}
	return b(ctx, &Execution{Invocation: inv, Orbit: a.o, Node: a.on, Count: n, emit: emit})
}

// registry gives the test satellites for a process; nil: a gateway, which has their descriptions.
func (o *Orbit) registry(on *Process) *satellite.Registry {
	o.T.Helper()
	r, err := satellite.NewRegistry()
	if err != nil {
		o.T.Fatal(err)
	}
	for name, hint := range hints {
		spec := &satellite.Spec{Name: name, Kind: "custom", Title: "Test", Config: json.RawMessage(`{"type": "object", "properties": {"token": {"type": "string"}, "secrets": {"type": "object"}, "note": {}}}`),
			SecretFields: []string{"config.token", "config.secrets"}, Pool: orbit.CorePool, Timeout: time.Minute, BundleHint: hint}
		switch name {
		case "test/pooled":
			spec.Pool = "project-x"
		case "test/model":
			spec.Pool, spec.Resources = orbit.ModelPool(name), orbit.Resources{Model: name, GPUMemory: 80 * orbit.GiB}
		}
		if on == nil {
			err = r.Describe(spec)
		} else {
			err = r.Add(&actor{spec, o, on})
		}
		if err != nil {
			o.T.Fatal(err)
		}
	}
	return r
}
