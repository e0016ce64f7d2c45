package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/exospherehost/orbit"
)

// fakeAPI answers as a gateway does, from memory.
type fakeAPI struct {
	token      string
	warn       []any         // diagnostics that PUT answers with 201
	refuse     any           // diagnostics that PUT answers with 422
	runs       []orbit.Run   // what GET /v1/runs/{id} answers, one after the other; the last for ever
	down       time.Duration // a gateway that does not answer for this time after the first look at a run
	items      []orbit.ItemDoc
	outputs    map[string]string // by satellite; "" are the leaves
	log        []orbit.LogRecord
	events     []orbit.RunEvent
	why        *orbit.Why
	satellites []orbit.SatelliteSpec // what it knows
	cut        int                   // followed, the log breaks off after so many records, the first time

	registered []orbit.SatelliteSpec // satellites of projects
	described  string                // body of the last PUT of one

	secrets map[string]string // by project/name

	backup   string // what GET /v1/backup answers
	restored string // body of POST /v1/restore

	mu       sync.Mutex
	looks    int
	lookedAt time.Time
	requests []string // "PUT /v1/clusters/demo/reports"
	applied  string   // body of the last PUT
	started  string   // body of the last POST to runs
	key      string   // its idempotency key
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /v1/clusters/{project}/{name}", f.apply)
	mux.HandleFunc("GET /v1/clusters/{project}/{name}", f.cluster)
	mux.HandleFunc("DELETE /v1/clusters/{project}/{name}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("POST /v1/clusters/{project}/{name}/runs", f.start)
	mux.HandleFunc("GET /v1/clusters", func(w http.ResponseWriter, r *http.Request) { page(w, r, []orbit.ClusterDoc{reports}) })
	mux.HandleFunc("GET /v1/runs", func(w http.ResponseWriter, r *http.Request) { page(w, r, f.runs) })
	mux.HandleFunc("GET /v1/runs/{id}", f.run)
	mux.HandleFunc("POST /v1/runs/{id}/cancel", f.cancel)
	mux.HandleFunc("GET /v1/runs/{id}/items", f.listItems)
	mux.HandleFunc("GET /v1/runs/{id}/outputs", f.stream)
	mux.HandleFunc("GET /v1/runs/{id}/logs", func(w http.ResponseWriter, r *http.Request) { timeline(f, w, r, "log", f.log) })
	mux.HandleFunc("GET /v1/runs/{id}/events", func(w http.ResponseWriter, r *http.Request) { timeline(f, w, r, "event", f.events) })
	mux.HandleFunc("GET /v1/runs/{id}/why", func(w http.ResponseWriter, _ *http.Request) { give(w, f.why) })
	mux.HandleFunc("PUT /v1/secrets/{project}/{name}", f.setSecret)
	mux.HandleFunc("DELETE /v1/secrets/{project}/{name}", f.removeSecret)
	mux.HandleFunc("GET /v1/secrets/{project}", f.listSecrets)
	mux.HandleFunc("GET /v1/nodes", func(w http.ResponseWriter, r *http.Request) { page(w, r, nodes) })
	mux.HandleFunc("GET /v1/satellites", func(w http.ResponseWriter, r *http.Request) { page(w, r, append(f.satellites, f.registered...)) })
	mux.HandleFunc("PUT /v1/satellites/{project}/{name}", func(w http.ResponseWriter, r *http.Request) {
		f.described = body(r)
		w.WriteHeader(http.StatusCreated)
		give(w, map[string]any{"name": r.PathValue("project") + "/" + r.PathValue("name"), "version": "0123456789", "created": true})
	})
	mux.HandleFunc("DELETE /v1/satellites/{project}/{name}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /v1/backup", f.giveBackup)
	mux.HandleFunc("POST /v1/restore", f.takeBackup)
	mux.HandleFunc("GET /v1/queues", func(w http.ResponseWriter, r *http.Request) { page(w, r, queues) })

	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, r.Method+" "+r.URL.RequestURI())
	if f.token != "" && r.Header.Get("Authorization") != "Bearer "+f.token {
		problem(w, orbit.Problem{Title: "Unauthorized", Status: 401})
		return
	}
	mux.ServeHTTP(w, r)
}

func (f *fakeAPI) apply(w http.ResponseWriter, r *http.Request) {
	f.applied = body(r)
	if f.refuse != nil {
		problem(w, orbit.Problem{Title: "The cluster cannot be run", Status: 422, Detail: "it uses what this version does not run yet", Diagnostics: f.refuse})
		return
	}
	w.WriteHeader(http.StatusCreated)
	give(w, map[string]any{"identifier": r.PathValue("project") + "/" + r.PathValue("name"), "version": "0123456789ab", "created": true, "diagnostics": append([]any{}, f.warn...)})
}

func (f *fakeAPI) cluster(w http.ResponseWriter, r *http.Request) {
	if name := r.PathValue("project") + "/" + r.PathValue("name"); name != reports.Identifier {
		problem(w, orbit.Problem{Title: "Not found", Status: 404, Detail: "there is no cluster " + name + "; `orbit clusters` lists those there are"})
		return
	}
	give(w, reports)
}

func (f *fakeAPI) start(w http.ResponseWriter, r *http.Request) {
	f.started, f.key = body(r), r.Header.Get("Idempotency-Key")
	w.WriteHeader(http.StatusAccepted)
	give(w, f.runs[0])
}

func (f *fakeAPI) run(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") != f.runs[0].ID {
		problem(w, orbit.Problem{Title: "Not found", Status: 404, Detail: "there is no run " + r.PathValue("id")})
		return
	}
	if f.looks == 1 && f.down > 0 && time.Since(f.lookedAt) < f.down {
		problem(w, orbit.Problem{Title: "Unavailable", Status: 503, Detail: "the gateway is starting"})
		return
	}
	run := f.runs[min(f.looks, len(f.runs)-1)]
	f.looks, f.lookedAt = f.looks+1, time.Now()
	if wait, err := time.ParseDuration(r.URL.Query().Get("wait")); err == nil && !run.State.Terminal() {
		select {
		case <-time.After(wait):
		case <-r.Context().Done():
		}
	}
	give(w, run)
}

func (f *fakeAPI) cancel(w http.ResponseWriter, _ *http.Request) {
	run := f.runs[0]
	run.State = orbit.RunCancelled
	give(w, run)
}

func (f *fakeAPI) listItems(w http.ResponseWriter, r *http.Request) {
	var found []orbit.ItemDoc
	for _, it := range f.items {
		q := r.URL.Query()
		if (q.Get("state") == "" || q.Get("state") == string(it.State)) && (q.Get("satellite") == "" || q.Get("satellite") == it.Satellite) {
			found = append(found, it)
		}
	}
	page(w, r, found)
}

func (f *fakeAPI) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	_, _ = io.WriteString(w, f.outputs[r.URL.Query().Get("satellite")])
}

// timeline answers with a page, or with server-sent events whose ids are places in the list.
func timeline[T any](f *fakeAPI, w http.ResponseWriter, r *http.Request, name string, all []T) {
	if r.Header.Get("Accept") != "text/event-stream" {
		page(w, r, all)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	from, _ := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	_, _ = io.WriteString(w, ":\n\n") // a sign of life
	for i := from; i < len(all); i++ {
		if i == f.cut && f.cut > 0 {
			f.cut = 0
			return
		}
		text, _ := json.Marshal(all[i])
		_, _ = fmt.Fprintf(w, "event: %s\nid: %d\ndata: %s\n\n", name, i+1, text)
	}
	_, _ = io.WriteString(w, "event: end\ndata: {\"state\":\"succeeded\"}\n\n")
}

// page answers with one page of a list; two entries at most, so that lists are followed.
func page[T any](w http.ResponseWriter, r *http.Request, all []T) {
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	to := min(from+min(limit, 2), len(all))
	var next any
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	give(w, map[string]any{"data": append([]T{}, all[from:to]...), "next": next})
}

func give(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func problem(w http.ResponseWriter, p orbit.Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

func body(r *http.Request) string {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return fmt.Sprint(err)
	}
	return strings.TrimSpace(string(text))
}
