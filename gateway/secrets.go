package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/vault"
)

// Owners of sealed secrets, which are keys in orbit_secrets as well. Those in a cluster file belong to its version: runs of
// an older one go on with their own.
func clusterSecrets(p *cluster.Plan) string {
	return "cluster." + kv.ClusterKey(p.Identifier) + "." + p.Hash()
}
func runSecrets(run string) string { return "run." + run }

// sealSecrets stores values sealed for their owner.
func (g *Gateway) sealSecrets(ctx context.Context, owner string, values map[string]string) error {
	plain, err := json.Marshal(values)
	if err != nil {
		return err
	}
	sealed := g.opts.Vault.Seal(owner, plain)
	_, err = g.store.Secrets.Put(ctx, owner, &sealed)
	return err
}

// openSecrets gives the values that an owner has; none is fine.
func (g *Gateway) openSecrets(ctx context.Context, owner string) (map[string]string, error) {
	sealed, _, err := g.store.Secrets.Get(ctx, owner)
	if errors.Is(err, kv.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	plain, err := g.opts.Vault.Open(owner, *sealed)
	if err != nil {
		return nil, fmt.Errorf("secrets of %s: %w", owner, err)
	}
	var values map[string]string
	return values, json.Unmarshal(plain, &values)
}

// secretValues gives the values of all declared secrets of a plan that have one: those sent with the run, then those in
// the cluster file, then the gateway's environment.
func (g *Gateway) secretValues(ctx context.Context, p *cluster.Plan, ofRun map[string]string) (map[string]string, error) {
	inline, err := g.openSecrets(ctx, clusterSecrets(p))
	if err != nil {
		return nil, err
	}
	values := make(map[string]string, len(p.Secrets))
	for _, s := range p.Secrets {
		if v, ok := ofRun[s.Name]; ok {
			values[s.Name] = v
		} else if v, ok := inline[s.Name]; ok && s.Source == "inline" {
			values[s.Name] = v
		} else if v, ok := g.opts.Getenv(s.Key); ok && s.Source == "env" {
			values[s.Name] = v
		}
	}
	return values, nil
}

// checkSecrets refuses a run that would fail for want of a value.
func (g *Gateway) checkSecrets(ctx context.Context, p *cluster.Plan, ofRun map[string]string) error {
	if len(p.Secrets) == 0 {
		return nil
	}
	values, err := g.secretValues(ctx, p, ofRun)
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for i := range p.Steps {
		for _, name := range p.Steps[i].Secrets {
			used[name] = true
		}
	}
	var missing []string
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if _, ok := values[name]; !ok {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return invalid("no value for %s: set it in the environment, or give a file with --secrets-file", strings.Join(missing, ", "))
	}
	return nil
}

// answerSecrets gives a node the values for a step of an open run, sealed to the node's key. It answers only to an inbox:
// a reply-to of a JetStream API subject would make an answer into a command.
func (g *Gateway) answerSecrets(m *nats.Msg) {
	if !strings.HasPrefix(m.Reply, "_INBOX.") {
		return
	}
	var req vault.Request
	var answer struct {
		Sender string `json:"sender,omitempty"`
		Box    []byte `json:"box,omitempty"`
		Error  string `json:"error,omitempty"`
	}
	err := json.Unmarshal(m.Data, &req)
	if err == nil {
		answer.Sender, answer.Box, err = g.grant(req)
	}
	if err != nil {
		g.log.Warn().Str("node", req.Node).Str("run", req.Run).Str("satellite", req.Step).Err(err).Msg("secrets not given")
		answer.Error = err.Error()
	}
	body, _ := json.Marshal(answer) // strings and bytes always encode
	_ = m.Respond(body)             // lost: the node asks again
}

func (g *Gateway) grant(req vault.Request) (sender string, box []byte, err error) {
	ctx, cancel := context.WithTimeout(g.ctx, 4*time.Second)
	defer cancel()
	if !orbit.ValidID(req.Run) {
		return "", nil, errors.New("no such run")
	}
	doc, _, err := g.store.Runs.Get(ctx, req.Run)
	if err != nil {
		return "", nil, err
	}
	if doc.State.Terminal() || doc.Closed {
		return "", nil, fmt.Errorf("run %s has ended", req.Run)
	}
	p, err := g.plans.get(ctx, doc.Plan)
	if err != nil {
		return "", nil, err
	}
	step, ok := p.Step(req.Step)
	if !ok {
		return "", nil, fmt.Errorf("run %s has no satellite %s", req.Run, req.Step)
	}
	var ofRun map[string]string
	if doc.Secrets {
		if ofRun, err = g.openSecrets(ctx, runSecrets(doc.ID)); err != nil {
			return "", nil, err
		}
	}
	all, err := g.secretValues(ctx, p, ofRun)
	if err != nil {
		return "", nil, err
	}
	values := make(map[string]string, len(step.Secrets))
	for _, name := range step.Secrets { // what this step's config names, and nothing else
		if v, ok := all[name]; ok {
			values[name] = v
		}
	}
	return vault.SealTo(req, values, time.Now())
}
