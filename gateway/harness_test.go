package gateway

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/jq"
	"github.com/exospherehost/orbit/satellite/webhook"
	"github.com/exospherehost/orbit/streams"
	"github.com/exospherehost/orbit/vault"
)

const testToken = "a-token-for-tests"

// bench is a gateway on an embedded server, without nodes, in a bubble of fake time.
type bench struct {
	*testing.T
	g     *Gateway
	conn  *nats.Conn
	told  *description
	parts int // messages of log records that were made
	taken map[string]vault.Request
}

// inBubble runs f against a gateway that leads.
func inBubble(t *testing.T, f func(b *bench), change ...func(*Options)) {
	t.Helper()
	// nats.go keeps timers in a pool, and one of an earlier bubble must not be used in this: two rounds empty the pool.
	runtime.GC()
	runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		server, err := streams.StartServer(streams.ServerOptions{Name: "test", Dir: filepath.Join(t.TempDir(), "data"), Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		defer server.Stop()
		conn, err := streams.Connect(t.Context(), streams.ConnectOptions{Name: "test", Server: server, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		hook := webhook.New()
		defer func() { _ = hook.Close() }()
		registry, err := satellite.NewRegistry(jq.New(), hook)
		if err != nil {
			t.Fatal(err)
		}
		secrets, err := vault.New(make([]byte, 32))
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Name: "gateway", Version: "1.2.3", Conn: conn, Registry: registry, Classes: placement.DefaultClasses(),
			Vault: secrets, Token: testToken, Alone: true, Log: zerolog.Nop()}
		for _, c := range change {
			c(&o)
		}
		g, err := Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Stop()
		b := &bench{T: t, g: g, conn: conn, told: readDescription(t)}
		for b.get("/readyz").Code != 200 {
			time.Sleep(100 * time.Millisecond)
		}
		f(b)
	})
}

// send makes a request with the token; headers come as "Name: value". Every answer must be as openapi.json tells.
func (b *bench) send(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+testToken)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	b.g.Handler().ServeHTTP(w, r)
	if r.Pattern != "/" {
		b.told.checkAnswer(b.T, r.Pattern, w)
	}
	return w
}

func (b *bench) get(target string) *httptest.ResponseRecorder {
	b.Helper()
	return b.send("GET", target, "")
}

// refused demands a refusal with a status, as problem details whose sentence holds what is given.
func (b *bench) refused(w *httptest.ResponseRecorder, status int, sentence string) {
	b.Helper()
	var p orbit.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != "application/problem+json" {
		b.Errorf("the answer is no problem+json but %s: %s", w.Header().Get("Content-Type"), w.Body)
		return
	}
	if w.Code != status || p.Status != status || !strings.Contains(p.Detail, sentence) {
		b.Errorf("refused with %d %q, want %d and %q", w.Code, p.Detail, status, sentence)
	}
}

// into demands a success with a status and decodes the answer.
func into[T any](b *bench, w *httptest.ResponseRecorder, status int) T {
	b.Helper()
	var v T
	if w.Code != status {
		b.Fatalf("the answer is %d, want %d: %s", w.Code, status, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		b.Fatal(err)
	}
	return v
}

// file is a cluster file with one jq step.
func file(identifier, query string) string {
	return fmt.Sprintf("version: 0.0.1b\ncluster:\n  identifier: %s\n  sla: 6h\n  trigger: api-call\n  satellites:\n"+
		"    - uses: satellite/exospherehost/jq\n      identifier: first\n      config: {query: %q}\n", identifier, query)
}

// apply registers a cluster.
func (b *bench) apply(identifier string) Applied {
	b.Helper()
	return into[Applied](b, b.send("PUT", "/v1/clusters/"+identifier, file(identifier, ".")), 201)
}

// start begins a run.
func (b *bench) start(identifier, body string, headers ...string) orbit.Run {
	b.Helper()
	return into[orbit.Run](b, b.send("POST", "/v1/clusters/"+identifier+"/runs", body, headers...), 202)
}
