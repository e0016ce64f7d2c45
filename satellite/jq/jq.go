// Package jq is the satellite exospherehost/jq: a jq program that turns one value into any number of objects.
//
//	input ──program──► value, value, … ──wrap──► objects
//
// It owns the compiling of programs, which the compiler of clusters has checked by a Checker, and their running. It refuses
// them everything but their input: no environment, no file, no module, no second input.
package jq

import (
	"context"
	"errors"
	"time"

	"github.com/itchyny/gojq"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// defaultTimeout bounds a program whose config names no timeout.
const defaultTimeout = 10 * time.Second

// JQ is the satellite. It remembers compiled programs from item to item.
type JQ struct {
	spec     *satellite.Spec
	programs *programs
}

// New makes the satellite.
func New() *JQ { return &JQ{spec: newSpec(), programs: newPrograms()} }

// Spec describes jq.
func (j *JQ) Spec() *satellite.Spec { return j.spec }

// errOutOfTime is the cause by which a program is stopped at its own limit.
var errOutOfTime = errors.New("the program's time is up")

// Run runs the program on the item's input and emits each value as soon as it is there; none is held back. Time that
// emit takes does not count against the program.
func (j *JQ) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	limit, err := timeout(inv.Config)
	if err != nil {
		return err
	}
	query, ok := inv.Config["query"].(string)
	if !ok {
		return orbit.Permanent(orbit.CodeInvalidConfig, "query must be a jq program")
	}
	code, err := j.programs.get(query)
	if err != nil {
		return orbit.Permanent(orbit.CodeInvalidConfig, "query: %v", err)
	}
	running, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	left := startBudget(limit, func() { cancel(errOutOfTime) })
	defer left.stop()

	values := code.RunWithContext(running, private(inv.Input))
	for {
		v, ok := values.Next()
		left.pause()
		if !ok {
			return stopped(ctx, running, limit)
		}
		if err, bad := v.(error); bad {
			if err := stopped(ctx, running, limit); err != nil {
				return err
			}
			return failure(err)
		}
		object, err := wrap(v)
		if err != nil {
			return err
		}
		if err := emit(object); err != nil {
			return err
		}
		left.resume()
	}
}

// stopped tells why a program was stopped; nil where it was not. That its time is up is permanent, unlike a time-out
// of a service: the program has only its input, so it would take as long again.
func stopped(ctx, running context.Context, limit time.Duration) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(context.Cause(running), errOutOfTime):
		return orbit.Permanent(orbit.CodeTimeout, "the jq program has run for %s without an end; make it do less or raise its timeout", limit)
	}
	return nil
}

// failure judges an error of the program; nil for `halt`, which ends it without one.
func failure(err error) error {
	var halt *gojq.HaltError
	if errors.As(err, &halt) && halt.Value() == nil {
		return nil
	}
	return orbit.Permanent(orbit.CodeInvalidInput, "jq: %s", clip(err.Error()))
}

// clip bounds an error's text: a program may raise any value, a whole document too.
func clip(text string) string {
	const most = 500
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

func timeout(config map[string]any) (time.Duration, error) {
	limit := defaultTimeout
	switch v := config["timeout"].(type) {
	case string:
		d, err := time.ParseDuration(v)
		if err != nil {
			return 0, orbit.Permanent(orbit.CodeInvalidConfig, "timeout %q is no duration; write it like 10s", v)
		}
		limit = d
	case int:
		limit = time.Duration(v) * time.Second
	case float64:
		limit = time.Duration(v * float64(time.Second))
	}
	if limit <= 0 {
		return 0, orbit.Permanent(orbit.CodeInvalidConfig, "timeout must be more than 0")
	}
	return limit, nil
}
