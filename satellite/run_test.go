package satellite_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/vault"
)

// act is a satellite that does what the test says.
type act func(ctx context.Context, emit satellite.Emit) error

func (act) Spec() *satellite.Spec { return &satellite.Spec{Name: "test/act"} }

func (a act) Run(ctx context.Context, _ *satellite.Invocation, emit satellite.Emit) error {
	return a(ctx, emit)
}

// do carries out one attempt with a time limit of a minute, and gives what came out.
func do(ctx context.Context, a act, mask *vault.Masker) (out []string, err error) {
	c := &satellite.Call{Satellite: a, Invocation: &satellite.Invocation{Step: "s", Lineage: "0.1"}, Timeout: time.Minute, Mask: mask,
		Emit: func(o orbit.Object) error {
			text, err := o.MarshalJSON()
			out = append(out, string(text))
			return err
		}}
	return out, c.Do(ctx)
}

func TestPanicBecomesAnErrorOfTheItem(t *testing.T) {
	_, err := do(t.Context(), func(context.Context, satellite.Emit) error { panic("boom") }, nil)
	e := orbit.AsError(err)
	if e.Code != orbit.CodePanic || e.Retryable || !strings.Contains(e.Message, "test/act crashed: boom") {
		t.Errorf("%+v", e)
	}
}

func TestTimeLimitEndsAnAttempt(t *testing.T) {
	for name, a := range map[string]act{
		"one that heeds its context":     func(ctx context.Context, _ satellite.Emit) error { <-ctx.Done(); return ctx.Err() },
		"one that does not, for an hour": func(context.Context, satellite.Emit) error { time.Sleep(time.Hour); return nil },
	} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			_, err := do(t.Context(), a, nil)
			e := orbit.AsError(err)
			if e.Code != orbit.CodeTimeout || !e.Retryable || !strings.Contains(e.Message, "s/0.1 did not finish within its time limit of 1m") {
				t.Errorf("%s: %+v", name, e)
			}
			if took := time.Since(begun); took > 2*time.Minute {
				t.Errorf("%s: waited %s", name, took)
			}
			time.Sleep(2 * time.Hour) // the one that was left behind ends
		})
	}
}

func TestWhatIsReturnedAfterTheTimeLimitGoesNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan error, 1)
		out, _ := do(t.Context(), func(_ context.Context, emit satellite.Emit) error {
			time.Sleep(time.Hour)
			told <- emit(orbit.MustObject(map[string]any{"late": true}))
			return nil
		}, nil)
		if late := <-told; len(out) > 0 || late == nil {
			t.Errorf("it returned %v, and was told %v", out, late)
		}
	})
}

func TestSecretsAreMaskedInOutputsAndErrors(t *testing.T) {
	mask := vault.NewMasker(map[string]string{"TOKEN": "hunter2-hunter2"})
	out, err := do(t.Context(), func(_ context.Context, emit satellite.Emit) error {
		if err := emit(orbit.MustObject(map[string]any{"got": "Bearer hunter2-hunter2", "n": 1})); err != nil {
			return err
		}
		return orbit.Permanent(orbit.CodeDenied, "hunter2-hunter2 was refused")
	}, mask)
	if len(out) != 1 || out[0] != `{"got":"Bearer ***","n":1}` {
		t.Errorf("returned %v", out)
	}
	if err == nil || err.Error() != "*** was refused" {
		t.Errorf("the error is %v", err)
	}
}

func TestOnlyObjectsMayBeReturned(t *testing.T) {
	_, err := do(t.Context(), func(_ context.Context, emit satellite.Emit) error { return emit(orbit.MustObject([]any{1})) }, nil)
	if e := orbit.AsError(err); e.Code != orbit.CodeInternal || e.Retryable {
		t.Errorf("%+v", e)
	}
}

func TestEndFromOutsideIsNotTheItemsFault(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("the node stops")
	_, err := do(ctx, func(ctx context.Context, _ satellite.Emit) error { cancel(stopped); <-ctx.Done(); return ctx.Err() }, nil)
	if !errors.Is(err, stopped) {
		t.Errorf("the error is %v", err)
	}
}

func TestWhatAnAttemptTakesIsCountedWhateverComesOfIt(t *testing.T) {
	inv := &satellite.Invocation{Step: "s", Lineage: "0"}
	call := &satellite.Call{Satellite: act(func(context.Context, satellite.Emit) error {
		inv.Use(orbit.PromptTokens, 3)
		inv.Use(orbit.PromptTokens, 4)
		inv.Use(orbit.CompletionTokens, 0)
		return orbit.Permanent(orbit.CodeInvalidInput, "no")
	}), Invocation: inv, Timeout: time.Minute, Emit: func(orbit.Object) error { return nil }}
	for range 2 { // the second attempt begins anew
		if err := call.Do(t.Context()); err == nil {
			t.Error("it has succeeded")
		}
		if used := inv.Used(); used[orbit.PromptTokens] != 7 || len(used) != 1 {
			t.Errorf("it took %v", used)
		}
	}
}
