package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/conformance"
)

// counter counts words, as it should be done, unless wrong says otherwise.
type counter struct {
	spec  *satellite.Spec
	wrong func(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) (handled bool, err error)
}

func newCounter() *counter {
	return &counter{spec: &satellite.Spec{Name: "acme/word-count", Kind: "custom", Title: "Count words", Pool: "project-acme", Timeout: time.Minute, BundleHint: 16,
		Config:       json.RawMessage(`{"type": "object", "additionalProperties": false, "properties": {"token": {"type": "string"}}}`),
		Input:        json.RawMessage(`{"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}`),
		Output:       json.RawMessage(`{"type": "object", "required": ["words"], "properties": {"words": {"type": "integer"}}}`),
		SecretFields: []string{"config.token"}}}
}

func (c *counter) Spec() *satellite.Spec { return c.spec }

func (c *counter) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.wrong != nil {
		if handled, err := c.wrong(ctx, inv, emit); handled || err != nil {
			return err
		}
	}
	m, _ := inv.Input.(map[string]any)
	text, ok := m["text"].(string)
	if !ok || text == "" {
		return orbit.Permanent(orbit.CodeInvalidInput, "there is no text")
	}
	return emit(orbit.MustObject(map[string]any{"words": len(strings.Fields(text))}))
}

func examples(t *testing.T) []conformance.Example {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, conformance.Folder), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"two.json":   `{"input": {"text": "good morning"}, "output": {"words": 2}}`,
		"empty.json": `{"input": {"text": ""}, "error": {"code": "invalid_input", "retry": false, "message": "no text"}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, conformance.Folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := conformance.ReadExamples(dir)
	if err != nil || len(list) != 2 || list[0].Name != "empty" {
		t.Fatalf("%v, %v", list, err)
	}
	return list
}

// wrongs are the checks that found something, with what they found.
func wrongs(checks []conformance.Check) map[string]string {
	out := map[string]string{}
	for _, c := range checks {
		if c.Err != nil {
			out[c.Name] = c.Err.Error()
		}
	}
	return out
}

func TestASatelliteThatKeepsTheContractPasses(t *testing.T) {
	reported := 0
	checks := conformance.Run(t.Context(), newCounter(), examples(t), conformance.Options{Report: func(conformance.Check) { reported++ }})
	for _, c := range checks {
		if c.Err != nil || c.Note != "" {
			t.Errorf("%s: %v %s", c.Name, c.Err, c.Note)
		}
	}
	if len(checks) != 10 || reported != 10 || !conformance.Passed(checks) {
		t.Errorf("%d checks, %d reported", len(checks), reported)
	}
}

func TestEachBreachIsFound(t *testing.T) {
	var calls atomic.Int64
	for name, c := range map[string]struct {
		spec  func(*satellite.Spec)
		wrong func(context.Context, *satellite.Invocation, satellite.Emit) (bool, error)
		check string
		words string
	}{
		"a schema that is none": {spec: func(s *satellite.Spec) { s.Config = json.RawMessage(`{"type": "x"}`) }, check: "spec", words: "no JSON Schema"},
		"no title":              {spec: func(s *satellite.Spec) { s.Title = "" }, check: "spec", words: "title"},
		"another pool":          {spec: func(s *satellite.Spec) { s.Pool = "core" }, check: "spec", words: "pool"},
		"another result": {wrong: func(_ context.Context, _ *satellite.Invocation, emit satellite.Emit) (bool, error) {
			return true, emit(orbit.MustObject(map[string]any{"words": 1}))
		}, check: "example two", words: `it returned [{"words":1}], and [{"words":2}] is expected`},
		"an output that is no word": {wrong: func(_ context.Context, _ *satellite.Invocation, emit satellite.Emit) (bool, error) {
			return true, emit(orbit.MustObject(map[string]any{"words": "two"}))
		}, check: "example two", words: "does not fit the schema of the output: words must be a whole number"},
		"no failure": {wrong: func(_ context.Context, _ *satellite.Invocation, _ satellite.Emit) (bool, error) { return true, nil }, check: "example empty", words: "where it should fail"},
		"a failure to be retried": {wrong: func(_ context.Context, inv *satellite.Invocation, _ satellite.Emit) (bool, error) {
			if m, _ := inv.Input.(map[string]any); m["text"] == "" {
				return true, orbit.Transient(orbit.CodeInvalidInput, "no text")
			}
			return false, nil
		}, check: "example empty", words: "another attempt may help, and the example says that it does not help"},
		"a result of its own each time": {wrong: func(_ context.Context, inv *satellite.Invocation, emit satellite.Emit) (bool, error) {
			if m, _ := inv.Input.(map[string]any); m["text"] == "" {
				return false, nil
			}
			return true, emit(orbit.MustObject(map[string]any{"words": int(calls.Add(1))}))
		}, check: "the same again", words: "done twice, it returned"},
		"a crash on what does not fit": {wrong: func(_ context.Context, inv *satellite.Invocation, _ satellite.Emit) (bool, error) {
			_ = inv.Input.(map[string]any)["text"].(string)
			return false, nil
		}, check: "what does not fit", words: "it crashed"},
		"a retry of what does not fit": {wrong: func(_ context.Context, inv *satellite.Invocation, _ satellite.Emit) (bool, error) {
			if _, ok := inv.Input.(map[string]any); !ok {
				return true, errors.New("what is this")
			}
			return false, nil
		}, check: "what does not fit", words: "it asks for another attempt"},
		"a small buffer": {wrong: func(_ context.Context, inv *satellite.Invocation, _ satellite.Emit) (bool, error) {
			if m, _ := inv.Input.(map[string]any); len(m) == 1 {
				if s, _ := m["text"].(string); len(s) > 1<<16 {
					panic("too long")
				}
			}
			return false, nil
		}, check: "large input", words: "with an input of 1MiB: it crashed"},
		"a leak": {wrong: func(_ context.Context, inv *satellite.Invocation, _ satellite.Emit) (bool, error) {
			if n, err := inv.Lineage.Last(); err == nil && n > 500 {
				return true, orbit.Transient(orbit.CodeUnavailable, "out of handles")
			}
			return false, nil
		}, check: "many items", words: "item 502 of 1000: it failed: out of handles"},
		"a secret in the log": {wrong: func(_ context.Context, inv *satellite.Invocation, _ satellite.Emit) (bool, error) {
			inv.Log.Info().Any("config", inv.Config).Msg("begin")
			return false, nil
		}, check: "secrets", words: "it logs what config.token holds"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newCounter()
			if c.spec != nil {
				c.spec(s.spec)
			}
			s.wrong = c.wrong
			checks := conformance.Run(t.Context(), s, examples(t), conformance.Options{})
			if got := wrongs(checks)[c.check]; !strings.Contains(got, c.words) || conformance.Passed(checks) {
				t.Errorf("%q of %v", got, wrongs(checks))
			}
		})
	}
}

func TestOneThatDoesNotHeedItsContextIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCounter()
		s.wrong = func(ctx context.Context, _ *satellite.Invocation, _ satellite.Emit) (bool, error) {
			time.Sleep(30 * time.Second)
			return false, nil
		}
		checks := conformance.Run(t.Context(), s, examples(t), conformance.Options{Items: 1})
		if got := wrongs(checks); !strings.Contains(got["end of the context"], "heed ctx.Done()") || len(got) != 1 {
			t.Errorf("%v", got)
		}
		time.Sleep(time.Minute) // those that were left behind end
	})
}

func TestItemsThatDisturbEachOtherAreFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newCounter()
		var inside atomic.Int64
		s.wrong = func(_ context.Context, _ *satellite.Invocation, emit satellite.Emit) (bool, error) {
			others := inside.Add(1) - 1
			defer inside.Add(-1)
			if others > 0 {
				return true, emit(orbit.MustObject(map[string]any{"words": 7}))
			}
			time.Sleep(time.Second)
			return false, nil
		}
		checks := conformance.Run(t.Context(), s, examples(t), conformance.Options{Items: 1})
		if got := wrongs(checks)["at once"]; !strings.Contains(got, "one of 16 items at once") {
			t.Errorf("%q", got)
		}
	})
}

func TestWithoutAnExampleNothingIsTried(t *testing.T) {
	checks := conformance.Run(t.Context(), newCounter(), nil, conformance.Options{})
	if got := wrongs(checks)["examples"]; !strings.Contains(got, "put one into examples/NAME.json") {
		t.Errorf("%v", checks)
	}
}

func TestExamplesThatCannotBeReadAreToldInASentence(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                 "it is no example",
		`{"inptu": 1, "output": []}`:        `unknown field "inptu"`,
		`{"input": 1}`:                      `it needs one of "output" and "error"`,
		`{"output": [], "error": {}}`:       `it needs one of "output" and "error"`,
		`{"config": [], "output": []}`:      "it is no example",
		`{"config": {}, "output": {"a": 1}`: "it is no example",
	} {
		if _, err := conformance.ParseExample("x", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
