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
	sealed, err := g.seal(ctx, owner, plain)
	if err != nil {
		return err
	}
	_, err = g.store.Secrets.Put(ctx, owner, &kv.Secret{Sealed: sealed})
	return err
}

// openSecrets gives the values that an owner has; none is fine.
func (g *Gateway) openSecrets(ctx context.Context, owner string) (map[string]string, error) {
	doc, _, err := g.store.Secrets.Get(ctx, owner)
	if errors.Is(err, kv.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	plain, err := g.opts.Vault.Open(owner, doc.Sealed)
	if err != nil {
		return nil, fmt.Errorf("secrets of %s: %w", owner, err)
	}
	var values map[string]string
	return values, json.Unmarshal(plain, &values)
}

// reading looks the secrets of one plan up: those sent with the run come first, then what the cluster file says.
type reading struct {
	g      *Gateway
	plan   *cluster.Plan
	ofRun  map[string]string
	inline map[string]string // read when first asked for
	opened bool
}

// value gives the value of a declared secret. Where there is none the error is an *orbit.Error that is not retryable; any
// other says nothing about that.
func (r *reading) value(ctx context.Context, name string) (string, error) {
	if v, ok := r.ofRun[name]; ok {
		return v, nil
	}
	i := slices.IndexFunc(r.plan.Secrets, func(s cluster.SecretSource) bool { return s.Name == name })
	if i < 0 {
		return "", orbit.Permanent(orbit.CodeSecret, "the cluster does not declare it")
	}
	switch s := r.plan.Secrets[i]; s.Source {
	case "vault":
		return r.g.vaultValue(ctx, cluster.ProjectOf(r.plan.Identifier), s.Key)
	case "env":
		v, ok := r.g.opts.Getenv(s.Key)
		if !ok {
			return "", orbit.Permanent(orbit.CodeSecret, "set %s in the environment of the gateway, or give a file with --secrets-file", s.Key)
		}
		return v, nil
	}
	if !r.opened {
		values, err := r.g.openSecrets(ctx, clusterSecrets(r.plan))
		if err != nil {
			return "", err
		}
		r.inline, r.opened = values, true
	}
	v, ok := r.inline[name]
	if !ok {
		return "", orbit.Permanent(orbit.CodeSecret, "it stood in the cluster file and is not stored any more; apply the file again")
	}
	return v, nil
}

// lacking tells why a secret has no value, where the error says that it has none.
func lacking(err error) (why string, ok bool) {
	var own *orbit.Error
	if errors.As(err, &own) && !own.Retryable {
		return own.Message, true
	}
	return "", false
}

// checkSecrets refuses a run that would fail for want of a value. A vault elsewhere that does not answer now is no want: items
// wait for it.
func (g *Gateway) checkSecrets(ctx context.Context, p *cluster.Plan, ofRun map[string]string) error {
	if len(p.Secrets) == 0 {
		return nil
	}
	used := map[string]bool{}
	for i := range p.Steps {
		for _, name := range p.Steps[i].Secrets {
			used[name] = true
		}
	}
	r := &reading{g: g, plan: p, ofRun: ofRun}
	var missing []string
	why := ""
	for _, name := range slices.Sorted(maps.Keys(used)) {
		_, err := r.value(ctx, name)
		if lack, ok := lacking(err); ok {
			if len(missing) == 0 {
				why = lack
			}
			missing = append(missing, name)
		} else if err != nil && g.opts.Backend == nil {
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if len(missing) > 1 {
		why = "of " + missing[0] + ": " + why
	}
	return invalid("no value for %s: %s", strings.Join(missing, ", "), why)
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
	if err := g.checkHolder(ctx, req, step); err != nil {
		return "", nil, err
	}
	r := &reading{g: g, plan: p}
	if doc.Secrets {
		if r.ofRun, err = g.openSecrets(ctx, runSecrets(doc.ID)); err != nil {
			return "", nil, err
		}
	}
	a := vault.Answer{Values: make(map[string]string, len(step.Secrets))}
	for _, name := range step.Secrets { // what this step's config names, and nothing else
		v, err := r.value(ctx, name)
		if lack, ok := lacking(err); ok {
			a.Lack(name, lack)
		} else if err != nil {
			return "", nil, err
		} else {
			a.Values[name] = v
		}
	}
	return vault.SealTo(req, a, time.Now())
}
