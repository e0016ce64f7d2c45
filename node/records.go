package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

// records reads committed records for the joins. A record never changes, so one that was read is good for ever.
type records struct {
	n    *Node
	kept kept[*cluster.Committed] // by run and bundle: joins that are released one after the other read the same ones
}

func newRecords(n *Node) *records {
	return &records{n: n}
}

// of reads from one run.
func (r *records) of(ctx context.Context, run string, blobs cluster.Blobs) cluster.Records {
	p := streams.Partition(run, r.n.partitions())
	return func(bundles []string) ([]*cluster.Committed, error) {
		out := make([]*cluster.Committed, len(bundles))
		var want []string
		var at []int
		for i, b := range bundles {
			var ok bool
			if out[i], ok = r.kept.get(run + b); !ok {
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
			r.kept.put(run+want[i], c, len(s.Data)+c.Size())
			out[at[i]] = c
		}
		return out, nil
	}
}

// errLedger marks trouble with reading the ledger: the bundle comes again, no item is to blame.
var errLedger = errors.New("the ledger is not at hand")
