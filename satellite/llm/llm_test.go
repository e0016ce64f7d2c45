package llm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/compile"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/llm"
)

func TestTheRequestIsAsDocumented(t *testing.T) {
	server := serve(t, says("hi", "stop"))
	m := bind(t, llm.Endpoint{URL: server.URL + "/v1/?api-version=2", Key: "CANARY-key", Headers: map[string]string{"X-Team": "reports"}})
	inv := &satellite.Invocation{Run: "r", Step: "ask", Attempt: 1, Config: fields{"temperature": 0, "max-tokens": 100},
		Input: fields{"messages": []any{fields{"role": "system", "content": "Be <brief>."}, fields{"role": "user", "content": "hello"}}}}
	if _, err := runOn(t, m, inv); err != nil {
		t.Fatal(err)
	}
	want := fields{"model": "gemma-3-27b", "temperature": 0.0, "max_tokens": 100.0, "stream": true, "stream_options": fields{"include_usage": true},
		"messages": []any{fields{"role": "system", "content": "Be <brief>."}, fields{"role": "user", "content": "hello"}}}
	if d := cmp.Diff([]fields{want}, server.got); d != "" {
		t.Errorf("body (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"POST /v1/chat/completions?api-version=2"}, server.paths); d != "" {
		t.Errorf("path (-want +got):\n%s", d)
	}
	for name, want := range map[string]string{"Authorization": "Bearer CANARY-key", "X-Team": "reports", "Content-Type": "application/json", "Accept": "text/event-stream",
		"Idempotency-Key": inv.IdempotencyKey(), "User-Agent": "exosphere-orbit"} {
		if got := server.headers[0].Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestWhatNoConfigSays(t *testing.T) {
	server := serve(t, says("hi", "stop"))
	if _, err := run(t, bind(t, llm.Endpoint{URL: server.URL}), nil, hello); err != nil {
		t.Fatal(err)
	}
	if got := server.got[0]; got["temperature"] != 0.5 || got["max_tokens"] != 65536.0 || server.headers[0].Get("Authorization") != "" {
		t.Errorf("%v, %v", got, server.headers[0])
	}
}

func TestAnInputThatAsksNothingIsRefused(t *testing.T) {
	m := bind(t, llm.Endpoint{URL: "http://127.0.0.1:1"})
	for name, c := range map[string]struct {
		config fields
		input  any
		want   *orbit.Error
	}{
		"nothing":          {nil, nil, orbit.Permanent(orbit.CodeInvalidInput, "there is no prompt and there are no messages")},
		"something else":   {nil, fields{"text": "x"}, orbit.Permanent(orbit.CodeInvalidInput, "give the step an `input` with one of them")},
		"both":             {nil, fields{"prompt": "x", "messages": []any{fields{}}}, orbit.Permanent(orbit.CodeInvalidInput, "cannot both be asked")},
		"a turn of no one": {nil, fields{"messages": []any{fields{"content": "x"}}}, orbit.Permanent(orbit.CodeInvalidInput, "messages.0 must be a map with role and content")},
		"a bad schema":     {fields{"output-format": "json", "output-schema": "{a: strng}"}, hello, orbit.Permanent(orbit.CodeInvalidConfig, `output-schema.a: "strng" is no type`)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, m, c.config, c.input)
			wantError(t, err, c.want)
		})
	}
}

func TestTokensStandInTheLogOfTheItem(t *testing.T) {
	for name, c := range map[string]struct {
		config fields
		says   string
	}{
		"text":          {nil, "hi"},
		"JSON":          {fields{"output-format": "json"}, `{"a":1}`},
		"JSON, in vain": {fields{"output-format": "json"}, `no`},
	} {
		var log bytes.Buffer
		inv := &satellite.Invocation{Run: "r", Step: "ask", Config: c.config, Input: hello, Log: zerolog.New(&log)}
		m := bind(t, llm.Endpoint{URL: serve(t, says(c.says, "stop")).URL})
		_, err := runOn(t, m, inv)
		prompt, completion := 11, 7
		if name == "JSON, in vain" { // it was asked twice
			prompt, completion = 22, 14
		}
		var line fields
		for _, text := range strings.Split(strings.TrimSpace(log.String()), "\n") {
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				t.Fatal(err)
			}
		}
		if line["level"] != "debug" || line["prompt-tokens"] != float64(prompt) || line["completion-tokens"] != float64(completion) || (err != nil) != (name == "JSON, in vain") {
			t.Errorf("%s: %v, %s", name, err, log.String())
		}
		if d := cmp.Diff(llm.Count{Items: 1, PromptTokens: int64(prompt), CompletionTokens: int64(completion)}, m.Count()); d != "" {
			t.Errorf("%s: count (-want +got):\n%s", name, d)
		}
	}
}

func TestAnAnswerThatIsCutOff(t *testing.T) {
	for name, c := range map[string]struct {
		config fields
		says   string
		want   *orbit.Error // nil: it is returned
	}{
		"text":           {fields{"max-tokens": 7}, "and so", nil},
		"only reasoning": {fields{"max-tokens": 7}, "<think>well", orbit.Permanent(orbit.CodeTooLarge, "spent all 7 tokens of max-tokens on its reasoning and wrote no answer; raise max-tokens")},
		"JSON":           {fields{"max-tokens": 7, "output-format": "json"}, `{"a":`, orbit.Permanent(orbit.CodeTooLarge, "was cut off after the 7 tokens of max-tokens, before its JSON was complete; raise max-tokens")},
	} {
		out, err := run(t, bind(t, llm.Endpoint{URL: serve(t, says(c.says, "length")).URL}), c.config, hello)
		if c.want == nil {
			wantObject(t, out, err, fields{"text": c.says, "usage": fields{"prompt-tokens": 11, "completion-tokens": 7, "total-tokens": 18}})
			continue
		}
		t.Log(name)
		wantError(t, err, c.want)
	}
}

func TestAConnectionThatFailsIsTriedAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String() + "/v1?api-version=1"
	_ = l.Close()
	_, err = run(t, bind(t, llm.Endpoint{URL: url}), nil, hello)
	wantError(t, err, orbit.Transient(orbit.CodeUnavailable, "at http://%s/v1 cannot be reached: connection refused", l.Addr()))

	cut := serve(t, reply{handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "data: {}\n\n")
	}})
	_, err = run(t, bind(t, llm.Endpoint{URL: cut.URL}), nil, hello)
	wantError(t, err, orbit.Transient(orbit.CodeUnavailable, "closed the connection in the middle of its answer"))
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := serve(t, reply{handler: func(w http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() }})
	m := bind(t, llm.Endpoint{URL: server.URL})
	err := m.Run(ctx, &satellite.Invocation{Input: hello}, func(orbit.Object) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Run returned %v", err)
	}
}

func TestAnErrorOfTheOneWhoTakesTheObjectIsReturned(t *testing.T) {
	full := errors.New("full")
	m := bind(t, llm.Endpoint{URL: serve(t, says("hi", "stop")).URL})
	if err := m.Run(t.Context(), &satellite.Invocation{Input: hello}, func(orbit.Object) error { return full }); err != full {
		t.Errorf("Run returned %v", err)
	}
}

// The example of the manual page compiles, as a step of a cluster.
func TestTheExampleCompiles(t *testing.T) {
	configured, err := llm.Configured("acme/tiny", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range append(llm.Specs(), configured) {
		registry, err := satellite.NewRegistry()
		if err == nil {
			err = registry.Describe(spec)
		}
		if err != nil {
			t.Fatal(err)
		}
		file := "version: 0.0.1b\ncluster:\n  identifier: a/b\n  sla: 6h\n  trigger: api-call\n  satellites:\n    - " +
			strings.ReplaceAll(strings.TrimSpace(spec.Example), "\n", "\n      ") + "\n"
		if r := cluster.Compile("cluster.yml", []byte(file), compile.Options(registry, placement.DefaultClasses())); len(r.Diagnostics) > 0 {
			t.Errorf("%s: %v", spec.Name, r.Diagnostics)
		}
	}
}
