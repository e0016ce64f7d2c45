package gateway

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// late is what the settler tells the archivist.
type late struct {
	runs map[string]bool // closed or unknown runs of which something appeared
}

// purgePrefix purges what the ledger begins with, as far as it is of the given runs, which are archived: many runs for the
// price of one. What is not of them is never touched.
func (a *archivist) purgePrefix(ctx context.Context, docs map[string]*kv.Run, ends map[string]uint64) error {
	stream, filter := streams.StreamName(a.s.p), streams.RecordsOf(a.s.p, ">")
	var through uint64
	err := streams.ReadAll(ctx, a.g.opts.Conn, stream, filter, 1, func(m streams.Stored) error {
		if docs[runOf(m.Subject)] == nil || m.Seq > ends[stream] {
			return errEnough
		}
		through = m.Seq
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if through == 0 {
		return nil
	}
	return a.purge(ctx, streams.Filter{Stream: stream, Subject: filter}, through)
}

// empty purges what an archived run still has, and notes that nothing is left.
func (a *archivist) empty(ctx context.Context, doc *kv.Run, rev uint64, ends map[string]uint64) error {
	if err := a.purgeRun(ctx, doc.ID, ends); err != nil {
		return err
	}
	if err := a.forgetSecrets(ctx, doc); err != nil {
		return err
	}
	// Dying here: everything is done again, to subjects that are empty.
	if err := a.g.opts.Faults.Point(ctx, "archive.purged"); err != nil {
		return err
	}
	doc.Purged = true
	if _, err := a.g.store.Runs.Update(ctx, doc.ID, doc, rev); err != nil && !errors.Is(err, kv.ErrConflict) { // lost: another leader is at it too
		return err
	}
	return a.g.opts.Faults.Point(ctx, "archive.done")
}

// purgeRun purges every subject under which a closed run has something.
func (a *archivist) purgeRun(ctx context.Context, id string, ends map[string]uint64) error {
	records := streams.Filter{Stream: streams.StreamName(a.s.p), Subject: streams.RecordsOf(a.s.p, id)}
	for _, f := range append(streams.OfRun(a.s.p, id), records) {
		_, err := streams.Last(ctx, a.g.opts.Conn, f.Stream, f.Subject) // looking is cheap, purging is not
		if errors.Is(err, streams.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if err := a.purge(ctx, f, ends[f.Stream]); err != nil {
			return err
		}
	}
	return nil
}

// purge purges once a second at most.
func (a *archivist) purge(ctx context.Context, f streams.Filter, through uint64) error {
	if err := pause(ctx, time.Until(a.purgedAt.Add(purgeEvery))); err != nil {
		return err
	}
	a.purgedAt = time.Now()
	return streams.PurgeThrough(ctx, a.g.js, f, through)
}

// purgeLate purges what appeared of a run that was put away before: a node that was gone for long committed a bundle. Nobody
// folds it, and nodes drop what follows from it.
func (a *archivist) purgeLate(ctx context.Context, id string) error {
	ends, err := a.ends(ctx)
	if err != nil {
		return err
	}
	doc, err := a.g.findRun(ctx, id)
	if errors.Is(err, kv.ErrNotFound) {
		return nil // absence proves nothing: another gateway may be launching it
	}
	if err != nil || !doc.Purged { // not purged: its time will come
		return err
	}
	return a.purgeRun(ctx, id, ends)
}

// appeared notes that something of a run was found that cannot be folded: the run is closed, or not there.
func (s *settler) appeared(run string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.late.runs == nil {
		s.late.runs = map[string]bool{}
	}
	s.late.runs[run] = true
}

func (s *settler) takeLate() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := slices.Sorted(maps.Keys(s.late.runs))
	s.late.runs = nil
	return ids
}
