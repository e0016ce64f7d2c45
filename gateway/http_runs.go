package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
)

// startBody is the body of a request for a run.
type startBody struct {
	Payload orbit.Object      `json:"payload"`
	Secrets map[string]string `json:"secrets"`
}

// postRun starts a run, or with a body of JSON lines one for each of them.
func (g *Gateway) postRun(w http.ResponseWriter, r *http.Request) error {
	if isBulk(r) {
		return g.postRuns(w, r)
	}
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	var req startBody
	if len(body) > 0 {
		if err := json.Unmarshal(body, &req); err != nil {
			return badRequest("the body is not JSON of the form {\"payload\": …}: %s", err)
		}
	}
	doc, err := g.launch(r.Context(), LaunchRequest{Cluster: clusterName(r), Payload: req.Payload, Secrets: req.Secrets,
		Key: r.Header.Get("Idempotency-Key"), Trigger: "api-call"})
	if err != nil {
		return err
	}
	run, err := g.view(r.Context(), doc)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/runs/"+doc.ID)
	return writeJSON(w, http.StatusAccepted, run)
}

// getRun gives a run; with ?wait=10s it answers as soon as the run has ended, or after that time as it is then.
func (g *Gateway) getRun(w http.ResponseWriter, r *http.Request) error {
	id, err := runID(r)
	if err != nil {
		return err
	}
	wait, err := waitTime(r)
	if err != nil {
		return err
	}
	doc, err := g.waitRun(r, id, wait)
	if err != nil {
		return err
	}
	return g.writeRun(w, r, doc)
}

// waitTime reads ?wait=.
func waitTime(r *http.Request) (time.Duration, error) {
	text := r.URL.Query().Get("wait")
	if text == "" {
		return 0, nil
	}
	wait, err := time.ParseDuration(text)
	if err != nil || wait < 0 {
		return 0, badRequest("wait=%s is no duration; write it like 10s", text)
	}
	return min(wait, maxWait), nil
}

// waitRun reads a run's document, at its end if that comes in time.
func (g *Gateway) waitRun(r *http.Request, id string, wait time.Duration) (*kv.Run, error) {
	ended, giveUp := g.waiters.wait(id) // before the look, so that an end in between is not missed
	defer giveUp()
	until := time.Now().Add(wait)
	for {
		doc, err := g.readRun(r.Context(), id)
		left := time.Until(until)
		if err != nil || doc.State.Terminal() || left <= 0 {
			return doc, err
		}
		// Another gateway may lead: look again now and then. The leader's own word comes through ended.
		timer := time.NewTimer(min(left, 500*time.Millisecond))
		select {
		case <-ended:
			ended = nil
		case <-timer.C:
		case <-r.Context().Done():
		}
		timer.Stop()
		if r.Context().Err() != nil {
			return doc, nil
		}
	}
}

func (g *Gateway) readRun(ctx context.Context, id string) (*kv.Run, error) {
	doc, err := g.findRun(ctx, id)
	if errors.Is(err, kv.ErrNotFound) {
		return nil, notFound("there is no run %s; `orbit runs` lists them", id)
	}
	return doc, err
}

// view is a run as the API shows it: with its counts of this moment, where this gateway folds it.
func (g *Gateway) view(ctx context.Context, doc *kv.Run) (*orbit.Run, error) {
	run := doc.Run
	if !run.State.Terminal() {
		if live, sats, ok := g.settlerOf(run.ID).tallyOf(run.ID); ok {
			run.Count(sats)
			if run.State == orbit.RunPending && live.State == orbit.RunRunning { // its document will say so soon
				run.State, run.StartedAt = live.State, live.StartedAt
			}
			if live.DeadlineMissed {
				run.DeadlineMissed = true
			}
		}
	}
	if run.Satellites == nil {
		p, err := g.plans.get(ctx, doc.Plan)
		if err != nil {
			return nil, err
		}
		run.Count(satellites(p, p.NewTally(), nil))
	}
	if doc.Payload != nil && !doc.Forgotten {
		payload, err := g.store.Blobs.Get(ctx, doc.Payload.Blob)
		if err != nil {
			return nil, err
		}
		run.Trigger.Payload = payload
	}
	return &run, nil
}

// getRuns lists runs, the latest first. ?cluster=project/name and ?state= narrow it; several states are any of them.
func (g *Gateway) getRuns(w http.ResponseWriter, r *http.Request) error {
	cluster := r.URL.Query().Get("cluster")
	var states []orbit.RunState
	for _, text := range r.URL.Query()["state"] {
		state := orbit.RunState(text)
		if state == "" {
			continue
		}
		if !slices.Contains(orbit.RunStates[:], state) {
			return badRequest("there is no state %s; the states are pending, running, paused, succeeded, partial, failed and cancelled", state)
		}
		states = append(states, state)
	}
	n, err := limit(r)
	if err != nil {
		return err
	}
	ids, next, err := g.list.page(r.Context(), r.URL.Query().Get("cursor"), n, cluster, states)
	if err != nil {
		return err
	}
	docs, err := g.documents(r.Context(), ids)
	if err != nil {
		return err
	}
	runs := make([]*orbit.Run, 0, len(docs))
	for _, doc := range docs {
		if len(states) > 0 && !slices.Contains(states, doc.State) { // it has moved on since
			continue
		}
		run, err := g.view(r.Context(), doc)
		if err != nil {
			return err
		}
		runs = append(runs, run)
	}
	out := newPage(runs, next)
	return writeJSON(w, http.StatusOK, out)
}

// postVerb carries out a verb on a run and answers with the run.
func (g *Gateway) postVerb(verb func(context.Context, string) (*kv.Run, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := runID(r)
		if err != nil {
			return err
		}
		doc, err := verb(r.Context(), id)
		if err != nil {
			return err
		}
		return g.writeRun(w, r, doc)
	}
}

// postRetry begins the next round of a run. The body may name a satellite or an item.
func (g *Gateway) postRetry(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	var req RetryRequest
	if len(body) > 0 {
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&req); err != nil {
			return badRequest("the body is not JSON of the form {\"satellite\": …, \"item\": …}: %s", err)
		}
	}
	return g.postVerb(func(ctx context.Context, id string) (*kv.Run, error) { return g.retryRun(ctx, id, req) })(w, r)
}
