// Package conformance checks whether a satellite keeps the contract that every satellite has, whatever it is made of: a Go
// type, a program, an HTTP service, a preset. Tests of each of these ways run it, and so does `orbit satellites test`.
//
//	satellite, examples ──Run──► [{spec, nil} {example empty, "it returned …"} …]
//
// It refuses to start a mesh: each check is one or more attempts, carried out as a node does.
package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/schema"
)

// Options of a run of the suite. The zero value is good.
type Options struct {
	Items  int           // of the check with many; 1,000 by default
	Large  int           // bytes of the large input; 1 MiB by default
	Limit  time.Duration // of one attempt; the satellite's own by default
	Report func(Check)   // called with each check as it is done; nil: nobody waits for them
}

// Check is one thing that was looked at.
type Check struct {
	Name string
	Err  error  // what is wrong; nil: nothing
	Note string // why there was little to look at; ""
}

// suite is one run.
type suite struct {
	satellite satellite.Satellite
	spec      *satellite.Spec
	examples  []Example
	o         Options

	config, input, output *schema.Schema
	done                  []Check
}

// Run checks a satellite. It goes through everything, whatever it finds, unless ctx ends.
func Run(ctx context.Context, s satellite.Satellite, examples []Example, o Options) []Check {
	if o.Items <= 0 {
		o.Items = 1_000
	}
	if o.Large <= 0 {
		o.Large = 1 << 20
	}
	if o.Report == nil {
		o.Report = func(Check) {}
	}
	r := &suite{satellite: s, spec: s.Spec(), examples: examples, o: o}
	if o.Limit <= 0 {
		r.o.Limit = r.spec.Timeout
	}
	if !r.check("spec", "", r.described()) {
		return r.done
	}
	for i := range examples {
		r.check("example "+examples[i].Name, "", r.example(ctx, &examples[i]))
	}
	e := r.first()
	if e == nil {
		r.check("examples", "", errors.New("there is none that succeeds, so nothing can be tried; put one into "+Folder+"/NAME.json"))
		return r.done
	}
	for _, c := range []struct {
		name string
		do   func(context.Context, *Example) (string, error)
	}{
		{"the same again", r.again}, {"end of the context", r.ended}, {"what does not fit", r.unfit}, {"large input", r.large},
		{"many items", r.many}, {"at once", r.atOnce}, {"secrets", r.secrets},
	} {
		if ctx.Err() != nil {
			break
		}
		note, err := c.do(ctx, e)
		r.check(c.name, note, err)
	}
	return r.done
}

// Passed tells whether nothing was wrong.
func Passed(checks []Check) bool {
	for _, c := range checks {
		if c.Err != nil {
			return false
		}
	}
	return len(checks) > 0
}

func (r *suite) check(name, note string, err error) bool {
	c := Check{name, err, note}
	r.done = append(r.done, c)
	r.o.Report(c)
	return err == nil
}

// first is the first example that succeeds.
func (r *suite) first() *Example {
	for i := range r.examples {
		if r.examples[i].Error == nil {
			return &r.examples[i]
		}
	}
	return nil
}

// described checks the description.
func (r *suite) described() error {
	if again := r.satellite.Spec(); !satellite.SameSpec(again, r.spec) {
		return errors.New("it describes itself in another way each time it is asked")
	}
	if r.spec.Kind == "custom" || r.spec.Kind == "configured" {
		if err := satellite.CheckSpec(r.spec); err != nil {
			return err
		}
	}
	if strings.Count(r.spec.Name, "/") != 1 || r.spec.Title == "" || r.spec.Timeout <= 0 || r.spec.BundleHint < 1 {
		return errors.New("it needs a name (project/name), a title, a timeout and a bundle-hint")
	}
	for _, part := range []struct {
		name string
		raw  json.RawMessage
		into **schema.Schema
	}{{"config", r.spec.Config, &r.config}, {"input", r.spec.Input, &r.input}, {"output", r.spec.Output, &r.output}} {
		s, err := schema.Compile(part.raw)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		*part.into = s
	}
	return nil
}

// outcome is what came of an attempt.
type outcome struct {
	out []any
	err error
	log string
}

// attempt carries out one attempt of an item, as a node does. What is logged is not masked, so that it shows.
func (r *suite) attempt(ctx context.Context, config map[string]any, input any, number int) outcome {
	incoming, err := orbit.NewObject(input)
	if err != nil {
		return outcome{err: err}
	}
	var o outcome
	var log bytes.Buffer
	var mu sync.Mutex
	call := &satellite.Call{Satellite: r.satellite, Timeout: r.o.Limit,
		Invocation: &satellite.Invocation{Run: "conformance", Step: "probe", Lineage: orbit.Lineage(fmt.Sprint(number)), Attempt: 1, Config: config, Input: input, Incoming: incoming,
			Log: zerolog.New(zerolog.SyncWriter(&log))},
		Emit: func(obj orbit.Object) error {
			v, err := obj.Value()
			mu.Lock()
			defer mu.Unlock()
			o.out = append(o.out, v)
			return err
		}}
	o.err = call.Do(ctx)
	mu.Lock()
	defer mu.Unlock()
	o.log = log.String()
	return o
}

// example checks that an example gives what it says.
func (r *suite) example(ctx context.Context, e *Example) error {
	for _, v := range r.config.Check(e.Config) {
		return fmt.Errorf("its config does not fit the schema: %s", v)
	}
	for _, v := range r.input.Check(e.Input) {
		return fmt.Errorf("its input does not fit the schema: %s", v)
	}
	got := r.attempt(ctx, e.Config, e.Input, 0)
	if e.Error != nil {
		return failedAs(e.Error, got)
	}
	if got.err != nil {
		return fmt.Errorf("it failed: %w", got.err)
	}
	if err := r.fits(got.out); err != nil {
		return err
	}
	return same(e.outputs(), got.out)
}

// failedAs checks how an attempt failed.
func failedAs(want *Failure, got outcome) error {
	var own *orbit.Error
	switch {
	case got.err == nil:
		return fmt.Errorf("it returned %s where it should fail", text(got.out))
	case !errors.As(got.err, &own):
		return fmt.Errorf("its error does not say whose fault it is: %w", got.err)
	case want.Code != "" && own.Code != want.Code:
		return fmt.Errorf("it failed with code %s, not %s: %s", own.Code, want.Code, own.Message)
	case want.Retry != nil && own.Retryable != *want.Retry:
		return fmt.Errorf("another attempt %s, and the example says that it %s: %s", helps(own.Retryable), helps(*want.Retry), own.Message)
	case !strings.Contains(own.Message, want.Message):
		return fmt.Errorf("it failed with %q, which does not hold %q", own.Message, want.Message)
	}
	return nil
}

func helps(retry bool) string {
	if retry {
		return "may help"
	}
	return "does not help"
}

// fits checks objects against the schema of the output.
func (r *suite) fits(out []any) error {
	for i, o := range out {
		if _, ok := o.(map[string]any); !ok {
			return fmt.Errorf("what it returned as number %d is no object", i+1)
		}
		for _, v := range r.output.Check(o) {
			return fmt.Errorf("object %d does not fit the schema of the output: %s", i+1, v)
		}
	}
	return nil
}

func same(want, got []any) error {
	if len(want) == len(got) && (len(want) == 0 || reflect.DeepEqual(want, got)) {
		return nil
	}
	return fmt.Errorf("it returned %s, and %s is expected", text(got), text(want))
}

// text shows objects, cut to a length that fits a line or two.
func text(v []any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	if v == nil {
		b = []byte("[]")
	}
	return satellite.Shorten(string(b), 400)
}
