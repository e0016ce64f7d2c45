// Package servicetest stands in for the services that satellites call: a server on this machine that remembers what it
// was asked and answers by a script.
package servicetest

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
)

// Secret is a part of every secret of a test: it must not be in an error.
const Secret = "s3cret"

// Heard is what the server saw of a request.
type Heard struct {
	Method, Path, Query string
	Header              http.Header
	Body                string // unpacked
}

// Headers picks some headers of the request.
func (h *Heard) Headers(names ...string) map[string]string {
	out := map[string]string{}
	for _, n := range names {
		out[n] = h.Header.Get(n)
	}
	return out
}

// Said is an answer.
type Said struct {
	Status int
	Header http.Header
	Body   string
}

// Say makes an answer.
func Say(status int, header http.Header, body string) Said { return Said{status, header, body} }

// Fake is the server.
type Fake struct {
	*httptest.Server
	mu    sync.Mutex
	heard []Heard
}

// Serve starts a server that gives these answers, one after the other, and an empty 200 after the last. It ends with the
// test.
func Serve(t testing.TB, script ...Said) *Fake {
	t.Helper()
	f := &Fake{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Error(err)
		}
		f.mu.Lock()
		at := len(f.heard)
		f.heard = append(f.heard, Heard{r.Method, r.URL.Path, r.URL.RawQuery, r.Header, string(text)})
		f.mu.Unlock()
		if at < len(script) {
			maps.Copy(w.Header(), script[at].Header)
			w.WriteHeader(script[at].Status)
			_, _ = io.WriteString(w, script[at].Body)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

// Heard gives the requests so far.
func (f *Fake) Heard() []Heard {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.heard
}

// Slow starts a server that does not answer until the test ends, and gives its URL.
func Slow(t testing.TB) string {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(func() { close(release); server.Close() })
	return server.URL
}

// Gone gives the URL of a server that has just been stopped.
func Gone(t testing.TB) string {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL
}

// Judge compares an error with the one that is wanted, whose message is a part of the error's. No secret is in it.
func Judge(t testing.TB, err error, want orbit.Error) {
	t.Helper()
	var got *orbit.Error
	if !errors.As(err, &got) {
		t.Fatalf("it returned %v, want %v", err, want)
	}
	if strings.Contains(got.Message, Secret) || !strings.Contains(got.Message, want.Message) {
		t.Errorf("message %q, want %q in it", got.Message, want.Message)
	}
	want.Message = got.Message
	Same(t, "error", &want, got)
}

// Same compares values.
func Same(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// JSON reads a text, for a comparison.
func JSON(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}
