// Package gateway compiles clusters, launches runs and settles them: the only part of Orbit that writes documents and
// creates streams. It serves the HTTP API and the NATS micro service.
//
//	submit ─► launch ─► (nodes work) ─► settle: fold the ledger, schedule retries, end runs
//
// Any number of gateways may run at once. One leads each partition at a time, which saves work; nothing breaks if two do,
// for every effect is a function of a prefix of the ledger.
package gateway

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/compile"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/mesh"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/streams"
	"github.com/exospherehost/orbit/vault"
)

// Options say what a gateway is.
type Options struct {
	Name     string
	Version  string
	Conn     *nats.Conn // stays the caller's; it is open until Stop has returned
	Registry *satellite.Registry
	Classes  []orbit.Class
	Vault    *vault.Vault
	Backend  Backend // where {vault: NAME} is taken from; nil: the projects' own vaults, sealed under Vault
	// DiscardSecrets removes at the start what is sealed under keys that are not here. Without it such a start is refused.
	DiscardSecrets bool
	Token          string             // the API asks for it; "": open
	Peers          func() []mesh.Peer // what gossip knows; nil: no gossip
	Witness        streams.Witness    // of who has died; nil: no gossip
	Partitions     int                // 1 by default
	Replicas       int                // of streams and buckets, 1 by default
	// ArchiveAfter is how long after its end a run is put away: its records move from the stream to an archive.
	// DefaultArchiveAfter by default, MinArchiveAfter at least.
	ArchiveAfter time.Duration
	// KeepRuns is how long after that its items and outputs are kept. DefaultKeepRuns by default, MinKeepRuns at least.
	KeepRuns time.Duration
	// CheckpointFrom is the number of records from which what a run adds up to is saved. DefaultCheckpointFrom by default.
	CheckpointFrom int
	// Alone promises that no other gateway with this name is alive, so that its leases may be taken over at once.
	Alone bool
	// StoreLimit gives how many bytes all streams together may take; nil: what the server says of its account and streams.
	StoreLimit func() int64
	// Fill looks how full the store is; nil: as the server says. Tests fill it.
	Fill   func(context.Context) (streams.Fill, error)
	Getenv func(string) (string, bool) // where {env: NAME} looks when the caller sent no value
	Log    zerolog.Logger
	Faults *fault.Injector
}

// Gateway is a running gateway.
type Gateway struct {
	opts      Options
	log       zerolog.Logger
	js        jetstream.JetStream
	store     *kv.Store
	compiler  cluster.Options
	pub       *streams.Publisher
	hinter    *streams.Hinter
	keeper    *streams.Keeper // of what nodes hold, where there are too few other nodes; nil without gossip
	topology  *streams.Topology
	plans     *planCache
	clusters  *clusterCache
	nodes     *nodeView
	waiters   *waiters
	died      chan string // nodes that have
	list      runList
	triggers  *triggers
	settlers  []*settler
	micro     micro.Service
	metrics   metrics
	fill      fill
	restoring atomic.Bool // by this gateway: nothing else is written meanwhile

	following     context.Context // ends when requests that follow a run must
	stopFollowing context.CancelFunc

	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	once   sync.Once
	subs   []*nats.Subscription
}

// Start creates what is missing on the NATS server, takes over the partitions that nobody leads, and returns when requests can be answered.
func Start(ctx context.Context, o Options) (*Gateway, error) {
	js, err := jetstream.New(o.Conn)
	if err != nil {
		return nil, fmt.Errorf("open JetStream: %w", err)
	}
	if o.ArchiveAfter, o.KeepRuns, err = retention(o.ArchiveAfter, o.KeepRuns); err != nil {
		return nil, err
	}
	if o.CheckpointFrom == 0 {
		o.CheckpointFrom = DefaultCheckpointFrom
	}
	if o.Getenv == nil {
		o.Getenv = func(string) (string, bool) { return "", false }
	}
	g := &Gateway{opts: o, log: o.Log.With().Str("gateway", o.Name).Logger(), js: js, store: kv.NewStore(o.Conn, js),
		topology: streams.NewTopology(js, o.Partitions, o.Replicas), nodes: newNodeView(), died: make(chan string, 16), waiters: newWaiters(), compiler: compile.Options(o.Registry, o.Classes)}
	g.triggers, g.list.g = newTriggers(g), g
	g.plans, g.clusters = newPlanCache(g.store.Plans), newClusterCache(g.store.Clusters)
	if err := g.prepare(ctx); err != nil {
		return nil, err
	}
	if g.pub, err = streams.NewPublisher(o.Conn); err != nil {
		return nil, err
	}
	g.hinter = streams.NewHinter(o.Conn)
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.following, g.stopFollowing = context.WithCancel(g.ctx)
	for p := range g.topology.Partitions {
		g.settlers = append(g.settlers, newSettler(g, p))
	}
	if err := g.listen(); err != nil {
		g.Stop()
		return nil, err
	}
	if o.Witness != nil {
		if g.keeper, err = streams.NewKeeper(o.Conn, o.Witness, g.log); err != nil {
			g.Stop()
			return nil, err
		}
	}
	for _, s := range g.settlers {
		g.wg.Go(s.run)
	}
	g.wg.Go(g.watchdog)
	g.wg.Go(g.watchFill)
	g.wg.Go(g.findOrphans)
	g.wg.Go(g.removePlans)
	g.wg.Go(g.triggers.run)
	g.tellQueues()
	return g, nil
}

// EndStreams breaks off the answers that would go on until a run has ended, before the HTTP server waits for requests to end.
// Their clients ask again, and go on where they were.
func (g *Gateway) EndStreams() { g.stopFollowing() }

// Stop ends everything this gateway does and gives up its leases. What is under way on nodes goes on. A second call waits too.
func (g *Gateway) Stop() {
	g.once.Do(func() {
		g.stopMicro()
		for _, s := range g.subs {
			_ = s.Unsubscribe()
		}
		g.cancel()
	})
	g.wg.Wait()
	if g.keeper != nil {
		g.keeper.Stop()
	}
	g.hinter.Stop()
	g.pub.Close()
}

// listen subscribes to what nodes and tools ask.
func (g *Gateway) listen() error {
	sub, err := g.opts.Conn.Subscribe(streams.NodeSubjects, g.heartbeat)
	if err != nil {
		return fmt.Errorf("subscribe to heartbeats: %w", err)
	}
	g.subs = append(g.subs, sub)
	if sub, err = g.opts.Conn.Subscribe(streams.CastSubject, g.heardCast); err != nil {
		return fmt.Errorf("subscribe to %s: %w", streams.CastSubject, err)
	}
	g.subs = append(g.subs, sub)
	// One gateway of all answers a node.
	if sub, err = g.opts.Conn.QueueSubscribe(streams.SecretsSubject, "orbit-gateway", g.answerSecrets); err != nil {
		return fmt.Errorf("subscribe to questions for secrets: %w", err)
	}
	g.subs = append(g.subs, sub)
	if sub, err = g.opts.Conn.Subscribe(streams.KeysSubject, g.answerKeys); err != nil {
		return fmt.Errorf("subscribe to questions for keys: %w", err)
	}
	g.subs = append(g.subs, sub)
	for p, s := range g.settlers {
		sub, err := g.opts.Conn.Subscribe(streams.HintSubject(p), s.hear)
		if err != nil {
			return fmt.Errorf("subscribe to hints: %w", err)
		}
		g.subs = append(g.subs, sub)
	}
	return g.startMicro()
}

// tellQueues tells all nodes which queues there are.
func (g *Gateway) tellQueues() {
	c := streams.Cast{Kind: streams.CastQueues, Queues: g.topology.Queues(), Partitions: g.topology.Partitions, Reserve: g.fill.reserve.Load()}
	_ = g.opts.Conn.Publish(streams.CastSubject, c.Encode()) // lossy: every heartbeat's answer says the same
}

// settlerOf is the settler of the partition that a run lives in.
func (g *Gateway) settlerOf(run string) *settler {
	return g.settlers[streams.Partition(run, g.topology.Partitions)]
}

// blobs reads blobs for the pure functions.
func (g *Gateway) blobs(ctx context.Context) cluster.Blobs {
	var name string // the last one stays at hand: values of one chunk are asked for one after the other
	var data []byte
	return func(want string) ([]byte, error) {
		if want == name {
			return data, nil
		}
		got, err := g.store.Blobs.Get(ctx, want)
		if err != nil {
			return nil, err
		}
		name, data = want, got
		return got, nil
	}
}
