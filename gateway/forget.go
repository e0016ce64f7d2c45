package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

const (
	// removeEvery is the time between two blobs that are removed.
	removeEvery = 50 * time.Millisecond
	// sweepAge is how long after the latest time at which its run may be forgotten a blob is looked at that nothing named.
	sweepAge = 14 * 24 * time.Hour
)

// forgetOld forgets the runs that were put away long enough ago.
func (a *archivist) forgetOld(ctx context.Context) error {
	var ids []string
	err := a.kept.look(ctx, a.g.opts.Conn, a.g.opts.KeepRuns, func(m streams.Stored) error {
		if len(ids) >= archiveMany {
			return errEnough
		}
		if doc := a.mine(m); doc != nil && doc.Purged {
			ids = append(ids, doc.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := a.forget(ctx, id, false); err != nil {
			return err
		}
	}
	a.kept.move()
	return nil
}

// forget removes the archive and the blobs of a run that was put away, and moves what is left of its document to the
// history, where it stays: a run's end is never forgotten, nor that its key was used. begun: only if that has begun already.
func (a *archivist) forget(ctx context.Context, id string, begun bool) error {
	doc, rev, err := a.g.store.Runs.Get(ctx, id)
	if errors.Is(err, kv.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("forget run %s: %w", id, err)
	}
	if !doc.Purged || !doc.Forgotten && (begun || ago(doc) < a.g.opts.KeepRuns) {
		return nil
	}
	if !doc.Forgotten {
		doc.Forgotten = true
		// Dying from here on: the document says what is going on, and whoever leads next goes on with it (findLeft).
		if rev, err = a.g.store.Runs.Update(ctx, id, doc, rev); errors.Is(err, kv.ErrConflict) {
			return nil // another leader is at it
		} else if err != nil {
			return fmt.Errorf("forget run %s: %w", id, err)
		}
		if err := a.g.opts.Faults.Point(ctx, "forget.begun"); err != nil {
			return err
		}
	}
	// In the history before the blobs go: it is the proof that the blobs of the run are garbage.
	left := historyOf(doc)
	if _, err := a.g.store.History.Put(ctx, id, left); err != nil { // whoever writes it writes the same
		return fmt.Errorf("forget run %s: %w", id, err)
	}
	if err := a.g.opts.Faults.Point(ctx, "forget.kept"); err != nil {
		return err
	}
	if err := a.removeBlobs(ctx, doc); err != nil {
		return fmt.Errorf("forget run %s: %w", id, err)
	}
	if err := a.g.opts.Faults.Point(ctx, "forget.removed"); err != nil {
		return err
	}
	if err := a.g.store.Runs.Erase(ctx, id, rev); err != nil {
		return fmt.Errorf("forget run %s: %w", id, err)
	}
	return a.g.opts.Faults.Point(ctx, "forget.done")
}

// historyOf is what is left of a run: all that its document says but its payload and where its records were.
func historyOf(doc *kv.Run) *kv.Run {
	left := *doc
	left.Trigger.Payload, left.Payload, left.Archive, left.Secrets = nil, nil, nil, false
	return &left
}

// removeBlobs removes every blob that the records of a run name, its payload, and then its archive. All of them belong to
// this run: their names begin with it, so no other run names one.
func (a *archivist) removeBlobs(ctx context.Context, doc *kv.Run) error {
	remove := func(name string) error {
		if err := pause(ctx, removeEvery); err != nil {
			return err
		}
		return a.g.store.Blobs.Remove(ctx, name)
	}
	if doc.Payload != nil {
		if err := remove(doc.Payload.Blob); err != nil {
			return err
		}
	}
	r, err := a.g.store.Blobs.OpenArchive(ctx, doc.Archive)
	if errors.Is(err, kv.ErrNotFound) {
		return nil // its index is removed last
	}
	if err != nil {
		return err
	}
	err = r.Each(ctx, 0, func(e kv.Entry) error {
		rec, err := orbit.DecodeRecord(e.Data)
		if err != nil {
			return nil // it is swept with what nothing names
		}
		for _, chunk := range append(rec.Outputs.Chunks, rec.Kids.Chunks...) {
			if err := remove(chunk.Blob); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, kv.ErrNotFound) { // a piece may have gone before
		return err
	}
	for _, name := range append(r.Blobs(), doc.Archive.Blob) {
		if err := remove(name); err != nil {
			return err
		}
	}
	return nil
}

// sweepBlobs removes blobs that belong to forgotten runs and that no record named: of a bundle that two nodes ran, or of a
// node that died before it committed. That a run is in the history proves it; that a run is not there proves nothing.
func (a *archivist) sweepBlobs(ctx context.Context) error {
	var names []string
	err := a.blobs.look(ctx, a.g.opts.Conn, a.g.opts.ArchiveAfter+a.g.opts.KeepRuns+sweepAge, func(m streams.Stored) error {
		name, run := kv.BlobName(m.Subject)
		if !orbit.ValidID(run) || streams.Partition(run, a.g.topology.Partitions) != a.s.p {
			return nil
		}
		if _, _, err := a.g.store.Runs.Get(ctx, run); err == nil {
			return nil // it still has its time, and forgetting it removes what its records name
		} else if !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		if _, _, err := a.g.store.History.Get(ctx, run); errors.Is(err, kv.ErrNotFound) {
			return nil
		} else if err != nil {
			return err
		}
		names = append(names, name)
		return nil
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := a.g.store.Blobs.Remove(ctx, name); err != nil {
			return err
		}
	}
	a.blobs.move()
	return nil
}

// forgetSecrets erases the values that were sent with a run: nobody may ask for them any more.
func (a *archivist) forgetSecrets(ctx context.Context, doc *kv.Run) error {
	if !doc.Secrets {
		return nil
	}
	_, rev, err := a.g.store.Secrets.Get(ctx, runSecrets(doc.ID))
	if errors.Is(err, kv.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return a.g.store.Secrets.Erase(ctx, runSecrets(doc.ID), rev)
}

// findRun reads what there is of a run: its document, or what the history has kept of it.
func (g *Gateway) findRun(ctx context.Context, id string) (*kv.Run, error) {
	doc, _, err := g.store.Runs.Get(ctx, id)
	if errors.Is(err, kv.ErrNotFound) {
		doc, _, err = g.store.History.Get(ctx, id)
	}
	return doc, err
}

// forgotten refuses to show what is not there any more.
func forgotten(doc *kv.Run) error {
	return problem(http.StatusGone, "the items and outputs of run %s were kept for their time and are removed; what is left of it is what `orbit status %s` shows", doc.ID, doc.ID)
}
