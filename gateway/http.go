package gateway

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
)

// Bounds of a request.
const (
	maxBody   = 8 << 20 // of a run request: a payload; larger data belongs into files
	pageSize  = 100
	pageLimit = 1000
	maxWait   = 30 * time.Second // of ?wait=
)

// route is one operation of the API. An open one needs no token.
type route struct {
	pattern string // of http.ServeMux
	serve   func(http.ResponseWriter, *http.Request) error
	open    bool
}

// routes is the whole API; openapi.json describes it.
func (g *Gateway) routes() []route {
	return []route{
		{"GET /healthz", g.getHealth, true},
		{"GET /readyz", g.getReady, true},
		{"GET /openapi.json", g.getOpenAPI, true},
		{"GET /metrics", g.getMetrics, false},

		{"PUT /v1/clusters/{project}/{name}", g.putCluster, false},
		{"GET /v1/clusters/{project}/{name}", g.getCluster, false},
		{"DELETE /v1/clusters/{project}/{name}", g.removeCluster, false},
		{"GET /v1/clusters", g.getClusters, false},
		{"POST /v1/clusters/{project}/{name}/runs", g.postRun, false},
		{"GET /v1/runs", g.getRuns, false},
		{"GET /v1/runs/{id}", g.getRun, false},
		{"POST /v1/runs/{id}/cancel", g.postVerb(g.cancelRun), false},
		{"POST /v1/runs/{id}/pause", g.postVerb(g.pauseRun), false},
		{"POST /v1/runs/{id}/resume", g.postVerb(g.resumeRun), false},
		{"POST /v1/runs/{id}/retry", g.postRetry, false},
		{"GET /v1/runs/{id}/items", g.getItems, false},
		{"GET /v1/runs/{id}/outputs", g.getOutputs, false},
		{"GET /v1/runs/{id}/logs", g.getLogs, false},
		{"GET /v1/runs/{id}/events", g.getEvents, false},
		{"GET /v1/runs/{id}/why", g.getWhy, false},
		{"PUT /v1/secrets/{project}/{name}", g.putSecret, false},
		{"DELETE /v1/secrets/{project}/{name}", g.removeSecret, false},
		{"GET /v1/secrets/{project}", g.getSecrets, false},
		{"GET /v1/backup", g.getBackup, false},
		{"POST /v1/restore", g.postRestore, false},
		{"GET /v1/nodes", g.getNodes, false},
		{"GET /v1/queues", g.getQueues, false},
		{"GET /v1/satellites", g.getSatellites, false},
		{"GET /v1/triggers", g.getTriggers, false},
		{"POST /v1/triggers/{project}/{name}/{trigger}/fire", g.postFire, false},
		{"POST /v1/triggers/{project}/{name}/{trigger}/pause", g.postPauseTrigger(true), false},
		{"POST /v1/triggers/{project}/{name}/{trigger}/resume", g.postPauseTrigger(false), false},
		{"POST /v1/hooks/{token}", g.postHook, true}, // the token is in the path
		{"PUT /v1/satellites/{project}/{name}", g.putSatellite, false},
		{"DELETE /v1/satellites/{project}/{name}", g.removeSatellite, false},
		{"POST /v1/satellites/{project}/{name}", g.postExecution, false},
		{"GET /v1/satellites/{project}/{name}/{execution_id}", g.getExecution, false},
	}
}

// Handler is the HTTP API.
func (g *Gateway) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range append(g.routes(), route{pattern: "/", serve: unknownRoute}) {
		mux.HandleFunc(rt.pattern, func(answer http.ResponseWriter, r *http.Request) {
			w := &counted{ResponseWriter: answer}
			defer func() { g.metrics.request(rt.pattern, cmp.Or(w.status, http.StatusOK)) }()
			if !rt.open && !g.allowed(r) {
				w.Header().Set("WWW-Authenticate", "Bearer")
				g.refuse(w, r, problem(http.StatusUnauthorized, "this gateway asks for a token; send it as Authorization: Bearer TOKEN, or give it with --token or ORBIT_TOKEN"))
				return
			}
			if g.restoring.Load() && r.Method != http.MethodGet {
				g.refuse(w, r, problem(http.StatusServiceUnavailable, "a restore is under way; try again when it has ended"))
				return
			}
			if err := rt.serve(w, r); err != nil {
				g.refuse(w, r, err)
			}
		})
	}
	return mux
}

func unknownRoute(_ http.ResponseWriter, r *http.Request) error {
	return notFound("there is no %s %s; GET /openapi.json lists what there is", r.Method, r.URL.Path)
}

// allowed compares the token in constant time.
func (g *Gateway) allowed(r *http.Request) bool {
	if g.opts.Token == "" {
		return true
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(strings.TrimSpace(given))), sha256.Sum256([]byte(g.opts.Token))
	return ok && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// refuse answers with problem details. Once the answer has begun there is nothing left to do but to break it off.
func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		err = problem(http.StatusRequestEntityTooLarge, "the request has more than %d bytes", tooLong.Limit)
	}
	p := asProblem(err)
	if p.Status == http.StatusInternalServerError { // 503 is an answer, not a fault of ours
		g.log.Error().Err(err).Str("method", r.Method).Str("path", r.URL.Path).Msg("request failed")
	}
	body, merr := json.Marshal(p)
	if merr != nil {
		body = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500}`)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n'))
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	if err != nil {
		return nil // the caller is gone
	}
	return nil
}

// encode gives the JSON of an answer; runs are written by the thousand and have a way of their own.
func encode(v any) ([]byte, error) {
	if run, ok := v.(*orbit.Run); ok {
		return run.AppendJSON(make([]byte, 0, 1024))
	}
	return json.Marshal(v)
}

// page is one piece of a list.
type page[T any] struct {
	Data []T     `json:"data"`
	Next *string `json:"next"`
}

func newPage[T any](data []T, next string) page[T] {
	if data == nil {
		data = []T{}
	}
	p := page[T]{Data: data}
	if next != "" {
		p.Next = &next
	}
	return p
}

// limit reads ?limit=.
func limit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return pageSize, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, badRequest("limit=%s is no number from 1 to %d", text, pageLimit)
	}
	return min(n, pageLimit), nil
}

// offsetPage cuts a page out of a list that is at hand whole; the cursor is the position of its next entry.
func offsetPage[T any](r *http.Request, all []T) (page[T], error) {
	n, err := limit(r)
	if err != nil {
		return page[T]{}, err
	}
	from := 0
	if c := r.URL.Query().Get("cursor"); c != "" {
		if from, err = strconv.Atoi(c); err != nil || from < 0 {
			return page[T]{}, badRequest("cursor=%s is none that this list gave", c)
		}
	}
	from = min(from, len(all))
	to := min(from+n, len(all))
	next := ""
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return newPage(all[from:to], next), nil
}

// runID reads the {id} of a path.
func runID(r *http.Request) (string, error) {
	id := r.PathValue("id")
	if !orbit.ValidID(id) {
		return "", notFound("there is no run %.40q; `orbit runs` lists them", id)
	}
	return id, nil
}

// runOfPath reads the document of the run in a path.
func (g *Gateway) runOfPath(r *http.Request) (*kv.Run, error) {
	id, err := runID(r)
	if err != nil {
		return nil, err
	}
	return g.readRun(r.Context(), id)
}

// writeRun answers with a run.
func (g *Gateway) writeRun(w http.ResponseWriter, r *http.Request, doc *kv.Run) error {
	run, err := g.view(r.Context(), doc)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, run)
}

func clusterName(r *http.Request) string { return r.PathValue("project") + "/" + r.PathValue("name") }

func readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, most))
}

func (g *Gateway) getHealth(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// getReady answers 200 once runs can be accepted and settled.
func (g *Gateway) getReady(w http.ResponseWriter, r *http.Request) error {
	if !g.opts.Conn.IsConnected() {
		return problem(http.StatusServiceUnavailable, "the connection to the NATS server is broken")
	}
	if _, _, err := g.marks().Get(r.Context(), restoreKey); err == nil {
		return problem(http.StatusServiceUnavailable, "a restore is under way, or was broken off and must be run again")
	}
	for p := range g.topology.Partitions {
		if doc, _, err := g.settlers[p].lease.bucket().Get(r.Context(), g.settlers[p].lease.key()); err != nil || doc.Owner == "" {
			return problem(http.StatusServiceUnavailable, "no gateway leads partition %d yet", p)
		}
	}
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}
