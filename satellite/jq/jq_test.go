package jq_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/jq"
)

func Example() {
	inv := &satellite.Invocation{Config: map[string]any{"query": ".pages[] | {page: .}"}, Input: map[string]any{"pages": []any{1, 2}}}
	err := jq.New().Run(context.Background(), inv, func(o orbit.Object) error {
		text, _ := json.Marshal(o)
		fmt.Println(string(text))
		return nil
	})
	fmt.Println(err)
	// Output:
	// {"page":1}
	// {"page":2}
	// <nil>
}

func TestRunEmitsEveryValueAsAnObject(t *testing.T) {
	for name, c := range map[string]struct {
		query string
		input any
		want  []string
	}{
		"an object as it is":          {`{a: .x}`, map[string]any{"x": 1}, []string{`{"a":1}`}},
		"anything else wrapped":       {`1, "two", null, true, [3]`, nil, []string{`{"value":1}`, `{"value":"two"}`, `{"value":null}`, `{"value":true}`, `{"value":[3]}`}},
		"nothing":                     {`empty`, nil, nil},
		"the entries of a list":       {`.[]`, []any{map[string]any{"n": 1}, 2}, []string{`{"n":1}`, `{"value":2}`}},
		"a null input":                {`.a.b`, nil, []string{`{"value":null}`}},
		"numbers past an int":         {`.`, 1e300, []string{`{"value":1e+300}`}},
		"a big integer":               {`pow(10; 15) * 1000000000000`, nil, []string{`{"value":1e+27}`}},
		"NaN and infinity as jq does": {`[nan, infinite, -infinite]`, nil, []string{`{"value":[null,1.7976931348623157e+308,-1.7976931348623157e+308]}`}},
		"what came before halt":       {`1, halt, 2`, nil, []string{`{"value":1}`}},
		"an error that is caught":     {`try error("x") catch .`, nil, []string{`{"value":"x"}`}},
		"no environment":              {`env, $ENV | length`, nil, []string{`{"value":0}`, `{"value":0}`}},
		"no environment variable":     {`env.PATH, $ENV.PATH`, nil, []string{`{"value":null}`, `{"value":null}`}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := run(t.Context(), map[string]any{"query": c.query}, c.input)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("emitted (-want +got):\n%s", d)
			}
		})
	}
}

func TestRunSaysWhoseFaultAnErrorIs(t *testing.T) {
	for name, c := range map[string]struct {
		query string
		code  orbit.Code
		want  string
	}{
		"a type error":        {`.a`, orbit.CodeInvalidInput, "jq: expected an object but got: number (7)"},
		"error":               {`error("no revenue")`, orbit.CodeInvalidInput, "jq: error: no revenue"},
		"error with a value":  {`error({a: 1})`, orbit.CodeInvalidInput, `jq: error: {"a":1}`},
		"halt_error":          {`"bad" | halt_error`, orbit.CodeInvalidInput, "jq: halt error: bad"},
		"an endless error":    {`error("x" * 1000)`, orbit.CodeInvalidInput, "jq: error: " + strings.Repeat("x", 493) + "…"},
		"a syntax error":      {"{a: 1,\n b: }", orbit.CodeInvalidConfig, `query: the jq program has an error at line 2, column 5: unexpected token "}"`},
		"an end too soon":     {"{a: ", orbit.CodeInvalidConfig, `query: the jq program has an error at line 1, column 5: unexpected EOF`},
		"an unknown function": {`nope(1)`, orbit.CodeInvalidConfig, "query: the jq program cannot be compiled: function not defined: nope/1"},
		"another input":       {`input`, orbit.CodeInvalidConfig, "query: the jq program cannot be compiled: input(s)/0 is not allowed"},
		"a file's name":       {`input_filename`, orbit.CodeInvalidConfig, "query: the jq program cannot be compiled: function not defined: input_filename/0"},
		"a module":            {`import "a" as a; 1`, orbit.CodeInvalidConfig, `query: the jq program cannot be compiled: module "a": modules are not available`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t.Context(), map[string]any{"query": c.query}, 7)
			wantPermanent(t, err, c.code, c.want)
		})
	}
}

func TestAProgramThatRunsPastItsTimeoutFailsForGood(t *testing.T) {
	for name, config := range map[string]map[string]any{
		"a duration":          {"query": "last(repeat(1))", "timeout": "20ms"},
		"a number of seconds": {"query": "def f: f; f", "timeout": 0.02},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t.Context(), config, nil)
			wantPermanent(t, err, orbit.CodeTimeout, "the jq program has run for 20ms without an end; make it do less or raise its timeout")
		})
	}
}

func TestTimeThatEmitTakesDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inv := &satellite.Invocation{Config: map[string]any{"query": "range(5)", "timeout": "1s"}}
		err := jq.New().Run(t.Context(), inv, func(orbit.Object) error {
			time.Sleep(time.Minute) // the bubble's clock
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	emitted := 0
	inv := &satellite.Invocation{Config: map[string]any{"query": "repeat(1)"}}
	err := jq.New().Run(ctx, inv, func(orbit.Object) error {
		if emitted++; emitted == 10 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Run returned %v", err)
	}
}

func TestAnErrorOfEmitIsReturnedAsItIs(t *testing.T) {
	full := errors.New("full")
	inv := &satellite.Invocation{Config: map[string]any{"query": "repeat(1)"}}
	if err := jq.New().Run(t.Context(), inv, func(orbit.Object) error { return full }); err != full {
		t.Fatalf("Run returned %v", err)
	}
}

func TestItemsThatShareTheirInputRunAtTheSameTime(t *testing.T) {
	j := jq.New()
	input := map[string]any{"list": []any{1, 2.5, map[string]any{"a": "b"}}}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 300 { // more programs than are remembered
				inv := &satellite.Invocation{Config: map[string]any{"query": fmt.Sprintf("{n: %d, l: (.list[0] = 9)}", n%(i+1)+n)}, Input: input}
				if err := j.Run(t.Context(), inv, func(orbit.Object) error { return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if d := cmp.Diff(map[string]any{"list": []any{1, 2.5, map[string]any{"a": "b"}}}, input); d != "" {
		t.Errorf("the input has changed:\n%s", d)
	}
}

func TestCheckFindsThePlaceOfASyntaxError(t *testing.T) {
	var bad *jq.SyntaxError
	if err := jq.NewChecker().Check(".a |\n  é.b |"); !errors.As(err, &bad) || bad.Line != 2 || bad.Column != 3 {
		t.Errorf("Check: %+v", err)
	}
	if err := jq.NewChecker().Check(".a | .b"); err != nil {
		t.Errorf("Check of a good program: %v", err)
	}
}

func BenchmarkRange(b *testing.B) {
	for name, query := range map[string]string{"numbers": "range(1000000)", "objects": "range(1000000) | {n: .}"} {
		b.Run(name, func(b *testing.B) {
			j := jq.New()
			inv := &satellite.Invocation{Config: map[string]any{"query": query}}
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				if err := j.Run(b.Context(), inv, func(orbit.Object) error { n++; return nil }); err != nil || n != 1_000_000 {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func run(ctx context.Context, config map[string]any, input any) ([]string, error) {
	var out []string
	err := jq.New().Run(ctx, &satellite.Invocation{Config: config, Input: input}, func(o orbit.Object) error {
		text, err := json.Marshal(o)
		out = append(out, string(text))
		return err
	})
	return out, err
}

func wantPermanent(t *testing.T, err error, code orbit.Code, message string) {
	t.Helper()
	var e *orbit.Error
	if !errors.As(err, &e) {
		t.Fatalf("Run returned %v", err)
	}
	if d := cmp.Diff(&orbit.Error{Code: code, Message: message}, e); d != "" {
		t.Errorf("error (-want +got):\n%s", d)
	}
}
