package node

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/placement"
)

// errSwitched is the cause when work of a model is stopped because its server must go; it is handed back.
var errSwitched = errors.New("the model's server is being stopped")

// Poke has the node ask anew which pools are ready.
func (n *Node) Poke() { n.worker.poke() }

// Quiet tells whether nothing of a pool is taken, and nothing of it runs any more: its server may go.
func (n *Node) Quiet(pool string) bool {
	r := n.worker.byPool[pool]
	return r == nil || r.door == nil || r.door.shut.Load() && !r.door.ready()
}

// HandBack stops what runs of a pool and hands it back.
func (n *Node) HandBack(pool string) { n.worker.cancelPool(pool, errSwitched) }

// looksAtOnce bounds the questions to the server that are under way when the work of models is looked for.
const looksAtOnce = 16

// Loads tells what work there is of pools with a server of this machine's, wherever it waits. A pool of which that cannot be
// learned is left out.
func (n *Node) Loads(ctx context.Context, pools []string) map[string]placement.Load {
	loads := map[string]placement.Load{}
	for _, pool := range pools {
		if r := n.worker.byPool[pool]; r != nil && r.door != nil {
			loads[pool] = placement.Load{InHand: int(r.door.inHand.Load()), Rate: r.rateOf()}
		}
	}
	for _, d := range n.worker.held(orbit.MaxHeld) {
		if l, ok := loads[d.Queue.Pool]; ok {
			l.Deadline = sooner(l.Deadline, deadline(d))
			loads[d.Queue.Pool] = l
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	failed := map[string]bool{}
	places := make(chan struct{}, looksAtOnce)
	mine := maps.Clone(loads) // what is in hand; loads grows meanwhile
	for _, q := range n.queues.Load().Queues {
		l, ok := mine[q.Pool]
		if !ok {
			continue
		}
		for p := range n.partitions() {
			places <- struct{}{}
			wg.Go(func() {
				defer func() { <-places }()
				b, err := n.lookout.Look(ctx, q, p, l.InHand)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					failed[q.Pool] = true
					return
				}
				if b.Waiting > 0 {
					l := loads[q.Pool]
					l.Waiting, l.Deadline = l.Waiting+b.Waiting, sooner(l.Deadline, b.Deadline)
					loads[q.Pool] = l
				}
			})
		}
	}
	wg.Wait()
	for pool := range failed {
		delete(loads, pool)
	}
	return loads
}

// sooner is the earlier of two times of which the first may not be set.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}
