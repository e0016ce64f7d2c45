package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

// logRecords is what a first log step gets: a batch of the run's log.
type logRecords struct {
	Records []orbit.LogRecord `json:"records"` // in the order of the log; of a batch that is sent again the keys are the same
	Run     string            `json:"run"`
	Cluster string            `json:"cluster"`
	Batch   int               `json:"batch"` // from 1
	Last    bool              `json:"last"`  // nothing of the run comes after it, unless it is retried
}

// logBatch reads a batch of the run's log: from where to where, its marker in the ledger says. Without a log it is empty, for
// what is the matter with the log is nothing that a run should suffer from. The object stays with the item however large it is:
// it is never sent on.
func (n *Node) logBatch(ctx context.Context, run string, at orbit.Lineage, p *plan, records cluster.Records) (orbit.Value, error) {
	ordinal, err := at.Last()
	if err != nil {
		return orbit.Value{}, err
	}
	recs, err := records([]string{orbit.LogMarkerID(ordinal + 1)})
	if err != nil {
		return orbit.Value{}, err
	}
	marker, err := recs[0].LogMarker()
	if err != nil {
		return orbit.Value{}, err
	}
	out := logRecords{Records: []orbit.LogRecord{}, Run: run, Cluster: p.Identifier, Batch: marker.Batch, Last: marker.Last}
	if marker.To > marker.After {
		err = streams.ReadLog(ctx, n.opts.Conn, streams.Partition(run, n.partitions()), run, marker.After, marker.To, func(m streams.Stored) error {
			b, err := orbit.DecodeLogBatch(m.Data)
			if err != nil || b.Run != run || !p.Hears(b) { // only a foreign writer makes what cannot be read
				return nil
			}
			for i := range b.Records {
				out.Records = append(out.Records, b.Record(i))
			}
			return nil
		})
		if err != nil && !errors.Is(err, streams.ErrNoStream) {
			return orbit.Value{}, fmt.Errorf("%w: %w", errLedger, err)
		}
	}
	text, err := json.Marshal(out)
	if err != nil {
		return orbit.Value{}, err
	}
	o, err := orbit.ParseObject(text)
	return orbit.Value{Object: o}, err
}
