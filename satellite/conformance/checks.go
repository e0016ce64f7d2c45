package conformance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/exospherehost/orbit"
)

// again checks that the same item gives the same, as far as two attempts show it: an item may be executed more than once.
func (r *suite) again(ctx context.Context, e *Example) (string, error) {
	a, b := r.attempt(ctx, e.Config, e.Input, 0), r.attempt(ctx, e.Config, e.Input, 0)
	if err := errors.Join(a.err, b.err); err != nil {
		return "", fmt.Errorf("it failed: %w", err)
	}
	if err := same(a.out, b.out); err != nil {
		return "", fmt.Errorf("done twice, %w", err)
	}
	return "", nil
}

// grace is how long after the end of its context a satellite may go on: a little less than satellite.Call waits for it.
const grace = 4 * time.Second

// ended checks that a satellite ends soon after its context, whether that ended before it began or while it works.
func (r *suite) ended(ctx context.Context, e *Example) (string, error) {
	for _, when := range []time.Duration{0, time.Millisecond, 50 * time.Millisecond} {
		attempt, cancel := context.WithCancel(ctx)
		timer := time.AfterFunc(when, cancel)
		if when == 0 {
			cancel()
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.attempt(attempt, e.Config, e.Input, 0)
		}()
		<-attempt.Done()
		late := time.NewTimer(grace)
		var err error
		select {
		case <-done:
		case <-late.C:
			err = fmt.Errorf("it goes on %s after its context has ended; heed ctx.Done(), or let a request end with it", grace)
		}
		late.Stop()
		timer.Stop()
		cancel()
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

// unfit checks what comes of a config or an input that the schema does not allow. A node refuses both before the satellite
// sees them; one that gets them all the same must fail at once, and for good: trying again does not mend an input.
func (r *suite) unfit(ctx context.Context, e *Example) (string, error) {
	candidates := []any{nil, 42, "orbit", []any{"orbit"}, map[string]any{}, map[string]any{"orbit-unknown-key": true}}
	tried := 0
	for _, v := range candidates {
		if len(r.input.Check(v)) > 0 {
			tried++
			if err := refusedForGood(r.attempt(ctx, e.Config, v, 0)); err != nil {
				return "", fmt.Errorf("with the input %s, which does not fit: %w", text([]any{v}), err)
			}
		}
		if config, ok := v.(map[string]any); ok && len(r.config.Check(config)) > 0 {
			tried++
			if err := refusedForGood(r.attempt(ctx, config, e.Input, 0)); err != nil {
				return "", fmt.Errorf("with the config %s, which does not fit: %w", text([]any{v}), err)
			}
		}
	}
	if tried == 0 {
		return "the schemas of config and input allow everything; name the keys, and set additionalProperties: false", nil
	}
	return "", nil
}

// refusedForGood allows a satellite that is content with what does not fit, and one that says so.
func refusedForGood(got outcome) error {
	var own *orbit.Error
	switch {
	case got.err == nil:
		return nil
	case !errors.As(got.err, &own):
		return fmt.Errorf("its error does not say whose fault it is: %w", got.err)
	case own.Code == orbit.CodePanic:
		return fmt.Errorf("it crashed: %s", own.Message)
	case own.Retryable:
		return fmt.Errorf("it asks for another attempt, which does not help: %s", own.Message)
	}
	return nil
}

// large checks that a large input is worked on or refused, and does not break the satellite for the next item.
func (r *suite) large(ctx context.Context, e *Example) (string, error) {
	input, ok := grown(e.Input, r.o.Large)
	if !ok {
		return "the input of the first example has no text that could be made longer", nil
	}
	if len(r.input.Check(input)) > 0 {
		return "the schema of the input does not allow a long text", nil
	}
	if err := refusedForGood(r.attempt(ctx, e.Config, input, 0)); err != nil {
		return "", fmt.Errorf("with an input of %s: %w", orbit.Bytes(r.o.Large), err)
	}
	if err := r.example(ctx, e); err != nil {
		return "", fmt.Errorf("after an input of %s: %w", orbit.Bytes(r.o.Large), err)
	}
	return "", nil
}

// grown repeats the first text of a value until it has a size.
func grown(v any, size int) (any, bool) {
	switch v := v.(type) {
	case string:
		unit := v + " "
		return strings.Repeat(unit, size/len(unit)+1), true
	case []any:
		out := slices.Clone(v)
		for i := range out {
			if g, ok := grown(out[i], size); ok {
				out[i] = g
				return out, true
			}
		}
	case map[string]any:
		out := maps.Clone(v)
		for _, key := range slices.Sorted(maps.Keys(out)) {
			if g, ok := grown(out[key], size); ok {
				out[key] = g
				return out, true
			}
		}
	}
	return nil, false
}

// many checks that one instance does a long row of items, and each alike.
func (r *suite) many(ctx context.Context, e *Example) (string, error) {
	for i := range r.o.Items {
		if err := r.one(ctx, e, i); err != nil {
			return "", fmt.Errorf("item %d of %d: %w", i+1, r.o.Items, err)
		}
	}
	return "", nil
}

// crowd is how many items are tried at once.
const crowd = 16

// atOnce checks that items worked on at the same time do not disturb each other.
func (r *suite) atOnce(ctx context.Context, e *Example) (string, error) {
	var wg sync.WaitGroup
	errs := make([]error, crowd)
	for i := range errs {
		wg.Go(func() { errs[i] = r.one(ctx, e, i) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return "", fmt.Errorf("one of %d items at once: %w", crowd, err)
		}
	}
	return "", nil
}

func (r *suite) one(ctx context.Context, e *Example, number int) error {
	got := r.attempt(ctx, e.Config, e.Input, number)
	if got.err != nil {
		return fmt.Errorf("it failed: %w", got.err)
	}
	return same(e.outputs(), got.out)
}

// canary stands for a secret.
const canary = "CANARY-3f9c1b7e5a"

// secrets checks that what a config field for secrets holds is not logged and not in an error. Orbit masks both; whoever
// writes a secret down all the same writes it down elsewhere, too.
func (r *suite) secrets(ctx context.Context, e *Example) (string, error) {
	tried := 0
	for _, field := range r.spec.SecretFields {
		for _, value := range []any{canary, map[string]any{"CANARY": canary}} {
			config, input, ok := r.plant(e, field, value)
			if !ok {
				continue
			}
			tried++
			got := r.attempt(ctx, config, input, 0)
			if strings.Contains(got.log, canary) {
				return "", fmt.Errorf("it logs what %s holds", field)
			}
			if got.err != nil && strings.Contains(got.err.Error(), canary) {
				return "", fmt.Errorf("its error holds what %s holds", field)
			}
		}
	}
	if tried == 0 {
		return "it has no field for secrets that takes a text or a map", nil
	}
	return "", nil
}

// plant puts a value into a field of config or input; not ok: it does not fit there.
func (r *suite) plant(e *Example, field string, value any) (config map[string]any, input any, ok bool) {
	part, rest, _ := strings.Cut(field, ".")
	config, input = e.Config, e.Input
	if part == "config" {
		config = planted(config, strings.Split(rest, "."), value)
	} else {
		m, isMap := input.(map[string]any)
		if !isMap {
			return nil, nil, false
		}
		input = planted(m, strings.Split(rest, "."), value)
	}
	return config, input, len(r.config.Check(config)) == 0 && len(r.input.Check(input)) == 0
}

// planted gives a map with a value at a path.
func planted(m map[string]any, path []string, value any) map[string]any {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]any{}
	}
	if len(path) == 1 {
		out[path[0]] = value
		return out
	}
	below, _ := out[path[0]].(map[string]any)
	out[path[0]] = planted(below, path[1:], value)
	return out
}
