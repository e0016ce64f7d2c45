package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// MaxClusterFile is the size of the largest cluster file: ten times what people write, small enough to be read at once.
const MaxClusterFile = 256 << 10

// Applied is the answer to an applied cluster.
type Applied struct {
	Identifier  string               `json:"identifier"`
	Version     string               `json:"version"`
	Created     bool                 `json:"created"`
	Diagnostics []cluster.Diagnostic `json:"diagnostics"`
}

// compile reads a cluster file with what this gateway knows, and what projects have registered by now.
func (g *Gateway) compile(ctx context.Context, text []byte) (*cluster.Result, error) {
	satellites, err := g.knownSatellites(ctx)
	if err != nil {
		return nil, err
	}
	options := g.compiler
	options.Catalog = satellites
	options.Stored = func(project, name string) bool {
		_, err := g.vaultValue(ctx, project, name)
		_, none := lacking(err)
		return !none // what cannot be told now is told by the run
	}
	return cluster.Compile("cluster.yml", text, options), nil
}

// apply registers a cluster. want is the identifier that the caller named; "": whatever the file says.
func (g *Gateway) apply(ctx context.Context, want string, text []byte) (*Applied, error) {
	if len(text) > MaxClusterFile {
		return nil, errClusterFile()
	}
	r, err := g.compile(ctx, text)
	if err != nil {
		return nil, err
	}
	if len(r.Errors()) > 0 {
		p := invalid("the cluster file has %s", plural(len(r.Errors()), "error"))
		p.Diagnostics = r.Diagnostics
		return nil, p
	}
	plan := r.Plan
	if want != "" && want != plan.Identifier {
		return nil, invalid("the file describes %s, not %s", plan.Identifier, want)
	}
	if err := g.ensureQueues(ctx, plan); err != nil {
		return nil, err
	}
	// In this order a crash leaves a plan or sealed values that nothing refers to; the cluster's document comes last.
	if err := g.plans.put(ctx, plan); err != nil {
		return nil, err
	}
	if len(r.Inline) > 0 {
		if err := g.sealSecrets(ctx, clusterSecrets(plan), r.Inline); err != nil {
			return nil, err
		}
	}
	created, err := g.register(ctx, plan)
	if err != nil {
		return nil, err
	}
	g.triggers.poke() // dying before it has looked: another gateway does
	diagnostics := r.Diagnostics
	if diagnostics == nil {
		diagnostics = []cluster.Diagnostic{}
	}
	return &Applied{Identifier: plan.Identifier, Version: plan.Version(), Created: created, Diagnostics: diagnostics}, nil
}

func errClusterFile() *orbit.Problem {
	return problem(http.StatusRequestEntityTooLarge, "the cluster file has more than %d KiB, which is the most; move large data to a file or bucket that a satellite reads", MaxClusterFile>>10)
}

// register writes the cluster's document, and tells whether this version is new.
func (g *Gateway) register(ctx context.Context, plan *cluster.Plan) (created bool, err error) {
	key := kv.ClusterKey(plan.Identifier)
	defer g.clusters.forget(plan.Identifier)
	for range 10 {
		now := time.Now().UTC()
		doc := &kv.Cluster{Plan: plan.Hash(), ClusterDoc: orbit.ClusterDoc{Identifier: plan.Identifier, Version: plan.Version(), Title: plan.Title,
			Description: plan.Description, SLA: plan.SLA, CreatedAt: now, UpdatedAt: now}}
		for i := range plan.Steps {
			doc.Satellites = append(doc.Satellites, plan.Steps[i].Identifier)
		}
		old, rev, err := g.store.Clusters.Get(ctx, key)
		switch {
		case errors.Is(err, kv.ErrNotFound):
			_, err = g.store.Clusters.Create(ctx, key, doc)
		case err != nil:
			return false, err
		case old.Plan == doc.Plan:
			return false, nil
		default:
			doc.CreatedAt = old.CreatedAt
			_, err = g.store.Clusters.Update(ctx, key, doc, rev)
		}
		if !errors.Is(err, kv.ErrConflict) {
			return err == nil, err
		}
	}
	return false, conflict("the cluster %s keeps changing; try again", plan.Identifier)
}

// ensureQueues makes the consumers that a plan needs, before anything is published for them.
func (g *Gateway) ensureQueues(ctx context.Context, plan *cluster.Plan) error {
	var need []streams.Queue
	for i := range plan.Steps {
		for _, q := range streams.QueuesOf(plan.Steps[i].Class, plan.Steps[i].Pool) {
			if !slices.Contains(need, q) {
				need = append(need, q)
			}
		}
	}
	fresh, err := g.topology.EnsureQueues(ctx, need)
	if len(fresh) > 0 {
		g.tellQueues()
	}
	return err
}

// deleteCluster removes a registered cluster. Its runs go on: they have their plan.
func (g *Gateway) deleteCluster(ctx context.Context, identifier string) error {
	key := kv.ClusterKey(identifier)
	defer g.clusters.forget(identifier)
	if _, _, err := g.store.Clusters.Get(ctx, key); errors.Is(err, kv.ErrNotFound) {
		return notFound("there is no cluster %s; `orbit clusters` lists them", identifier)
	} else if err != nil {
		return err
	}
	if err := g.store.Clusters.Delete(ctx, key); err != nil {
		return fmt.Errorf("delete cluster %s: %w", identifier, err)
	}
	g.triggers.poke()
	return nil
}
