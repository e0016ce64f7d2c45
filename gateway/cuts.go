package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

const (
	// cutEvery is how often a running run hands what it has said since to its log steps.
	cutEvery = 10 * time.Second
	// cutRecords and cutBytes bound a batch of the log. A message of the log is not cut in two, so one alone may have more.
	cutRecords = 500
	cutBytes   = 256 << 10
	// cutPause is how long a cut waits that did not come to be.
	cutPause = time.Second
	// cutsAtOnce bounds the cuts of a partition that are under way.
	cutsAtOnce = 16
)

// cuts is where a run stands with the batches of its log.
//
//	everything but log steps has ended, or cutEvery is over ─► marker in the ledger ─► folded ─► one item of each first log step
//	                        ▲                                                                             │
//	                        └──────────────────────── the batch's items have ended ◄──────────────────────┘
//
// There is one batch at a time: so a log step gets what an item has said in its order, though a batch be tried again. Where a
// batch ends depends on the clock; it is decided by the CAS of its marker, and everything after that follows from the ledger.
// A run that is cancelled gets no last batch: nothing of it runs any more, its log steps neither.
type cuts struct {
	at   time.Time // of the last look at the log; cutEvery after it comes the next, unless everything else has ended
	wait time.Time // in no case before
	more bool      // a whole batch lay there already when the last was cut
	busy bool      // the next one is being cut, or its marker was not folded yet
}

// logged gives the runs that have log steps.
func (s *settler) logged() []*openRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*openRun
	for _, or := range s.runs {
		if or.plan.Logged() {
			out = append(out, or)
		}
	}
	return out
}

// cutLogs begins to cut the next batch of those runs for which it is time. It waits for nothing: a log stream that does not
// answer must not hold up other runs.
func (s *settler) cutLogs(ctx context.Context, runs []*openRun) {
	now := time.Now()
	for _, or := range runs {
		if !or.plan.Logged() {
			continue
		}
		s.mu.Lock()
		t := or.tally
		due := !or.ended && !or.anew && !or.cuts.busy && t.Round == or.doc.Round && !t.Logs.Last && !now.Before(or.cuts.wait) && t.LogsOpen(or.plan) == 0 &&
			(t.Outstanding == 0 || or.doc.State != orbit.RunPaused && (or.cuts.more || now.Sub(or.cuts.at) >= cutEvery))
		c := cut{s: s, or: or, run: or.doc.ID, over: t.Outstanding == 0, marker: orbit.LogMarker{Batch: t.Logs.Batches + 1, After: t.Logs.To, To: t.Logs.To}}
		or.cuts.busy = or.cuts.busy || due
		s.mu.Unlock()
		if due {
			s.cutters.Go(func() { c.do(ctx) })
		}
	}
}

// cut is one batch that is being cut.
type cut struct {
	s      *settler
	or     *openRun
	run    string
	over   bool // everything but log steps has ended
	full   bool // there is more than fits
	marker orbit.LogMarker
}

// do finds the end of the batch and writes its marker.
func (c *cut) do(ctx context.Context) {
	s := c.s
	select {
	case s.cutting <- struct{}{}:
		defer func() { <-s.cutting }()
	case <-ctx.Done():
		return // this leader's run is forgotten
	}
	some, err := c.measure(ctx)
	if err != nil || !some && !c.over {
		c.giveUp(ctx, err)
		return
	}
	c.marker.Last = c.over && !c.full
	s.mu.Lock()
	c.or.cuts.more, c.or.cuts.at = c.full, time.Now()
	s.mu.Unlock()
	rec := c.marker.Record(c.run, s.g.opts.Name, time.Now())
	ack, err := s.g.pub.Do(ctx, streams.RecordMessage(s.p, rec, rec.Encode()))
	switch {
	case errors.Is(err, streams.ErrExists): // another leader cut it; its marker is folded at the next look
	case err != nil: // stored or not: the next try finds out, for there is one marker of each batch
		c.giveUp(ctx, err)
		return
	default:
		// Dying after this: whoever leads next folds the marker and goes on from there.
		if s.g.opts.Faults.Point(ctx, "logs.cut") != nil {
			return
		}
		s.feed.tell(streams.Told{Seq: ack.Seq, Record: true})
	}
	s.poke()
}

// measure reads the log from where the batch before ends to where this one does. What log steps say is left out, or there
// would be no end to it. some tells whether anything is in the batch.
//
// The log of an item is stored before the item is committed, so all of it is there once everything has ended. What a node
// could not store by then, as while the log stream was away, comes too late for the log steps, and `orbit logs` shows it.
func (c *cut) measure(ctx context.Context) (some bool, err error) {
	records, size := 0, 0
	err = streams.ReadLog(ctx, c.s.g.opts.Conn, c.s.p, c.run, c.marker.After, 0, func(m streams.Stored) error {
		if n := spoken(c.or.plan, m); n > 0 {
			if records > 0 && (records+n > cutRecords || size+len(m.Data) > cutBytes) {
				c.full = true
				return errPageFull
			}
			records, size = records+n, size+len(m.Data)
		}
		c.marker.To = m.Seq
		return nil
	})
	if errors.Is(err, errPageFull) || errors.Is(err, streams.ErrNoStream) { // without a log there is nothing to hand on
		err = nil
	}
	return records > 0, err
}

// spoken is the number of records in a message of the log that log steps get.
func spoken(p *cluster.Plan, m streams.Stored) int {
	if b, err := orbit.DecodeLogBatch(m.Data); err == nil && p.Hears(b) {
		return len(b.Records)
	}
	return 0
}

// giveUp leaves a cut to a later try.
func (c *cut) giveUp(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		c.s.g.log.Warn().Err(err).Str("run", c.run).Msg("no batch of the log for its log steps; trying again")
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.or.cuts.busy = false
	if now := time.Now(); err != nil {
		c.or.cuts.wait = now.Add(cutPause)
	} else {
		c.or.cuts.at, c.or.cuts.more = now, false
	}
}

// foldCut folds the marker of a batch.
func (s *settler) foldCut(ctx context.Context, or *openRun, seq uint64, data []byte, todo *effects) error {
	rec, err := s.whole(ctx, seq, data)
	var marker orbit.LogMarker
	if err == nil {
		marker, err = rec.LogMarker()
	}
	if err != nil && !errors.Is(err, orbit.ErrFrame) {
		return err
	}
	if err != nil { // only a foreign writer makes such a thing; it must not stop the others
		s.g.log.Error().Err(err).Str("run", or.doc.ID).Uint64("seq", seq).Msg("a record that cannot be read; its run cannot end")
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	or.tally.Cut(or.plan, marker)
	for _, first := range or.plan.LogFirsts() {
		it := heldItem{Lineage: marker.Lineage(), Parent: or.doc.ID}
		if first.Limited() {
			l := or.limitOf(first.Identifier)
			l.Queue = append(l.Queue, it)
		} else {
			todo.batches = append(todo.batches, s.unnamedNow(or, first, it))
		}
	}
	or.folded, or.cuts.busy = seq, false
	todo.touched = append(todo.touched, or)
	return nil
}

// publishBatches puts batches of the log into the queues of the first log steps. They bring no records: the node that does one
// reads them from the log.
func (s *settler) publishBatches(ctx context.Context, batches []timed) error {
	if len(batches) == 0 {
		return nil
	}
	// Dying before the answers: the checkpoint is older than the markers, so the next leader folds them again and publishes
	// the same bundles under the same ids.
	if err := s.schedule(ctx, batches); err != nil {
		return err
	}
	return s.g.opts.Faults.Point(ctx, "logs.published")
}
