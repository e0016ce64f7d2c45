package llm_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/llm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type fields = map[string]any

// endpoint is a server that notes requests and gives the answers it was told, the last one again and again.
type endpoint struct {
	*httptest.Server
	mu      sync.Mutex
	got     []fields // bodies
	headers []http.Header
	paths   []string
}

// reply is an answer of a server, as it goes over the wire.
type reply struct {
	status  int    // 0: 200
	header  string // "Name: value"
	kind    string // Content-Type; "": text/event-stream of a 200, else application/json
	body    string
	handler http.HandlerFunc // instead of all these
}

func serve(t *testing.T, replies ...reply) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body fields
		text, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(text, &body)
		}
		if err != nil {
			t.Errorf("a request without JSON: %v", err)
		}
		e.mu.Lock()
		e.got, e.headers, e.paths = append(e.got, body), append(e.headers, r.Header.Clone()), append(e.paths, r.Method+" "+r.URL.String())
		at := replies[min(len(e.got), len(replies))-1]
		e.mu.Unlock()
		if at.handler != nil {
			at.handler(w, r)
			return
		}
		kind := at.kind
		if kind == "" {
			if kind = "application/json"; at.status == 0 {
				kind = "text/event-stream"
			}
		}
		w.Header().Set("Content-Type", kind)
		if name, value, ok := strings.Cut(at.header, ": "); ok {
			w.Header().Set(name, value)
		}
		if at.status != 0 {
			w.WriteHeader(at.status)
		}
		_, _ = io.WriteString(w, at.body)
	}))
	t.Cleanup(e.Close)
	return e
}

// says is the stream of an answer, as most servers write it.
func says(text, finish string) reply {
	piece, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return reply{body: `data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}` + "\n\n" +
		`data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":` + string(piece) + `},"finish_reason":null}]}` + "\n\n" +
		`data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"` + finish + `"}]}` + "\n\n" +
		`data: {"id":"1","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}` + "\n\n" +
		"data: [DONE]\n\n"}
}

// bind makes the satellite of a model at the server.
func bind(t *testing.T, e llm.Endpoint) *llm.Model {
	t.Helper()
	m := llm.New(llm.Specs()[1], e, zerolog.Nop())
	t.Cleanup(m.Close)
	return m
}

// run asks a model and gives the objects it returns.
func run(t *testing.T, m *llm.Model, config fields, input any) ([]any, error) {
	t.Helper()
	return runOn(t, m, &satellite.Invocation{Run: "r", Step: "ask", Attempt: 1, Config: config, Input: input, HasInput: true})
}

func runOn(t *testing.T, m *llm.Model, inv *satellite.Invocation) (out []any, err error) {
	t.Helper()
	err = m.Run(t.Context(), inv, func(o orbit.Object) error {
		v, err := o.Value()
		out = append(out, v)
		return err
	})
	return out, err
}

func wantObject(t *testing.T, got []any, err error, want fields) {
	t.Helper()
	if d := cmp.Diff([]any{want}, got); err != nil || d != "" {
		t.Errorf("%v; returned (-want +got):\n%s", err, d)
	}
}

// wantError compares all but the message, of which a part must be there.
func wantError(t *testing.T, err error, want *orbit.Error) {
	t.Helper()
	var got *orbit.Error
	if !errors.As(err, &got) {
		t.Fatalf("Run returned %v, want %v", err, want)
	}
	if !strings.Contains(got.Message, want.Message) || strings.Contains(got.Message, "CANARY") {
		t.Errorf("message %q, want %q in it", got.Message, want.Message)
	}
	want.Message = got.Message
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("error (-want +got):\n%s", d)
	}
}

var hello = fields{"prompt": "hello"}
