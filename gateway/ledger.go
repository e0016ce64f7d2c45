package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// trustDocument is how long a run's document is believed not to be archived: no run is within 15 minutes of its end, and
// clocks are within 5 minutes of each other.
const trustDocument = 10 * time.Minute

// ledgerPatience is how long a replica that lags may take to get on.
const ledgerPatience = 10 * time.Second

// ledger reads the records of one run, wherever they lie: in their stream or, once the run is closed, in its archive. A
// record has the same sequence in both. It is for one goroutine.
type ledger struct {
	g       *Gateway
	doc     *kv.Run
	read    time.Time // when doc was read
	archive *kv.ArchiveReader
}

// ledger reads the records of the run whose document was read just now.
func (g *Gateway) ledger(doc *kv.Run) *ledger { return &ledger{g: g, doc: doc, read: time.Now()} }

// each calls f for every record from a sequence on, in the order of the ledger. How far they go the leader of the stream says: a
// replica that lags gives fewer, and is asked again.
func (l *ledger) each(ctx context.Context, from uint64, f func(streams.Stored) error) error {
	p := streams.Partition(l.doc.ID, l.g.topology.Partitions)
	came := time.Now() // when a record last did
	for l.doc.Archive == nil && !l.doc.Forgotten {
		last, err := streams.Last(ctx, l.g.opts.Conn, streams.StreamName(p), streams.RecordsOf(p, l.doc.ID))
		if err != nil && !errors.Is(err, streams.ErrNotFound) {
			return err
		}
		none := err != nil || last.Seq < from
		var batch []streams.Stored
		_, err = streams.ReadBatch(ctx, l.g.opts.Conn, streams.StreamName(p), streams.RecordsOf(p, l.doc.ID), from, foldBatch, func(m streams.Stored) error {
			batch = append(batch, m)
			return nil
		})
		if err != nil {
			return err
		}
		// Records are purged only after the document has named the archive: if it does not do so now, what was read is whole.
		if err := l.look(ctx); err != nil {
			return err
		}
		if l.doc.Archive != nil || l.doc.Forgotten {
			break
		}
		for _, m := range batch {
			if err := f(m); err != nil {
				return err
			}
			from = m.Seq + 1
		}
		if len(batch) > 0 {
			came = time.Now()
		}
		if none || from > last.Seq {
			return nil
		}
		if time.Since(came) > ledgerPatience {
			return fmt.Errorf("read the records of run %s: what was asked for does not come: %w", l.doc.ID, streams.ErrUnknown)
		}
		if len(batch) == 0 {
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return err
			}
		}
	}
	r, err := l.open(ctx)
	if err != nil {
		return err
	}
	return r.Each(ctx, from, func(e kv.Entry) error { return f(l.stored(e)) })
}

// record reads the record of a bundle; streams.ErrNotFound where there is none.
func (l *ledger) record(ctx context.Context, bundle string) (streams.Stored, error) {
	if l.doc.Archive == nil && !l.doc.Forgotten {
		s, err := streams.LastRecord(ctx, l.g.opts.Conn, streams.Partition(l.doc.ID, l.g.topology.Partitions), l.doc.ID, bundle)
		if !errors.Is(err, streams.ErrNotFound) {
			return s, err
		}
		if err := l.look(ctx); err != nil {
			return s, err
		}
		if l.doc.Archive == nil && !l.doc.Forgotten {
			return s, streams.ErrNotFound
		}
	}
	r, err := l.open(ctx)
	if err != nil {
		return streams.Stored{}, err
	}
	e, err := r.Get(ctx, bundle)
	if errors.Is(err, kv.ErrNotFound) {
		return streams.Stored{}, streams.ErrNotFound
	}
	return l.stored(e), err
}

// records reads those of several bundles; streams.ErrNotFound where one has none.
func (l *ledger) records(ctx context.Context, bundles []string) ([]streams.Stored, error) {
	if l.doc.Archive == nil && !l.doc.Forgotten {
		found, err := streams.ReadRecords(ctx, l.g.opts.Conn, streams.Partition(l.doc.ID, l.g.topology.Partitions), l.doc.ID, bundles)
		if !errors.Is(err, streams.ErrNotFound) {
			return found, err
		}
	}
	out := make([]streams.Stored, len(bundles))
	for i, b := range bundles {
		var err error
		if out[i], err = l.record(ctx, b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// look reads the document again, where the run may have been archived since.
func (l *ledger) look(ctx context.Context) error {
	old := time.Since(l.read) > trustDocument
	if l.doc.State.Terminal() && l.doc.FinishedAt != nil && time.Since(*l.doc.FinishedAt) > trustDocument {
		old = true
	}
	if !old {
		return nil
	}
	at := time.Now()
	doc, err := l.g.readRun(ctx, l.doc.ID)
	if err != nil {
		return err
	}
	l.doc, l.read = doc, at
	return nil
}

func (l *ledger) open(ctx context.Context) (*kv.ArchiveReader, error) {
	if l.doc.Forgotten {
		return nil, forgotten(l.doc)
	}
	if l.archive == nil {
		r, err := l.g.store.Blobs.OpenArchive(ctx, l.doc.Archive)
		if err != nil {
			return nil, err
		}
		l.archive = r
	}
	return l.archive, nil
}

func (l *ledger) stored(e kv.Entry) streams.Stored {
	p := streams.Partition(l.doc.ID, l.g.topology.Partitions)
	return streams.Stored{Seq: e.Seq, Subject: streams.RecordSubject(p, l.doc.ID, e.Key), Time: e.Time, Data: e.Data}
}
