package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// Bounds of what is kept. Both are counted generously: the first from the end of a run, the second from its archive.
const (
	// MinArchiveAfter: a node does not look whether a run is closed for work that was stored within 10 minutes of its
	// acceptance, and clocks are within 5 minutes of each other.
	MinArchiveAfter = 15 * time.Minute
	// MinKeepRuns: what was accepted under a key, or for a tick, may be asked for again within days.
	MinKeepRuns = 7 * 24 * time.Hour

	DefaultArchiveAfter = 24 * time.Hour
	DefaultKeepRuns     = 30 * 24 * time.Hour
)

const (
	// archiveEvery is how often documents are looked at for runs that have become due.
	archiveEvery = time.Minute
	// archiveMany is how many runs are put away before their records are purged together.
	archiveMany = 256
	// purgeEvery is the time between two purges in one partition: each costs the server more than a thousand writes.
	purgeEvery = time.Second
)

// retention gives the times in force, or says which is too short.
func retention(after, keep time.Duration) (time.Duration, time.Duration, error) {
	if after == 0 {
		after = DefaultArchiveAfter
	}
	if keep == 0 {
		keep = DefaultKeepRuns
	}
	if after < MinArchiveAfter {
		return 0, 0, fmt.Errorf("archive-after is %s; a run is put away %s after its end at the earliest: make it longer", orbit.Duration(after), orbit.Duration(MinArchiveAfter))
	}
	if keep < MinKeepRuns {
		return 0, 0, fmt.Errorf("keep-runs is %s; runs are kept for %s at least: make it longer", orbit.Duration(keep), orbit.Duration(MinKeepRuns))
	}
	return after, keep, nil
}

// archivist puts away the runs of one partition that ended long ago, while this gateway leads it:
//
//	ended ─► closed ─► archive written ─► archive named ─► records purged ─► purged ┄(keep-runs)┄► forgotten
//
// Each arrow is a write of the run's document by compare-and-set, or is found again from the document, so it may break off
// anywhere, and two that do it at once do no harm. It stands beside the settler, which never folds a closed run.
type archivist struct {
	s *settler
	g *Gateway

	ended, kept, blobs oldest
	left               map[string]bool // runs that someone broke off in the middle of
	purgedAt           time.Time
}

// archive puts runs away until ctx ends.
func (s *settler) archive(ctx context.Context) {
	runs := s.g.store.Runs
	a := &archivist{s: s, g: s.g, ended: oldest{stream: runs.Stream(), filter: runs.Keys(), at: 1}, kept: oldest{stream: runs.Stream(), filter: runs.Keys(), at: 1},
		blobs: oldest{stream: kv.BlobsStream, filter: kv.BlobSubjects, at: 1}}
	for wait := time.Duration(0); ; wait = archiveEvery {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		if err := a.pass(ctx); err != nil {
			if ctx.Err() != nil {
				return
			}
			s.g.log.Warn().Err(err).Int("partition", s.p).Msg("ended runs are not put away; trying again")
		}
	}
}

// pass does all that is due.
func (a *archivist) pass(ctx context.Context) error {
	if a.left == nil {
		if err := a.findLeft(ctx); err != nil {
			return err
		}
	}
	for id := range a.left {
		if err := a.putAway(ctx, []string{id}); err != nil {
			return err
		}
		if err := a.forget(ctx, id, true); err != nil {
			return err
		}
		delete(a.left, id)
	}
	for _, id := range a.s.takeLate() {
		if err := a.purgeLate(ctx, id); err != nil {
			a.s.appeared(id)
			return err
		}
	}
	for {
		due, err := a.dueRuns(ctx)
		if err != nil {
			return err
		}
		if err := a.putAway(ctx, due); err != nil {
			return err
		}
		if a.ended.move(); len(due) < archiveMany {
			break
		}
	}
	if err := a.forgetOld(ctx); err != nil {
		return err
	}
	return a.sweepBlobs(ctx)
}

// findLeft looks for runs that were closed or forgotten in part: their documents were written lately, so they are not due.
func (a *archivist) findLeft(ctx context.Context) error {
	left := map[string]bool{}
	runs := a.g.store.Runs
	err := streams.ReadAll(ctx, a.g.opts.Conn, runs.Stream(), runs.Keys(), 1, func(m streams.Stored) error {
		if doc := a.mine(m); doc != nil && (doc.Closed && !doc.Purged || doc.Forgotten) {
			left[doc.ID] = true
		}
		return nil
	})
	if err == nil {
		a.left = left
	}
	return err
}

// mine reads a run's document off its bucket: nil where it is none of this partition.
func (a *archivist) mine(m streams.Stored) *kv.Run {
	if len(m.Data) == 0 || streams.Partition(a.g.store.Runs.Key(m.Subject), a.g.topology.Partitions) != a.s.p {
		return nil
	}
	doc, err := decodeRun(m.Data)
	if err != nil {
		return nil // unreadable: not ours to judge
	}
	return doc
}

// dueRuns gives the next runs that ended long enough ago.
func (a *archivist) dueRuns(ctx context.Context) (due []string, err error) {
	err = a.ended.look(ctx, a.g.opts.Conn, a.g.opts.ArchiveAfter, func(m streams.Stored) error {
		doc := a.mine(m)
		if doc == nil || !doc.State.Terminal() || doc.Purged {
			return nil
		}
		if ago(doc) < a.g.opts.ArchiveAfter || len(due) >= archiveMany {
			return errEnough
		}
		due = append(due, doc.ID)
		return nil
	})
	return due, err
}

// ago is how long ago a run ended.
func ago(doc *kv.Run) time.Duration {
	if doc.FinishedAt == nil {
		return 0
	}
	return time.Since(*doc.FinishedAt)
}

// putAway closes runs, writes their archives and purges what they have in the streams.
func (a *archivist) putAway(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	ends, err := a.ends(ctx) // before any document is read: what comes later is not known to be garbage
	if err != nil {
		return err
	}
	docs := map[string]*kv.Run{}
	revs := map[string]uint64{}
	for _, id := range ids {
		doc, rev, err := a.close(ctx, id)
		if err != nil {
			return fmt.Errorf("put run %s away: %w", id, err)
		}
		if doc != nil {
			docs[id], revs[id] = doc, rev
		}
	}
	if len(docs) == 0 {
		return nil
	}
	if err := a.purgePrefix(ctx, docs, ends); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(docs)) {
		if err := a.empty(ctx, docs[id], revs[id], ends); err != nil {
			return fmt.Errorf("put run %s away: %w", id, err)
		}
	}
	a.g.log.Debug().Int("partition", a.s.p).Int("runs", len(docs)).Msg("ended runs put away")
	return nil
}

// ends gives the last sequences of the streams of the partition.
func (a *archivist) ends(ctx context.Context) (map[string]uint64, error) {
	ends := map[string]uint64{}
	for _, name := range []string{streams.StreamName(a.s.p), streams.LaterStream} {
		last, err := streams.LastSequence(ctx, a.g.js, name)
		if err != nil {
			return nil, err
		}
		ends[name] = last
	}
	return ends, nil
}

// close brings a run to where it may be purged: closed, and its archive named. nil: it has ended no more, or all is done.
func (a *archivist) close(ctx context.Context, id string) (*kv.Run, uint64, error) {
	for range 10 {
		doc, rev, err := a.g.store.Runs.Get(ctx, id)
		if errors.Is(err, kv.ErrNotFound) {
			return nil, 0, nil
		}
		if err != nil {
			return nil, 0, err
		}
		if doc.Purged || !doc.State.Terminal() || !doc.Closed && ago(doc) < a.g.opts.ArchiveAfter {
			return nil, 0, nil
		}
		point := ""
		switch {
		case !doc.Closed:
			// Dying after this: the run is closed and everything of it is there. Whoever leads next finds it (findLeft).
			doc.Closed = true
			point = "archive.closed"
		case doc.Archive == nil:
			// Dying before it is named: the same records make the same blobs again.
			if doc.Archive, err = a.write(ctx, id); err != nil {
				return nil, 0, err
			}
			if err := a.g.opts.Faults.Point(ctx, "archive.written"); err != nil {
				return nil, 0, err
			}
			// Dying after this: the records lie in both places, and readers take the archive.
			point = "archive.named"
		default:
			return doc, rev, nil
		}
		if _, err = a.g.store.Runs.Update(ctx, id, doc, rev); err != nil && !errors.Is(err, kv.ErrConflict) {
			return nil, 0, err
		}
		if err := a.g.opts.Faults.Point(ctx, point); err != nil {
			return nil, 0, err
		}
	}
	return nil, 0, fmt.Errorf("its document keeps changing: %w", kv.ErrConflict)
}

// write writes the archive of a closed run: every record it has.
func (a *archivist) write(ctx context.Context, id string) (*kv.Archive, error) {
	stream, filter := streams.StreamName(a.s.p), streams.RecordsOf(a.s.p, id)
	w := a.g.store.Blobs.Of(id).NewArchive()
	from := uint64(1)
	for {
		err := streams.ReadAll(ctx, a.g.opts.Conn, stream, filter, from, func(m streams.Stored) error {
			from = m.Seq + 1
			return w.Add(ctx, kv.Entry{Seq: m.Seq, Time: m.Time, Key: m.Subject[strings.LastIndexByte(m.Subject, '.')+1:], Data: m.Data})
		})
		if err != nil {
			return nil, err
		}
		// The leader of the stream has the last word: what was read may come from a replica that lags.
		last, err := streams.Last(ctx, a.g.opts.Conn, stream, filter)
		if errors.Is(err, streams.ErrNotFound) || err == nil && last.Seq < from {
			return w.Close(ctx)
		}
		if err != nil {
			return nil, err
		}
		if err := pause(ctx, time.Second); err != nil {
			return nil, err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
