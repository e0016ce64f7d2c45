package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

const (
	// pollEvery is how long a leader is told nothing until it looks at the ledger itself: hints may be lost.
	pollEvery = 250 * time.Millisecond
	// foldBatch is the number of records read at once.
	foldBatch = 1000
	// busyRecords within busyPause mean that the mesh is busy; then the next look waits for busyPause, for folding many
	// records at once costs less than one after the other. A run alone on the mesh makes far fewer and is not held up.
	busyRecords = 50
	busyPause   = 10 * time.Millisecond
	// docEvery is how often the document of a long run gets its counts.
	docEvery = 5 * time.Second
	// markAge is how long a run must be open for its document to say that it is running: most short runs never need it.
	markAge = 500 * time.Millisecond
	// marksAtOnce bounds the documents that come to say so four times a second.
	marksAtOnce = 128
	// pendingAge is how old a pending run must be before a leader completes its launch: its launcher may still be at it.
	pendingAge = 2 * time.Second
)

// settler leads one partition, while this gateway holds its lease: it folds the ledger into tallies, schedules retries and
// ends runs. Everything it does follows from a prefix of the ledger, so a second settler that does the same does no harm.
type settler struct {
	g       *Gateway
	p       int
	wake    chan struct{}
	feed    *feed // what is known of the stream without reading it
	permits permits
	docs    *feed // the same of the stream of run documents: which of them this gateway has written itself

	pulse pulse // for metrics

	cutters sync.WaitGroup // of cuts; they end with the lead
	cutting chan struct{}  // held by the cuts that are under way

	mu      sync.Mutex // guards runs and what is in them; run is the only writer of tallies
	runs    map[string]*openRun
	ended   map[string]bool // runs that ended here since the last look for runs
	leading bool            // guarded by mu; only a leader's tallies mean something
	late    late            // guarded by mu; for the archivist

	// owned by run
	lease        lease
	epoch        uint64 // of the lease
	last         uint64 // sequence of the last folded record
	checkpointed uint64
	times        struct {
		checkpoint, look, show, sweep time.Time
		saving                        time.Duration // what the last checkpoint took
	}
}

func newSettler(g *Gateway, p int) *settler {
	return &settler{g: g, p: p, wake: make(chan struct{}, 1), feed: &feed{}, docs: &feed{}, runs: map[string]*openRun{}, ended: map[string]bool{}, lease: lease{g: g, p: p}, cutting: make(chan struct{}, cutsAtOnce)}
}

// poke makes the settler look at the ledger soon.
func (s *settler) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run leads the partition whenever it can, until the gateway stops.
func (s *settler) run() {
	for s.g.ctx.Err() == nil {
		if !s.lease.wait(s.g.ctx) {
			return
		}
		s.g.log.Info().Int("partition", s.p).Msg("leading")
		ctx, stop := context.WithCancel(s.g.ctx)
		s.epoch = s.lease.doc.Epoch // from here on the lease is keep's
		var wg sync.WaitGroup
		wg.Go(func() { s.lease.keep(ctx, stop) })
		permits, err := s.g.opts.Conn.Subscribe(streams.PermitSubject(s.p), s.permit)
		if err != nil {
			s.g.log.Error().Err(err).Int("partition", s.p).Msg("attempts of steps with a rate-limit are not permitted")
			stop()
		}
		wg.Go(func() {
			if err := streams.ConsumeDue(ctx, s.g.js, s.p, s.publishDue); err != nil {
				s.g.log.Error().Err(err).Int("partition", s.p).Msg("due bundles are not published")
				stop()
			}
		})
		wg.Go(func() { s.archive(ctx) })
		if s.p == 0 { // who leads the first partition looks at the clock for all
			wg.Go(func() { s.g.triggers.keepTime(ctx) })
			wg.Go(func() { s.g.keepSecrets(ctx) })
		}
		err = s.lead(ctx)
		if err != nil && s.g.ctx.Err() == nil {
			s.g.log.Error().Err(err).Int("partition", s.p).Msg("stopped leading; trying again")
		}
		stop()
		if permits != nil {
			_ = permits.Unsubscribe()
		}
		wg.Wait()
		s.cutters.Wait()
		s.lease.release()
		s.reset()
		if err != nil { // what lasts is not tried without a rest, and another gateway gets the chance
			_ = pause(s.g.ctx, time.Second) // an error says that the gateway stops
		}
	}
}

func (s *settler) reset() {
	s.mu.Lock()
	clear(s.runs)
	clear(s.ended)
	s.leading = false
	s.mu.Unlock()
	s.feed.close()
	s.docs.close()
	s.last, s.checkpointed = 0, 0
}

// lead folds until ctx ends or something fails that only beginning anew can mend.
func (s *settler) lead(ctx context.Context) error {
	s.mu.Lock()
	s.leading = true
	s.mu.Unlock()
	if err := s.g.checkRestored(ctx); err != nil {
		return err
	}
	if err := s.load(ctx); err != nil {
		return err
	}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	var since time.Time             // when the records were counted from
	counted, looked := 0, uint64(0) // looked: where the feed was at the last tick
	for {
		n, err := s.foldTold(ctx)
		if before := s.last; err == nil && s.feed.stuck(time.Now()) {
			if _, err = s.read(ctx, s.feed.missing()); err == nil && s.last > before { // what was told of what follows can be folded now
				continue
			}
		}
		if err != nil {
			return err
		}
		if now := time.Now(); now.Sub(since) > busyPause {
			since, counted = now, 0
		}
		if counted += n; counted > busyRecords {
			counted = 0
			select {
			case <-time.After(busyPause):
			case <-ctx.Done():
			}
		}
		select {
		case <-s.wake:
		case <-s.feed.patience():
		case <-poll.C:
			if at := s.feed.at(0); at == looked { // nobody has told anything since; hints may be lost
				if err := s.catchUp(ctx); err != nil {
					return err
				}
			}
			looked = s.feed.at(0)
			if err := s.housekeeping(ctx); err != nil {
				return err
			}
		case <-ctx.Done():
			s.leave()
			return nil
		}
	}
}

// foldTold folds what nodes have told of the ledger, as far as it has no gap, and sees every effect of it through. It gives
// the number of records.
func (s *settler) foldTold(ctx context.Context) (int, error) {
	n := 0
	for {
		told := s.feed.take()
		if len(told) == 0 || ctx.Err() != nil {
			return n, nil
		}
		var todo effects
		for _, t := range told {
			if err := s.fold(ctx, t.head.Run, t.seq, t.head, nil, &todo); err != nil {
				return n, err
			}
			s.last = t.seq
		}
		n += len(told)
		if err := s.effect(ctx, &todo); err != nil {
			return n, err
		}
	}
}

// catchUp folds what the ledger has, and sees every effect of it through.
func (s *settler) catchUp(ctx context.Context) error {
	for {
		if more, err := s.read(ctx, foldBatch); err != nil || !more {
			return err
		}
	}
}

// read folds up to so many records that the ledger has from where the feed is, and sees every effect of them through.
func (s *settler) read(ctx context.Context, most int) (more bool, err error) {
	var todo effects
	more, err = streams.ReadBatch(ctx, s.g.opts.Conn, streams.StreamName(s.p), streams.RecordsOf(s.p, ">"), s.feed.at(s.last+1), most, func(m streams.Stored) error {
		if err := s.foldStored(ctx, m, &todo); err != nil {
			return err
		}
		s.last = m.Seq
		return nil
	})
	if ctx.Err() != nil {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s.feed.skip(s.last + 1)
	return more, s.effect(ctx, &todo)
}

// effects is what follows from records that were folded together.
type effects struct {
	touched []*openRun
	timed   []timed
	joins   map[string]release // by bundle
	batches []timed            // of the log
}

// effect does what follows from the records just folded.
func (s *settler) effect(ctx context.Context, todo *effects) error {
	if len(todo.touched) == 0 {
		return nil
	}
	if fault.Planted(fault.CheckpointFirst) {
		if err := s.save(ctx); err != nil {
			return err
		}
	}
	if err := s.g.opts.Faults.Point(ctx, "settle.folded"); err != nil {
		return err
	}
	if err := s.schedule(ctx, todo.timed); err != nil {
		return err
	}
	if err := s.g.opts.Faults.Point(ctx, "settle.scheduled"); err != nil {
		return err
	}
	if err := s.publishJoins(ctx, todo.joins); err != nil {
		return err
	}
	if err := s.publishBatches(ctx, todo.batches); err != nil {
		return err
	}
	if err := s.releaseLimited(ctx, todo.touched); err != nil {
		return err
	}
	s.cutLogs(ctx, todo.touched)
	return s.endRuns(ctx, todo.touched)
}

// foldStored folds a record as it lies in the ledger.
func (s *settler) foldStored(ctx context.Context, m streams.Stored, todo *effects) error {
	head, err := orbit.DecodeRecordHead(m.Data)
	if err != nil { // only a foreign writer makes such a thing; it must not stop the others
		s.g.log.Error().Err(err).Str("subject", m.Subject).Uint64("seq", m.Seq).Msg("a record that cannot be read; its run cannot end")
		return nil
	}
	return s.fold(ctx, runOf(m.Subject), m.Seq, head, m.Data, todo)
}

// fold adds one record to its run's tally and notes what follows from it. The record's head is enough, unless items of it
// failed, are to be tried again, or are counted by joins: then data is the whole record.
func (s *settler) fold(ctx context.Context, run string, seq uint64, rec *orbit.Record, data []byte, todo *effects) error {
	s.mu.Lock()
	or := s.runs[run]
	s.mu.Unlock()
	var err error
	if or == nil && rec.Step == orbit.RetryStep {
		if err := s.beginRound(ctx, run, seq, data); err != nil {
			return err
		}
	}
	if or == nil {
		if or, err = s.find(ctx, run); err != nil || or == nil {
			return err
		}
	}
	if seq <= or.folded || or.ended {
		return nil
	}
	if rec.Step == orbit.RetryStep {
		return s.reopen(ctx, or, seq, data, todo)
	}
	if rec.Step == orbit.LogsStep {
		return s.foldCut(ctx, or, seq, data, todo)
	}
	if rec.Counts.Retry > 0 || rec.Counts.Failed > 0 || or.plan.NeedsResults(rec.Step) {
		if rec, err = s.whole(ctx, seq, data); err != nil && !errors.Is(err, orbit.ErrFrame) {
			return err
		} else if err != nil {
			s.g.log.Error().Err(err).Str("run", run).Uint64("seq", seq).Msg("a record that cannot be read; its run cannot end")
			return nil
		}
	}
	follow, err := s.follow(ctx, or, rec)
	if damaged(err) { // it must not stop the others
		s.g.log.Error().Err(err).Str("run", run).Str("bundle", rec.Bundle).Msg("what a record names cannot be read; its run cannot end")
	} else if err != nil {
		return err
	}
	todo.timed = append(todo.timed, follow...)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range or.tally.Fold(or.plan, rec) {
		if r.Join.Limited() {
			or.hold(r)
		} else {
			todo.release(or, r)
		}
	}
	if fault.Planted(fault.JoinUncounted) {
		for _, b := range rec.Born {
			if step, ok := or.plan.Step(b.Step); ok && step.Join != nil {
				or.tally.Outstanding -= b.Items
			}
		}
	}
	delete(todo.joins, rec.Bundle) // released a moment ago, and committed already: this leader folds anew
	or.folded, or.progress = seq, time.Now()
	if or.records++; or.first == 0 {
		or.first, or.begun = seq, or.progress
	}
	if step, ok := or.plan.Step(rec.Step); ok && step.Part == cluster.Main && rec.Counts.Failed > 0 && or.reason == "" {
		for i := range rec.Results {
			if r := &rec.Results[i]; r.State == orbit.ItemFailed && r.Error != nil {
				or.reason = r.Error.Message
				break
			}
		}
	}
	todo.touched = append(todo.touched, or)
	return nil
}

// damaged tells whether what was to be read is damaged for good, or a blob of it is gone.
func damaged(err error) bool { return errors.Is(err, orbit.ErrFrame) || errors.Is(err, kv.ErrNotFound) }

// follow gives the bundles that a record names and the leader publishes at their time: retries, and what is delayed.
func (s *settler) follow(ctx context.Context, or *openRun, rec *orbit.Record) (out []timed, err error) {
	if rec.Counts.Retry > 0 {
		if out, err = s.retriesOf(ctx, or, rec); err != nil {
			return nil, err
		}
	}
	if or.plan.Holds(rec.Step) {
		delayed, err := s.delayed(ctx, or, rec)
		if err != nil {
			return nil, err
		}
		out = append(out, delayed...)
	}
	return out, nil
}

// whole reads a record whose results are needed. data is empty where whoever told of it thought that the head would do.
func (s *settler) whole(ctx context.Context, seq uint64, data []byte) (*orbit.Record, error) {
	if data == nil {
		m, err := streams.At(ctx, s.g.opts.Conn, streams.StreamName(s.p), seq)
		if err != nil {
			return nil, err
		}
		data = m.Data
	}
	return orbit.DecodeRecord(data)
}
