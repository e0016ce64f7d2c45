//go:build python

// Package python holds the test of orbit_satellite.py: `make python`. It needs python3.
package python

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/conformance"
	"github.com/exospherehost/orbit/satellite/custom"
	"github.com/exospherehost/orbit/satellite/exec"
)

func TestTheExampleKeepsTheContract(t *testing.T) {
	registry, err := satellite.NewRegistry()
	if err != nil {
		t.Fatal(err)
	}
	set, err := custom.OpenAll([]string{"example"}, registry)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	examples, err := conformance.ReadExamples("example")
	if err != nil || len(examples) != 2 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	for _, c := range conformance.Run(t.Context(), set.Satellites[0], examples, conformance.Options{}) {
		if c.Err != nil {
			t.Errorf("%s: %v", c.Name, c.Err)
		}
	}
}

// do runs a program on one item.
func do(t *testing.T, framing, program string) (out, log string, err error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.py"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	kit, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	e := exec.New(exec.Options{Spec: &satellite.Spec{Name: "acme/p"}, Dir: dir, Command: []string{"python3", "p.py"}, Env: map[string]string{"PYTHONPATH": kit}, Framing: framing})
	defer e.Close()
	var said bytes.Buffer
	var texts []string
	for range 2 { // the second item finds everything as the first did
		texts, said = nil, bytes.Buffer{}
		inv := &satellite.Invocation{Run: "r", Step: "p", Lineage: "0.1", Attempt: 3, Config: map[string]any{"n": 2}, Input: "ä", Log: zerolog.New(&said)}
		err = e.Run(t.Context(), inv, func(o orbit.Object) error {
			text, err := o.MarshalJSON()
			texts = append(texts, string(text))
			return err
		})
	}
	return strings.Join(texts, ""), said.String(), err
}

func TestFunctions(t *testing.T) {
	const head = "import os, subprocess, sys\nfrom orbit_satellite import *\nprint('loading')\n"
	for name, c := range map[string]struct {
		function string // f
		out      string
		log      string
		err      string
		code     orbit.Code
		retry    bool
		after    time.Duration
	}{
		"one object":          {function: "f = lambda config, input: {'got': input, 'n': config['n']}", out: `{"got":"ä","n":2}`},
		"a list":              {function: "f = lambda config, input: [{'a': 1}, {'a': 2}]", out: `{"a":1}{"a":2}`},
		"nothing":             {function: "f = lambda config, input: None"},
		"a generator":         {function: "def f(config, input):\n  for i in range(3): yield {'i': i}", out: `{"i":0}{"i":1}{"i":2}`},
		"an item":             {function: "f = lambda config, input, item: {'id': item.id, 'attempt': item.attempt, 'key': len(item.idempotency_key)}", out: `{"attempt":3,"id":"p/0.1","key":20}`},
		"prints":              {function: "def f(config, input):\n  print('hello'); os.system('echo from a shell'); sys.stdout.write('half')\n  return {'a': 1}", out: `{"a":1}`, log: "from a shell"},
		"a child reads stdin": {function: "f = lambda config, input: {'read': subprocess.run(['cat'], stdout=subprocess.PIPE).stdout.decode()}", out: `{"read":""}`},
		"log":                 {function: "def f(config, input):\n  log('slow', 'warn', pages=3, path=os.path)\n  return {}", out: `{}`, log: `"level":"warn","pages":3`},
		"permanent":           {function: "def f(config, input):\n  raise Permanent('no text')", err: "no text", code: orbit.CodeInvalidInput},
		"later":               {function: "def f(config, input):\n  raise RetryAfter('busy', 2.5)", err: "busy", code: orbit.CodeUnavailable, retry: true, after: 2500 * time.Millisecond},
		"an exception":        {function: "def f(config, input):\n  yield {'a': 1}\n  {}['x']", out: `{"a":1}`, err: "KeyError: 'x'", code: orbit.CodeInternal, retry: true, log: "Traceback"},
		"no object":           {function: "f = lambda config, input: [1]", err: "returned a int where an object (a dict) is needed", code: orbit.CodeInternal},
		"no JSON":             {function: "f = lambda config, input: {'a': float('nan')}", err: "cannot be written as JSON", code: orbit.CodeInternal},
		"an exit":             {function: "f = lambda config, input: sys.exit(3)", err: "ended with exit status 3", code: orbit.CodePanic, retry: true},
	} {
		for _, framing := range []string{exec.Lines, exec.Length} {
			t.Run(name+" by "+framing, func(t *testing.T) {
				out, log, err := do(t, framing, head+c.function+"\nserve(f)\n")
				if out != c.out || !strings.Contains(log, c.log) {
					t.Errorf("it returned %s, and said %s", out, log)
				}
				if c.err == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if err == nil {
					t.Fatal("no error")
				}
				if own := orbit.AsError(err); !strings.Contains(own.Message, c.err) || own.Code != c.code || own.Retryable != c.retry || own.After != c.after {
					t.Errorf("%+v after %s", own, own.After)
				}
			})
		}
	}
}
