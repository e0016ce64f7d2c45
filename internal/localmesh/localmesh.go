// Package localmesh is a whole mesh in one process: gateway with embedded NATS server, and nodes. `orbit dev` and `orbit
// run --local` run on it; it is put together from the very parts that the daemons are.
package localmesh

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/exospherehost/orbit/internal/boot"
	"github.com/exospherehost/orbit/internal/cli"
	"github.com/exospherehost/orbit/satellite/catalog"
	"github.com/exospherehost/orbit/satellite/custom"
)

// Mesh implements cli.Mesh.
type Mesh struct {
	gateway *boot.Gateway
	nodes   []*boot.Node
	remove  string // temporary folder
	once    sync.Once
}

// Starter gives the function that starts meshes of this program's version.
func Starter(version string) func(context.Context, cli.MeshOptions) (cli.Mesh, error) {
	return func(ctx context.Context, o cli.MeshOptions) (cli.Mesh, error) {
		m, err := start(ctx, version, o)
		if err != nil {
			return nil, err
		}
		return m, nil
	}
}

func start(ctx context.Context, version string, o cli.MeshOptions) (_ *Mesh, err error) {
	m := &Mesh{}
	defer func() {
		if err != nil {
			m.Stop(ctx)
		}
	}()
	dir := o.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "orbit-"); err != nil {
			return nil, fmt.Errorf("make a temporary folder: %w", err)
		}
		m.remove = dir
	}
	out := o.Log
	if out == nil {
		out = io.Discard
	}
	level := "info"
	if o.Quiet {
		level = "error"
	}
	log := boot.NewLogger(out, level, "text")
	private := o.NATS == ""
	models := boot.Models{}
	if o.Models != "" {
		if err := models.UnmarshalText([]byte(o.Models)); err != nil {
			return nil, fmt.Errorf("models: %w", err)
		}
	}
	cfg := boot.GatewayConfig{Name: "gateway", Data: dir, HTTP: or(o.HTTP, "127.0.0.1:0"), NATSListen: o.NATS, Gossip: or(o.Gossip, "127.0.0.1:0"), Partitions: 1, Replicas: 1, Models: slices.Sorted(maps.Keys(models))}
	if m.gateway, err = boot.StartGateway(ctx, cfg, version, private, log); err != nil {
		return nil, err
	}
	if err := m.register(ctx, o.Satellites); err != nil {
		return nil, err
	}
	for i := range max(1, o.Nodes) {
		n, err := boot.StartNode(ctx, boot.NodeConfig{Name: fmt.Sprintf("node-%d", i+1), Data: fmt.Sprintf("%s/node-%d", dir, i+1),
			Join: []string{m.gateway.GossipAddr()}, Satellites: o.Satellites, Models: models, DrainTimeout: 30 * time.Second}, boot.Extra{Version: version, Server: m.gateway.Server, Log: log})
		if err != nil {
			return nil, err
		}
		m.nodes = append(m.nodes, n)
	}
	return m, nil
}

// register makes the satellites in folders known to the gateway, before a node that runs them starts.
func (m *Mesh) register(ctx context.Context, dirs []string) error {
	if len(dirs) == 0 {
		return nil
	}
	all, err := catalog.Specs()
	if err != nil {
		return err
	}
	specs, err := custom.Describe(dirs, all)
	if err != nil {
		return err
	}
	for _, spec := range specs {
		if err := m.gateway.Register(ctx, spec); err != nil {
			return fmt.Errorf("register the satellite %s: %w", spec.Name, err)
		}
	}
	return nil
}

// URL is the base of the HTTP API.
func (m *Mesh) URL() string { return m.gateway.URL() }

// Token is what the API asks for; "" for nothing.
func (m *Mesh) Token() string { return m.gateway.Token }

// Stop drains the nodes and stops everything.
func (m *Mesh) Stop(ctx context.Context) {
	m.once.Do(func() {
		var wg sync.WaitGroup
		for _, n := range m.nodes {
			wg.Go(func() { n.Stop(ctx) })
		}
		wg.Wait()
		if m.gateway != nil {
			m.gateway.Stop(ctx)
		}
		if m.remove != "" {
			_ = os.RemoveAll(m.remove)
		}
	})
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
