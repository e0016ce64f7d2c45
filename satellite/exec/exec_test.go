package exec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/exec"
	"github.com/exospherehost/orbit/vault"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "satellite" {
		program(os.Args[2])
		return
	}
	goleak.VerifyTestMain(m)
}

// new makes a satellite whose program is this test binary.
func newExec(t *testing.T, behaviour string, change func(*exec.Options)) *exec.Exec {
	t.Helper()
	o := exec.Options{Spec: &satellite.Spec{Name: "acme/probe"}, Dir: t.TempDir(), Command: []string{os.Args[0], "satellite", behaviour}, Processes: 1, Grace: 200 * time.Millisecond}
	if change != nil {
		change(&o)
	}
	e := exec.New(o)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// outcome is what came of one attempt.
type outcome struct {
	out []map[string]any
	err error
	log string
}

func attempt(ctx context.Context, e satellite.Satellite, inv *satellite.Invocation, on func(map[string]any)) outcome {
	var o outcome
	var log bytes.Buffer
	inv.Step, inv.Lineage, inv.Run, inv.Attempt = "probe", "0.1", "run-1", 2
	inv.Log = zerolog.New(&log)
	o.err = e.Run(ctx, inv, func(obj orbit.Object) error {
		v, err := obj.Value()
		if err != nil {
			return err
		}
		m, _ := v.(map[string]any)
		o.out = append(o.out, m)
		if on != nil {
			on(m)
		}
		return nil
	})
	o.log = log.String()
	return o
}

func do(t *testing.T, e satellite.Satellite, what string) outcome {
	t.Helper()
	return attempt(t.Context(), e, &satellite.Invocation{Config: map[string]any{"do": what}}, nil)
}

func TestItemsGoToOneProcessOneAfterTheOther(t *testing.T) {
	for _, framing := range []string{exec.Lines, exec.Length} {
		e := newExec(t, "echo", func(o *exec.Options) { o.Framing = framing })
		inv := &satellite.Invocation{Config: map[string]any{"a": 1}, Input: map[string]any{"text": "ä\n<b>"}, HasInput: true, Incoming: orbit.MustObject(map[string]any{"file": "x"})}
		first := attempt(t.Context(), e, inv, nil)
		if first.err != nil || len(first.out) != 1 {
			t.Fatalf("%s: %+v", framing, first)
		}
		got := first.out[0]
		want := map[string]any{"config": map[string]any{"a": 1}, "input": map[string]any{"text": "ä\n<b>"}, "incoming": map[string]any{"file": "x"}, "run": "run-1", "item": "probe/0.1",
			"attempt": 2, "key": inv.IdempotencyKey(), "pid": got["pid"], "served": 1}
		if a, b := text(t, got), text(t, want); a != b {
			t.Errorf("%s: the program was given\n%s, want\n%s", framing, a, b)
		}
		second := attempt(t.Context(), e, &satellite.Invocation{}, nil)
		if second.err != nil || second.out[0]["pid"] != got["pid"] || second.out[0]["served"] != 2 || second.out[0]["incoming"] != nil || second.out[0]["input"] != nil {
			t.Errorf("%s: the second item had %+v", framing, second)
		}
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestObjectsComeInOrder(t *testing.T) {
	got := do(t, newExec(t, "count", nil), "count")
	if got.err != nil || text(t, got.out) != `[{"n":0},{"n":1},{"n":2}]` {
		t.Errorf("%+v", got)
	}
}

func TestWhatTheProgramSaysIsLogged(t *testing.T) {
	e := newExec(t, "log", nil)
	got := do(t, e, "log")
	for _, want := range []string{`{"level":"info","from":"stderr","message":"reading"}`, `"message":"half a line"`, `{"level":"warn","pages":3,"message":"slow"}`} {
		if !strings.Contains(got.log, want) {
			t.Errorf("%s is not in\n%s", want, got.log)
		}
	}
	for range 50 { // what an item wrote is in its own log, and in no other's
		if got := do(t, e, "log"); strings.Count(got.log, "half a line") != 1 {
			t.Fatalf("%q", got.log)
		}
	}
}

func TestEnvironmentAndArgumentsHoldNoSecrets(t *testing.T) {
	t.Setenv("ORBIT_TOKEN", "CANARY-token")
	e := newExec(t, "environment", func(o *exec.Options) { o.Env = map[string]string{"MODEL": "small", "LANG": "C"} })
	got := attempt(t.Context(), e, &satellite.Invocation{Config: map[string]any{"token": "CANARY-config"}}, nil)
	if got.err != nil {
		t.Fatal(got.err)
	}
	all := text(t, got.out)
	if strings.Contains(all, "CANARY") {
		t.Errorf("a secret is in %s", all)
	}
	for _, want := range []string{"MODEL=small", "LANG=C", "ORBIT_FRAMING=lines"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is not in %s", want, all)
		}
	}
	for _, entry := range got.out[0]["env"].([]any) {
		name, _, _ := strings.Cut(entry.(string), "=")
		if !strings.Contains(" PATH HOME LANG MODEL ORBIT_FRAMING ", " "+name+" ") {
			t.Errorf("the environment holds %s", name)
		}
	}
}

func TestFailures(t *testing.T) {
	for what, want := range map[string]struct {
		code  orbit.Code
		retry bool
		words string
	}{
		"permanent":     {orbit.CodeInvalidInput, false, "the text is empty"},
		"later":         {orbit.CodeInternal, true, "the model loads"},
		"crash":         {orbit.CodePanic, true, "acme/probe: its process ended with exit status 3 while it worked on probe/0.1; the last it wrote: Traceback: out of luck"},
		"garbage":       {orbit.CodeInternal, false, "wrote to stdout a message that is no answer of the protocol: it is no JSON object of its form; print to stderr instead"},
		"another id":    {orbit.CodeInternal, false, "its id is not that of the request"},
		"no object":     {orbit.CodeInternal, false, "what it emits is no object"},
		"endless":       {orbit.CodeTooLarge, false, "probe/0.1 returned more than 1MiB together"},
		"one long line": {orbit.CodeTooLarge, false, "probe/0.1 returned an object of more than 8MiB"},
	} {
		t.Run(what, func(t *testing.T) {
			e := newExec(t, "echo", func(o *exec.Options) { o.MaxOutput = orbit.MiB })
			got := do(t, e, what)
			var own *orbit.Error
			if !errors.As(got.err, &own) {
				t.Fatalf("%v is no *orbit.Error", got.err)
			}
			if own.Code != want.code || own.Retryable != want.retry || !strings.Contains(own.Message, want.words) || strings.Contains(own.Message, "CANARY") {
				t.Errorf("%+v", own)
			}
			if what == "later" && own.After != satellite.MaxRetryAfter {
				t.Errorf("the wait is %s", own.After)
			}
			if next := do(t, e, "echo"); next.err != nil || len(next.out) != 1 {
				t.Errorf("the next item: %+v", next)
			}
		})
	}
}

func TestProcessesThatCannotBeUsed(t *testing.T) {
	for name, c := range map[string]struct {
		behaviour string
		change    func(*exec.Options)
		words     string
	}{
		"a program that is not there": {"echo", func(o *exec.Options) { o.Command = []string{"no-such-program-here"} }, "the program no-such-program-here cannot be started on this node (executable file not found in $PATH)"},
		"one that is silent":          {"silent", func(o *exec.Options) { o.Start = 50 * time.Millisecond }, `did not say {"orbit": 1} within 50ms`},
		"one that ends":               {"leaves at once", nil, "ended with exit status 4"},
		"one that speaks otherwise":   {"echo", func(o *exec.Options) { o.Command = []string{"echo", "hello"} }, `did not begin with {"orbit": 1}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := do(t, newExec(t, c.behaviour, c.change), "echo")
			if got.err == nil || !strings.Contains(got.err.Error(), c.words) {
				t.Errorf("%v", got.err)
			}
		})
	}
}

// gone waits until a process is no more.
func gone(t *testing.T, pid int) {
	t.Helper()
	for syscall.Kill(pid, 0) == nil {
		if t.Context().Err() != nil {
			t.Fatal("it lives on")
		}
		if state, err := os.ReadFile("/proc/" + itoa(pid) + "/stat"); err == nil && strings.Contains(string(state), ") Z ") {
			return // dead; whoever adopted it has not looked yet
		}
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func TestTheEndOfTheContextEndsTheWholeGroup(t *testing.T) {
	for _, what := range []string{"sleep", "defiant", "parent"} {
		t.Run(what, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			pid := 0
			got := attempt(ctx, newExec(t, "echo", nil), &satellite.Invocation{Config: map[string]any{"do": what}}, func(m map[string]any) {
				pid = m["pid"].(int)
				cancel()
			})
			if !errors.Is(got.err, context.Canceled) || pid == 0 {
				t.Fatalf("%+v", got)
			}
			gone(t, pid)
		})
	}
}

func TestATimeLimitIsTheItemsError(t *testing.T) {
	e := newExec(t, "echo", nil)
	c := &satellite.Call{Satellite: e, Invocation: &satellite.Invocation{Step: "probe", Lineage: "0", Config: map[string]any{"do": "sleep"}}, Timeout: 300 * time.Millisecond,
		Mask: vault.NewMasker(nil), Emit: func(orbit.Object) error { return nil }}
	if own := orbit.AsError(c.Do(t.Context())); own.Code != orbit.CodeTimeout || !own.Retryable {
		t.Errorf("%+v", own)
	}
}

func TestMemoryBeyondTheLimitEndsTheProcess(t *testing.T) {
	got := do(t, newExec(t, "echo", func(o *exec.Options) { o.Memory = 128 * orbit.MiB }), "memory")
	if own := orbit.AsError(got.err); own.Code != orbit.CodeTooLarge || !own.Retryable || !strings.Contains(own.Message, "used more memory than 128MiB while it worked on probe/0.1") {
		t.Errorf("%+v", own)
	}
}

func TestNoMoreProcessesThanAreAllowed(t *testing.T) {
	e := newExec(t, "echo", func(o *exec.Options) { o.Processes = 2 })
	var mu sync.Mutex
	pids := map[any]int{}
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			got := do(t, e, "echo")
			mu.Lock()
			defer mu.Unlock()
			if got.err != nil {
				t.Error(got.err)
				return
			}
			pids[got.out[0]["pid"]]++
		})
	}
	wg.Wait()
	if len(pids) > 2 {
		t.Errorf("%d processes worked", len(pids))
	}
}

func TestAnIdleProcessEnds(t *testing.T) {
	e := newExec(t, "echo", func(o *exec.Options) { o.Idle = time.Millisecond })
	first := do(t, e, "echo")
	if first.err != nil {
		t.Fatal(first.err)
	}
	gone(t, first.out[0]["pid"].(int))
	if again := do(t, e, "echo"); again.err != nil || again.out[0]["pid"] == first.out[0]["pid"] {
		t.Errorf("%+v", again)
	}
}

func TestAfterCloseNothingRuns(t *testing.T) {
	e := newExec(t, "echo", nil)
	got := do(t, e, "echo")
	if got.err != nil {
		t.Fatal(got.err)
	}
	_ = e.Close()
	gone(t, got.out[0]["pid"].(int))
	if got := do(t, e, "echo"); got.err == nil || !strings.Contains(got.err.Error(), "the node is stopping") {
		t.Errorf("%v", got.err)
	}
}

func TestALargeInputReachesTheProgramWhole(t *testing.T) {
	e := newExec(t, "echo", nil)
	large := strings.Repeat("x", 1<<20)
	got := attempt(t.Context(), e, &satellite.Invocation{Input: large}, nil)
	if got.err != nil || len(got.out) != 1 || got.out[0]["input"] != large {
		t.Errorf("%v", got.err)
	}
}
