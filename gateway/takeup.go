package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/exospherehost/orbit/streams"
)

const (
	// takersUp read checkpoints at the same time: one after the other, those of twenty thousand runs take many seconds.
	takersUp = 64
	// youngSpan bounds the part of the stream that a new leader reads for the runs without a checkpoint, in messages; where it is
	// longer, each of them is read for itself.
	youngSpan = 500_000
)

// takeUp brings runs to where the partition's checkpoint is, s.last: from their own checkpoints, or from their records. No record up to
// there of a run that never had one lies before from (0: that is not known). created and last are of the partition's stream.
func (s *settler) takeUp(ctx context.Context, runs []*openRun, created time.Time, from, last uint64) error {
	ok, errs := make([]bool, len(runs)), make([]error, min(takersUp, len(runs)))
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for i := w; i < len(runs) && errs[w] == nil; i += takersUp {
				ok[i], errs[w] = s.restore(ctx, runs[i], created, last)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if s.last == 0 { // the whole ledger is about to be folded
		return nil
	}
	together := from > 0 && s.last < from+youngSpan
	young := map[string]bool{}
	for i, or := range runs {
		switch {
		case ok[i]:
		case together && or.checkpoint.rev == 0 && !or.anew:
			young[or.doc.ID] = true
			s.begin(or)
		default:
			var todo effects
			if err := s.refold(ctx, or, s.last+1, &todo); err != nil {
				return err
			}
			if err := s.effect(ctx, &todo); err != nil {
				return err
			}
		}
	}
	if len(young) == 0 || from > s.last {
		return nil
	}
	var todo effects
	err := streams.ReadAll(ctx, s.g.opts.Conn, streams.StreamName(s.p), streams.RecordsOf(s.p, ">"), from, func(m streams.Stored) error {
		switch {
		case m.Seq > s.last:
			return errTakenUp
		case young[runOf(m.Subject)]:
			return s.foldStored(ctx, m, &todo)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errTakenUp) {
		return err
	}
	return s.effect(ctx, &todo)
}

var errTakenUp = errors.New("the runs are as far as the partition's checkpoint")
