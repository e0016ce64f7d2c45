package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// checkpointEvery is how often folded state is saved. Saving more often makes takeover shorter and running dearer.
const checkpointEvery = 2 * time.Second

// DefaultCheckpointFrom is the number of records from which a run gets a checkpoint of its own, if it does not become older than
// youngFor before. Short runs end without one, which is dearer to write and to remove than their records are to read again: a leader
// that takes over folds such runs anew (takeUp).
const (
	DefaultCheckpointFrom = 32
	youngFor              = 10 * time.Second
)

// checkpointDoc is saved state: of a partition, or of one open run. It is a cache. Thrown away, everything is folded anew.
type checkpointDoc struct {
	Created time.Time            `json:"created"`        // of the stream; another one means another stream
	Last    uint64               `json:"last"`           // sequence of the last folded record
	Subject string               `json:"subject"`        // of that record
	Time    time.Time            `json:"time"`           // of that record
	From    uint64               `json:"from,omitempty"` // of a partition: no record up to Last of a run without a checkpoint lies before it
	Epoch   uint64               `json:"epoch"`          // of the lease it was written under
	Round   int                  `json:"round,omitempty"`
	Plan    string               `json:"plan,omitempty"`
	Tally   *cluster.Tally       `json:"tally,omitempty"`
	Reason  string               `json:"reason,omitempty"`
	Limits  map[string]stepLimit `json:"limits,omitempty"`
	Blob    string               `json:"blob,omitempty"` // of a run: where the whole of this lies packed, if it is long
}

func (s *settler) checkpoints() *kv.Bucket[checkpointDoc] {
	return kv.Open[checkpointDoc](s.g.opts.Conn, s.g.js, kv.CheckpointsBucket)
}

func partitionCheckpoint(p int) string { return fmt.Sprintf("p%d", p) }
func runCheckpoint(run string) string  { return "run." + run }

// load takes the state from documents and checkpoints, then looks at every run: released, ended, never launched?
func (s *settler) load(ctx context.Context) error {
	info, err := s.g.js.Stream(ctx, streams.StreamName(s.p))
	if err != nil {
		return fmt.Errorf("open the stream of partition %d: %w", s.p, err)
	}
	created, last := info.CachedInfo().Created, info.CachedInfo().State.LastSeq
	from := uint64(0)
	if cp, _, err := s.checkpoints().Get(ctx, partitionCheckpoint(s.p)); err == nil && s.valid(ctx, cp, created, last) {
		s.last, s.checkpointed, from = cp.Last, cp.Last, cp.From
	} else if err != nil && !errors.Is(err, kv.ErrNotFound) {
		return err
	}
	s.feed.open(s.last + 1)
	s.docs.open(1)
	if err := s.lookForRuns(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	open := make([]*openRun, 0, len(s.runs))
	for _, or := range s.runs {
		or.inherited = true
		open = append(open, or)
	}
	s.mu.Unlock()
	if err := s.takeUp(ctx, open, created, from, last); err != nil {
		return err
	}
	if err := s.catchUp(ctx); err != nil {
		return err
	}
	return s.endRuns(ctx, open)
}

// valid tells whether a checkpoint speaks of this stream as it is.
func (s *settler) valid(ctx context.Context, cp *checkpointDoc, created time.Time, last uint64) bool {
	if !cp.Created.Equal(created) || cp.Last > last {
		return false
	}
	found := false
	_, err := streams.ReadBatch(ctx, s.g.opts.Conn, streams.StreamName(s.p), streams.RecordsOf(s.p, ">"), cp.Last, 1, func(m streams.Stored) error {
		found = m.Seq == cp.Last && m.Subject == cp.Subject && m.Time.Equal(cp.Time)
		return nil
	})
	return err == nil && found
}

// lookForRuns reads the run documents that changed since the last look, and takes up the open ones of this partition.
// This is how a leader learns of runs that another gateway accepted.
func (s *settler) lookForRuns(ctx context.Context) error {
	b := s.g.store.Runs
	s.mu.Lock()
	ended := s.ended
	s.ended = map[string]bool{}
	s.mu.Unlock()
	return streams.ReadAll(ctx, s.g.opts.Conn, b.Stream(), b.Keys(), s.docs.at(1), func(m streams.Stored) error {
		s.docs.skip(m.Seq + 1)
		id := b.Key(m.Subject)
		if streams.Partition(id, s.g.topology.Partitions) != s.p || len(m.Data) == 0 {
			return nil
		}
		s.mu.Lock()
		or := s.runs[id]
		s.mu.Unlock()
		if ended[id] || or != nil && or.rev >= m.Seq {
			return nil
		}
		doc, err := decodeRun(m.Data)
		if err != nil {
			return nil // not ours to judge
		}
		if doc.State.Terminal() {
			s.g.triggers.ended(doc) // who ended it may have died before it told
			return nil
		}
		p, err := s.g.plans.get(ctx, doc.Plan)
		if err != nil {
			s.g.log.Error().Err(err).Str("run", id).Msg("the plan of an open run cannot be read")
			return nil
		}
		s.adopt(doc, m.Seq, p)
		return nil
	})
}

// save writes the checkpoint. It is called when every effect of the records up to s.last has its answer; that order is
// what makes it safe to begin from it.
func (s *settler) save(ctx context.Context) error {
	info, err := s.g.js.Stream(ctx, streams.StreamName(s.p))
	if err != nil {
		return err
	}
	last, err := streams.At(ctx, s.g.opts.Conn, streams.StreamName(s.p), s.last)
	if errors.Is(err, streams.ErrNotFound) { // purged since: a checkpoint that names it would be worth nothing
		return nil
	} else if err != nil {
		return err
	}
	base := checkpointDoc{Created: info.CachedInfo().Created, Last: s.last, From: s.last + 1, Subject: last.Subject, Time: last.Time, Epoch: s.epoch}
	type entry struct {
		or  *openRun
		doc checkpointDoc
	}
	var dirty []entry
	s.mu.Lock()
	now := time.Now()
	for _, or := range s.runs {
		switch {
		case or.folded <= or.saved || or.ended && or.checkpoint.rev > 0:
		case or.checkpoint.rev == 0 && (or.ended || or.records < s.g.opts.CheckpointFrom && now.Sub(or.begun) < youngFor):
			base.From = min(base.From, or.first)
		default:
			dirty = append(dirty, entry{or, or.checkpointOf(base)})
		}
	}
	s.mu.Unlock()
	// Runs first, partition last: dying in between leaves runs that are ahead of the partition, which skip what they have.
	for _, e := range dirty {
		if err := s.saveRun(ctx, e.or, e.doc); err != nil {
			return err
		}
	}
	if err := s.g.opts.Faults.Point(ctx, "checkpoint.runs"); err != nil {
		return err
	}
	// Not by CAS: of a stale leader it is an older one, from which more is read than need be.
	if _, err := s.checkpoints().Put(ctx, partitionCheckpoint(s.p), &base); err != nil {
		return err
	}
	s.checkpointed = s.last
	return s.g.opts.Faults.Point(ctx, "checkpoint.saved")
}

// leave saves once more, so that the next leader has little to fold.
func (s *settler) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if s.last != s.checkpointed {
		if err := s.save(ctx); err != nil {
			s.g.log.Debug().Err(err).Msg("checkpoint")
		}
	}
}
