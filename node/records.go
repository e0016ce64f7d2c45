package node

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

// recordsKept is how much of the ledger a node keeps at hand, in bytes: joins that are released one after the other read
// the same records.
const recordsKept = 32 << 20

// records reads committed records for the joins. A record never changes, so one that was read is good for ever.
type records struct {
	n *Node

	mu         sync.Mutex
	young, old map[string]*cluster.Committed // by run and bundle; guarded by mu
	size       int                           // of young, in bytes
}

func newRecords(n *Node) *records {
	return &records{n: n, young: map[string]*cluster.Committed{}}
}

// of reads from one run.
func (r *records) of(ctx context.Context, run string, blobs cluster.Blobs) cluster.Records {
	p := streams.Partition(run, r.n.partitions())
	return func(bundles []string) ([]*cluster.Committed, error) {
		out := make([]*cluster.Committed, len(bundles))
		var want []string
		var at []int
		for i, b := range bundles {
			if out[i] = r.kept(run + b); out[i] == nil {
				want, at = append(want, b), append(at, i)
			}
		}
		if len(want) == 0 {
			return out, nil
		}
		found, err := streams.ReadRecords(ctx, r.n.opts.Conn, p, run, want)
		if errors.Is(err, streams.ErrNotFound) {
			return nil, fmt.Errorf("%w: %w", errLedger, cluster.ErrNotCommitted)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errLedger, err)
		}
		for i, s := range found {
			rec, err := orbit.DecodeRecord(s.Data)
			if err != nil {
				return nil, err
			}
			c, err := cluster.NewCommitted(rec, blobs)
			if err != nil {
				return nil, err
			}
			r.keep(run+want[i], c, len(s.Data)+c.Size())
			out[at[i]] = c
		}
		return out, nil
	}
}

func (r *records) kept(key string) *cluster.Committed {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.young[key]; c != nil {
		return c
	}
	return r.old[key]
}

// keep remembers a record; what was not read since half of what may be kept was filled is forgotten.
func (r *records) keep(key string, c *cluster.Committed, size int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size+size > recordsKept/2 {
		r.old, r.young, r.size = r.young, map[string]*cluster.Committed{}, 0
	}
	r.young[key] = c
	r.size += size
}

// errLedger marks trouble with reading the ledger: the bundle comes again, no item is to blame.
var errLedger = errors.New("the ledger is not at hand")
