package gateway

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
)

// nextTicks is how many of the next ticks are shown.
const nextTicks = 3

func (g *Gateway) getTriggers(w http.ResponseWriter, r *http.Request) error {
	if err := g.triggers.look(r.Context()); err != nil {
		return err
	}
	list, states := g.triggers.all()
	docs := make([]orbit.TriggerDoc, 0, len(list))
	for _, tr := range list {
		docs = append(docs, g.showTrigger(r.Context(), tr, states[tr.key].Trigger))
	}
	p, err := offsetPage(r, docs)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, p)
}

// showTrigger is what people see of a trigger.
func (g *Gateway) showTrigger(ctx context.Context, tr *trigger, st kv.Trigger) orbit.TriggerDoc {
	doc := orbit.TriggerDoc{Name: tr.name, Cluster: tr.cluster, Type: tr.Type, State: "active", Next: []time.Time{}, LastRun: st.LastRun,
		Waiting: len(st.Queue), Skipped: st.Skipped, Error: st.Error, Overlap: tr.Overlap, CatchUp: tr.CatchUp, Filter: tr.Filter, Signed: tr.Secret != ""}
	if st.Paused {
		doc.State = "paused"
	}
	if !st.LastAt.IsZero() {
		doc.LastAt = &st.LastAt
	}
	switch tr.Type {
	case "cron":
		doc.When = tr.Cron
		if tr.Timezone != "UTC" {
			doc.When += " " + tr.Timezone
		}
		for at := time.Now(); !st.Paused && len(doc.Next) < nextTicks; {
			if at = tr.ticks.Next(at); at.IsZero() {
				break
			}
			doc.Next = append(doc.Next, at)
		}
	case "event":
		doc.When = tr.Subject
	case "cluster":
		doc.When = tr.Trigger.Cluster + " " + tr.On
	case "webhook":
		token, err := g.token(ctx, tr)
		if err != nil {
			doc.Error = "its URL cannot be shown: " + asProblem(err).Detail
			break
		}
		doc.URL = "/v1/hooks/" + token
	}
	return doc
}

// named finds the trigger that a path names.
func (g *Gateway) named(r *http.Request) (*trigger, error) {
	of, name := clusterName(r), clusterName(r)+"/"+r.PathValue("trigger")
	if tr := g.triggers.find(of, name); tr != nil {
		return tr, nil
	}
	if err := g.triggers.look(r.Context()); err != nil { // it may have been applied just now
		return nil, err
	}
	if tr := g.triggers.find(of, name); tr != nil {
		return tr, nil
	}
	return nil, notFound("there is no trigger %s; `orbit triggers` lists them", name)
}

func (t *triggers) find(cluster, name string) *trigger {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tr := range t.of[cluster] {
		if tr.name == name {
			return tr
		}
	}
	return nil
}

// postFire starts a run now as the trigger would. A body may hold {"payload": …}.
func (g *Gateway) postFire(w http.ResponseWriter, r *http.Request) error {
	tr, err := g.named(r)
	if err != nil {
		return err
	}
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	var req struct {
		Payload orbit.Object `json:"payload"`
	}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &req); err != nil {
			return badRequest("the body is not JSON of the form {\"payload\": …}: %s", err)
		}
	}
	doc, err := g.launch(r.Context(), LaunchRequest{Cluster: tr.cluster, Trigger: tr.Type, Payload: req.Payload, Key: r.Header.Get("Idempotency-Key")})
	if err != nil {
		return err
	}
	g.triggers.started(r.Context(), tr, doc, nil)
	return g.writeStarted(w, r, doc)
}

func (g *Gateway) writeStarted(w http.ResponseWriter, r *http.Request, doc *kv.Run) error {
	run, err := g.view(r.Context(), doc)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/runs/"+doc.ID)
	return writeJSON(w, http.StatusAccepted, run)
}

// postPauseTrigger stops a trigger from starting runs, or lets it go on from now.
func (g *Gateway) postPauseTrigger(paused bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		tr, err := g.named(r)
		if err != nil {
			return err
		}
		st, err := g.triggers.change(r.Context(), tr, func(doc *kv.Trigger) (bool, error) {
			if doc.Paused == paused {
				return false, nil
			}
			doc.Paused = paused
			if !paused { // what came meanwhile is let go
				now := time.Now().UTC()
				doc.Since, doc.Tick, doc.Queue = now, now, nil
			}
			return true, nil
		})
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, g.showTrigger(r.Context(), tr, st))
	}
}

// postHook starts a run of the cluster that the token in the path stands for.
func (g *Gateway) postHook(w http.ResponseWriter, r *http.Request) error {
	tr, st := g.triggers.hook(r.PathValue("token"))
	if tr == nil { // it may be of a cluster that was applied just now
		if err := g.triggers.look(r.Context()); err != nil {
			return err
		}
		tr, st = g.triggers.hook(r.PathValue("token"))
	}
	if tr == nil {
		return notFound("there is no such hook; `orbit triggers -o json` shows the URLs of webhook triggers")
	}
	if st.Paused {
		return conflict("the trigger is paused; `orbit triggers resume %s` lets it go on", tr.name)
	}
	body, err := readBody(w, r, maxBody)
	if err != nil {
		return err
	}
	if tr.Secret != "" {
		if err := g.checkSignature(r, tr, body); err != nil {
			return err
		}
	}
	payload, err := eventPayload(body)
	if err != nil {
		return badRequest("the body cannot be taken as a payload: %s", err)
	}
	req := LaunchRequest{Cluster: tr.cluster, Trigger: tr.Type, Payload: payload}
	for _, header := range []string{"Idempotency-Key", "Webhook-Id", "X-Github-Delivery"} { // the same delivery, sent again
		if key := r.Header.Get(header); key != "" && req.Key == "" {
			req.Key = "hook " + tr.id + " " + key
		}
	}
	doc, err := g.launch(r.Context(), req)
	if err == nil || lasting(err) {
		g.triggers.started(r.Context(), tr, doc, err)
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusAccepted, map[string]string{"run": doc.ID}) // who calls a hook may know no more
}

// checkSignature refuses a request whose body is not signed with the trigger's secret: HMAC-SHA256 in hex behind "sha256=".
func (g *Gateway) checkSignature(r *http.Request, tr *trigger, body []byte) error {
	c, err := g.clusters.get(r.Context(), tr.cluster)
	if err != nil {
		return err
	}
	p, err := g.plans.get(r.Context(), c.Plan)
	if err != nil {
		return err
	}
	key, err := (&reading{g: g, plan: p}).value(r.Context(), tr.Secret)
	if why, none := lacking(err); none {
		return problem(http.StatusServiceUnavailable, "no value for the secret %s of the trigger %s: %s", tr.Secret, tr.name, why)
	} else if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(body)
	want := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	for _, header := range []string{"X-Orbit-Signature-256", "X-Hub-Signature-256"} {
		if subtle.ConstantTimeCompare([]byte(strings.ToLower(r.Header.Get(header))), []byte(want)) == 1 {
			return nil
		}
	}
	return problem(http.StatusUnauthorized, "the request is not signed as it must be: X-Orbit-Signature-256: sha256=<HMAC-SHA256 of the body in hex, with the hook's secret>")
}

// hook finds the trigger that a token stands for; nil: none.
func (t *triggers) hook(token string) (*trigger, kv.Trigger) {
	hash := hashToken(token)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, all := range t.of {
		for _, tr := range all {
			if st := t.states[tr.key]; tr.Type == "webhook" && st.TokenHash == hash {
				return tr, st.Trigger
			}
		}
	}
	return nil, kv.Trigger{}
}

// newToken makes the last part of a hook's URL, which nobody guesses, and gives it; that of another gateway, where it was first.
func (t *triggers) newToken(ctx context.Context, tr *trigger) (string, error) {
	raw := make([]byte, 24)
	_, _ = rand.Read(raw) // never fails
	token := base64.RawURLEncoding.EncodeToString(raw)
	sealed, err := t.g.seal(ctx, hookSecret(tr), []byte(token))
	if err != nil {
		return "", err
	}
	// Dying after this: whoever goes on takes the token that is there.
	_, err = t.g.store.Secrets.Create(ctx, hookSecret(tr), &kv.Secret{Sealed: sealed})
	if errors.Is(err, kv.ErrConflict) {
		return t.g.token(ctx, tr)
	}
	return token, err
}

// token opens the last part of a hook's URL.
func (g *Gateway) token(ctx context.Context, tr *trigger) (string, error) {
	doc, _, err := g.store.Secrets.Get(ctx, hookSecret(tr))
	if err != nil {
		return "", err
	}
	token, err := g.opts.Vault.Open(hookSecret(tr), doc.Sealed)
	return string(token), err
}

// hookSecret owns the token of a webhook trigger, and is its key in orbit_secrets.
func hookSecret(tr *trigger) string { return hookSecrets + tr.key }

const hookSecrets = "hook."

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
