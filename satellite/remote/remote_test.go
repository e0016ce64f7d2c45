package remote_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/remote"
)

// attempt sends an item to a service, and gives what it returned and said.
func attempt(ctx context.Context, t *testing.T, url string, inv *satellite.Invocation) (out []string, log string, err error) {
	t.Helper()
	r := remote.New(&satellite.Spec{Name: "acme/service"}, url)
	defer r.Close()
	var said bytes.Buffer
	inv.Run, inv.Step, inv.Lineage, inv.Attempt, inv.Log = "run-1", "service", "0.3", 1, zerolog.New(&said)
	err = r.Run(ctx, inv, func(o orbit.Object) error {
		text, err := o.MarshalJSON()
		out = append(out, string(text))
		return err
	})
	return out, said.String(), err
}

func TestTheRequestIsThatOfAProgram(t *testing.T) {
	inv := &satellite.Invocation{Config: map[string]any{"token": "s3cret"}, Input: "a text", HasInput: true, Incoming: orbit.MustObject(map[string]any{"file": "x"})}
	var header http.Header
	var body map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		if r.Method != "POST" || r.URL.Path != "/run" || json.NewDecoder(r.Body).Decode(&body) != nil {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		_, _ = io.WriteString(w, `{"outputs": [{"n": 1}, {"n": 2}], "logs": [{"level": "warn", "message": "slow"}]}`)
	}))
	defer server.Close()
	out, log, err := attempt(t.Context(), t, server.URL+"/run?key=1", inv)
	if err != nil || strings.Join(out, "") != `{"n":1}{"n":2}` || !strings.Contains(log, `"level":"warn","message":"slow"`) {
		t.Errorf("%v %q %v", out, log, err)
	}
	key := inv.IdempotencyKey()
	if header.Get("Idempotency-Key") != key || header.Get("Content-Type") != "application/json" {
		t.Errorf("%v", header)
	}
	got, _ := json.Marshal(body)
	want := `{"attempt":1,"config":{"token":"s3cret"},"id":"` + key + `","idempotency_key":"` + key + `","incoming":{"file":"x"},"input":"a text","item":"service/0.3","run":"run-1"}`
	if string(got) != want {
		t.Errorf("the request was\n%s, want\n%s", got, want)
	}
}

func TestAnswers(t *testing.T) {
	const lines = "application/x-ndjson; charset=utf-8"
	for name, c := range map[string]struct {
		status int
		header string // Name: value
		body   string
		out    string
		code   orbit.Code // "": it succeeds
		retry  bool
		after  time.Duration
		words  string
	}{
		"no objects":              {status: 200, body: `{"outputs": []}`},
		"lines":                   {status: 200, header: "Content-Type: " + lines, body: "{\"emit\": {\"a\": 1}}\n\n{\"log\": {\"message\": \"m\"}}\n{\"done\": true}\n", out: `{"a":1}`},
		"lines without an end":    {status: 200, header: "Content-Type: " + lines, body: "{\"emit\": {\"a\": 1}}\n", out: `{"a":1}`, code: orbit.CodeUnavailable, retry: true, words: "ended its answer before it was done"},
		"an error in lines":       {status: 200, header: "Content-Type: " + lines, body: `{"error": {"code": "not_found", "message": "no page 3"}}`, code: orbit.CodeNotFound, words: "no page 3"},
		"an error with 200":       {status: 200, body: `{"error": {"message": "busy", "retry": true, "retry_after": 2.5}}`, code: orbit.CodeInternal, retry: true, after: 2500 * time.Millisecond, words: "busy"},
		"no JSON":                 {status: 200, body: `<html>`, code: orbit.CodeInternal, words: `it is no JSON object with a list "outputs"`},
		"something else":          {status: 200, body: `{"result": 1}`, code: orbit.CodeInternal, words: `"outputs"`},
		"no object":               {status: 200, body: `{"outputs": [1]}`, code: orbit.CodeInternal, words: "what it emits is no object"},
		"a huge answer":           {status: 200, body: `{"outputs": [{"a": "` + strings.Repeat("x", 64<<20) + `"}]}`, code: orbit.CodeTooLarge, words: "more than 64MiB"},
		"a huge line":             {status: 200, header: "Content-Type: " + lines, body: `{"emit": {"a": "` + strings.Repeat("x", 9<<20) + `"}}`, code: orbit.CodeTooLarge, words: "more than 8MiB"},
		"400":                     {status: 400, body: `{"error": {"code": "invalid_input", "message": "the text is empty"}}`, code: orbit.CodeInvalidInput, words: "answered 400 Bad Request: the text is empty"},
		"400 in words":            {status: 400, body: "nope\nnever", code: orbit.CodeRejected, words: "answered 400 Bad Request: nope never"},
		"400 that may be mended":  {status: 400, body: `{"error": {"message": "warming up", "retry": true}}`, code: orbit.CodeRejected, retry: true, words: "warming up"},
		"401":                     {status: 401, code: orbit.CodeDenied, words: "check the secrets in the step's config"},
		"403":                     {status: 403, body: `{"error": "no"}`, code: orbit.CodeDenied, words: ": no"},
		"408":                     {status: 408, code: orbit.CodeUnavailable, retry: true},
		"425":                     {status: 425, code: orbit.CodeUnavailable, retry: true},
		"429 with a wait":         {status: 429, header: "Retry-After: 7", code: orbit.CodeUnavailable, retry: true, after: 7 * time.Second},
		"503 with a long wait":    {status: 503, header: "Retry-After: 86400", code: orbit.CodeUnavailable, retry: true, after: time.Hour},
		"500 that is for good":    {status: 500, body: `{"error": {"message": "cannot be", "retry": false}}`, code: orbit.CodeUnavailable, words: "cannot be"},
		"a redirect":              {status: 302, header: "Location: http://elsewhere.example/", code: orbit.CodeRejected, words: "a redirect, which is not followed"},
		"404 with a wait, sooner": {status: 404, header: "Retry-After: 7", code: orbit.CodeRejected},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if key, value, ok := strings.Cut(c.header, ": "); ok {
					w.Header().Set(key, value)
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			out, _, err := attempt(t.Context(), t, server.URL+"/run?key=CANARY-key", &satellite.Invocation{})
			if got := strings.Join(out, ""); got != c.out {
				t.Errorf("it returned %s", got)
			}
			if c.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var own *orbit.Error
			if !errors.As(err, &own) {
				t.Fatalf("%v is no *orbit.Error", err)
			}
			if own.Code != c.code || own.Retryable != c.retry || own.After != c.after || !strings.Contains(own.Message, c.words) || strings.Contains(own.Message, "CANARY") {
				t.Errorf("%+v after %s", own, own.After)
			}
		})
	}
}

func TestAServiceThatIsDownIsTriedAgain(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, _, err := attempt(t.Context(), t, server.URL+"/run?key=CANARY", &satellite.Invocation{})
	if own := orbit.AsError(err); own.Code != orbit.CodeUnavailable || !own.Retryable || !strings.Contains(own.Message, "connection refused") || strings.Contains(own.Message, "CANARY") {
		t.Errorf("%+v", own)
	}
}

func TestAConnectionThatBreaksIsTriedAgain(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer server.Close()
	_, _, err := attempt(t.Context(), t, server.URL, &satellite.Invocation{})
	if own := orbit.AsError(err); own.Code != orbit.CodeUnavailable || !own.Retryable {
		t.Errorf("%+v", own)
	}
}

func TestTheEndOfTheContextEndsTheExchange(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	if _, _, err := attempt(ctx, t, server.URL, &satellite.Invocation{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestAnErrorOfTheTakerComesBackAsItIs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"outputs": [{}]}`) }))
	defer server.Close()
	full := errors.New("full")
	r := remote.New(&satellite.Spec{Name: "acme/service"}, server.URL)
	defer r.Close()
	if err := r.Run(t.Context(), &satellite.Invocation{}, func(orbit.Object) error { return full }); err != full {
		t.Errorf("%v", err)
	}
}
