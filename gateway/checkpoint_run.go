package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/exospherehost/orbit/kv"
)

const (
	// maxCheckpoint is the size from which what a run adds up to lies packed in the blob store: a run with very many open joins
	// is past what a message may hold.
	maxCheckpoint = 256 << 10
	// maxState bounds it unpacked: some ten million open joins.
	maxState = 1 << 30
	// checkpointShare of a leader's time may go into checkpoints, one part in so many: what takes long is saved less often.
	checkpointShare = 20
)

// errStale says that another gateway leads the partition since.
var errStale = errors.New("a checkpoint of a later leader is there")

// checkpointOf is the checkpoint of a run as it is now; mu is held.
func (or *openRun) checkpointOf(base checkpointDoc) checkpointDoc {
	doc := base
	doc.Last, doc.Round, doc.Plan, doc.Tally, doc.Reason = or.folded, or.doc.Round, or.doc.Plan, or.tally.Clone(), or.reason
	for step, l := range or.limits {
		if doc.Limits == nil {
			doc.Limits = map[string]stepLimit{}
		}
		kept := *l
		kept.Queue, kept.ahead = slices.Clone(l.Queue), nil
		doc.Limits[step] = kept
	}
	return doc
}

// saveRun writes the checkpoint of a run, by CAS: a leader that is stale must not put an older one in the place of its
// successor's, for the partition's checkpoint says that all before it is in the runs'.
func (s *settler) saveRun(ctx context.Context, or *openRun, doc checkpointDoc) error {
	id := or.doc.ID
	text, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("encode the checkpoint of run %s: %w", id, err)
	}
	if len(text) > maxCheckpoint {
		// Dying after this: a blob that nothing names; it is swept when the run is forgotten.
		if doc.Blob, err = s.g.store.Blobs.Of(id).Put(ctx, kv.Pack(text)); err != nil {
			return err
		}
		doc.Tally, doc.Limits = nil, nil
	}
	// Dying after this: the run is ahead of the partition, and skips what it has. The blob before is swept like the other.
	rev, err := s.putRun(ctx, id, &doc, or.checkpoint.rev)
	if err != nil {
		return err
	}
	before := or.checkpoint.blob
	s.mu.Lock()
	or.saved, or.checkpoint = doc.Last, savedAs{rev, doc.Blob}
	s.mu.Unlock()
	if before != "" && before != doc.Blob {
		return s.g.store.Blobs.Remove(ctx, before)
	}
	return nil
}

// putRun stores it at a revision; where that is not the last one, a former leader was late, or a later one is there.
func (s *settler) putRun(ctx context.Context, id string, doc *checkpointDoc, rev uint64) (uint64, error) {
	key := runCheckpoint(id)
	write := func() (uint64, error) {
		if rev == 0 {
			return s.checkpoints().Create(ctx, key, doc)
		}
		return s.checkpoints().Update(ctx, key, doc, rev)
	}
	next, err := write()
	if !errors.Is(err, kv.ErrConflict) {
		return next, err
	}
	there, at, err := s.checkpoints().Get(ctx, key)
	switch {
	case errors.Is(err, kv.ErrNotFound):
		rev = 0
	case err != nil:
		return 0, err
	case there.Epoch > doc.Epoch:
		return 0, errStale
	default:
		rev = at
	}
	return write()
}

// savedAs is where the checkpoint of a run lies.
type savedAs struct {
	rev  uint64
	blob string
}

// restore takes a run's state from its checkpoint; not ok where there is none that speaks of this stream and round.
func (s *settler) restore(ctx context.Context, or *openRun, created time.Time, last uint64) (ok bool, err error) {
	cp, rev, err := s.checkpoints().Get(ctx, runCheckpoint(or.doc.ID))
	if errors.Is(err, kv.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	at := savedAs{rev, cp.Blob}
	if cp.Blob != "" {
		packed, err := s.g.store.Blobs.Get(ctx, cp.Blob)
		if err != nil && !errors.Is(err, kv.ErrNotFound) {
			return false, err
		}
		cp = &checkpointDoc{}
		if text, err := kv.Unpack(packed, maxState); err == nil && json.Unmarshal(text, cp) != nil {
			cp = &checkpointDoc{} // damaged: it is only a cache
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	or.checkpoint = at
	if cp.Tally == nil || cp.Plan != or.doc.Plan || cp.Round != or.doc.Round || !cp.Created.Equal(created) || cp.Last > last {
		return false, nil
	}
	or.tally, or.folded, or.saved, or.reason, or.anew = cp.Tally, cp.Last, cp.Last, cp.Reason, false
	for step, l := range cp.Limits {
		if or.limits == nil {
			or.limits = map[string]*stepLimit{}
		}
		or.limits[step] = &l
	}
	return true, nil
}

// forgetCheckpoint removes the checkpoint of a run that has ended. Left behind, it is a cache entry that nothing reads.
func (s *settler) forgetCheckpoint(ctx context.Context, run string, at savedAs) {
	err := s.checkpoints().Erase(ctx, runCheckpoint(run), at.rev)
	if err == nil && at.blob != "" {
		err = s.g.store.Blobs.Remove(ctx, at.blob)
	}
	if err != nil {
		s.g.log.Debug().Err(err).Str("run", run).Msg("checkpoint not removed")
	}
}
