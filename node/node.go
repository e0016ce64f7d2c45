// Package node is what runs on each machine: it pulls bundles as its slots come free, runs their items, commits the
// results, and hands back what it cannot finish.
//
//	Puller ─► worker (owns the slots) ─► run ─► record ─► Committer: record ─► children ─► ack
//
// It needs no gateway to go on: work flows from record to record until something is to be joined, retried or ended. It
// refuses to write documents; those are the gateways'.
package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/streams"
	"github.com/exospherehost/orbit/vault"
)

// Options say what a node is.
type Options struct {
	Name     string
	Version  string
	Conn     *nats.Conn // stays the caller's; it is open until Stop has returned
	Registry *satellite.Registry
	Hardware func() orbit.Hardware // as of now: free GPU memory changes
	Class    string
	Serves   []string // classes whose work this node takes, its own first
	Pools    []string // orbit.CorePool and one for each model or project it hosts
	Slots    int      // bundles run at once, on this machine
	// Elsewhere are the pools of Pools whose work another machine does, such as a model's at an endpoint, and how many bundles
	// of each are in hand at once. They take no slots.
	Elsewhere map[string]int
	// Ready tells, for those of Elsewhere whose server this machine starts and stops, whether it is up: else nothing of the pool is
	// taken. Poke is to be called when that has changed.
	Ready map[string]func() bool
	// Models describes the models for people; nil: there are none.
	Models func() []orbit.ModelDoc
	// BundleSize is the number of items that this node puts into each bundle it makes; 0: as measured. Benchmarks fix it.
	BundleSize int
	Address    string // of its gossip, for people
	// Busy is told when the number of busy slots has changed; it must not block.
	Busy   func(busy int)
	Gossip Gossip // nil: what this node dies with waits for its leases to end
	Log    zerolog.Logger
	Faults *fault.Injector
}

// slots is the number of bundles that may be in hand, here and elsewhere.
func (o *Options) slots() int {
	n := o.Slots
	for _, more := range o.Elsewhere {
		n += max(1, more)
	}
	return n
}

// Node is a running worker.
type Node struct {
	opts    Options
	log     zerolog.Logger
	js      jetstream.JetStream
	store   *kv.Store
	pub     *streams.Publisher
	hinter  *streams.Hinter
	commit  *streams.Outbox
	plans   *plans
	runs    *runs
	records *records
	chunks  kept[[]byte] // blobs of outputs that bundles are made of
	secrets *secrets
	pace    *pace
	gate    *gate
	logs    *logs
	worker  *worker
	lookout *streams.Lookout
	holds   *holds                    // nil without gossip
	keeper  *streams.Keeper           // of what other nodes hold; nil without gossip
	queues  atomic.Pointer[queueList] // as the gateway told last

	scratches sync.Pool // of *scratch

	ctx    context.Context // ends when work in progress must stop
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
	once   sync.Once
	casts  *nats.Subscription
	helds  *nats.Subscription
	quit   chan struct{} // heartbeats end
}

// ErrStopped is the cause when a node is stopped in the middle of work: its bundles are handed back.
var ErrStopped = errors.New("the node is stopping")

// errBlob marks trouble with the blob store: the bundle comes again, no item is to blame.
var errBlob = errors.New("the blob store is not at hand")

// Start begins to take work. It returns when the first requests are out.
func Start(o Options) (*Node, error) {
	js, err := jetstream.New(o.Conn)
	if err != nil {
		return nil, fmt.Errorf("open JetStream: %w", err)
	}
	pub, err := streams.NewPublisher(o.Conn)
	if err != nil {
		return nil, err
	}
	keys, err := vault.NewKeys()
	if err != nil {
		return nil, err
	}
	n := &Node{opts: o, log: o.Log.With().Str("node", o.Name).Logger(), js: js, store: kv.NewStore(o.Conn, js), pub: pub, hinter: streams.NewHinter(o.Conn),
		pace: newPace(o.BundleSize), gate: newGate(max(1, o.slots())), quit: make(chan struct{})}
	n.ctx, n.cancel = context.WithCancelCause(context.Background())
	n.commit = &streams.Outbox{Publisher: pub, Conn: o.Conn, Hinter: n.hinter, Faults: o.Faults}
	n.plans = newPlans(n.store.Plans, o.Registry)
	n.runs = newRuns(n.store.Runs)
	n.records = newRecords(n)
	n.secrets = newSecrets(o.Conn, o.Name, keys)
	n.lookout = streams.NewLookout(o.Conn)
	n.queues.Store(n.firstQueues())
	if n.logs, err = newLogs(n); err != nil {
		return nil, err
	}
	if n.worker, err = newWorker(n); err != nil {
		return nil, err
	}
	if n.casts, err = o.Conn.Subscribe(streams.CastSubject, n.cast); err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", streams.CastSubject, err)
	}
	if n.helds, err = o.Conn.Subscribe(streams.HeldSubject, n.answerHeld); err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", streams.HeldSubject, err)
	}
	if o.Gossip != nil {
		n.holds = newHolds(n, o.Gossip)
		n.plans.learned = n.holds.poke
		if n.keeper, err = streams.NewKeeper(o.Conn, o.Gossip, n.log); err != nil {
			return nil, err
		}
		n.wg.Go(n.holds.run)
	}
	n.wg.Go(n.worker.run)
	n.wg.Go(n.heartbeats)
	n.wg.Go(n.logs.run)
	return n, nil
}

// Drain stops taking work, hands back what was not begun, and waits until what was begun is committed or ctx ends. Then it stops.
func (n *Node) Drain(ctx context.Context) {
	n.worker.drain()
	select {
	case <-n.worker.drained:
	case <-ctx.Done():
	}
	n.Stop()
}

// Stop ends all work at once and hands it back. It returns when every goroutine has ended; a second call waits too.
func (n *Node) Stop() {
	n.once.Do(func() {
		n.worker.drain()
		n.cancel(ErrStopped)
		close(n.quit)
		_ = n.casts.Unsubscribe()
		_ = n.helds.Unsubscribe()
	})
	n.wg.Wait()
	if n.keeper != nil {
		n.keeper.Stop()
	}
	n.hinter.Stop()
	n.logs.close()
	n.pub.Close()
}

// Busy is the number of bundles that the node is running.
func (n *Node) Busy() int { return int(n.worker.busy.Load()) }

func (n *Node) partitions() int { return n.queues.Load().Partitions }

// reserves tells whether only steps without children may run.
func (n *Node) reserves() bool { return n.queues.Load().Reserve }

// cast hears what gateways tell all nodes.
func (n *Node) cast(m *nats.Msg) {
	c, err := streams.DecodeCast(m.Data)
	if err != nil {
		return
	}
	switch c.Kind {
	case streams.CastQueues:
		n.queues.Store(&queueList{Queues: c.Queues, Partitions: max(1, c.Partitions), Reserve: c.Reserve})
		n.worker.poke()
	case streams.CastCancel:
		n.runs.cancel(c.Run)
		n.worker.cancelRun(c.Run)
	case streams.CastPause:
		n.runs.pause(c.Run)
	case streams.CastResume:
		n.runs.resume(c.Run)
	}
}

// hand back times
const (
	soon  = time.Second     // the obstacle may be gone by then
	later = 5 * time.Second // it takes a person or another process
	// reserved bundles are out of the way of what may run for so long. It is many looks of reservedLook.
	reserved = 2 * time.Minute
)
