package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

const (
	// pollEvery is how often a leader looks at the ledger without being told: hints may be lost.
	pollEvery = 250 * time.Millisecond
	// foldBatch is the number of records read at once.
	foldBatch = 1000
	// busyBatch records in one look mean that the mesh is busy; then the next look can wait for busyPause, for reading many
	// records at once costs little more than reading one.
	busyBatch = 32
	busyPause = 20 * time.Millisecond
	// docEvery is how often the document of a long run gets its counts.
	docEvery = 5 * time.Second
	// pendingAge is how old a pending run must be before a leader completes its launch: its launcher may still be at it.
	pendingAge = 2 * time.Second
)

// settler leads one partition, while this gateway holds its lease: it folds the ledger into tallies, schedules retries and
// ends runs. Everything it does follows from a prefix of the ledger, so a second settler that does the same does no harm.
type settler struct {
	g    *Gateway
	p    int
	wake chan struct{}

	mu      sync.Mutex // guards runs and what is in them; run is the only writer of tallies
	runs    map[string]*openRun
	ended   map[string]bool // runs that ended here since the last look for runs
	leading bool            // guarded by mu; only a leader's tallies mean something

	// owned by run
	lease  lease
	epoch  uint64 // of the lease
	last   uint64 // sequence of the last folded record
	lastAt struct {
		subject string
		time    time.Time
	}
	checkpointed uint64
	docSeq       uint64 // where the look for runs of other gateways goes on
	times        struct{ checkpoint, look, show time.Time }
}

// openRun is a run that has not ended.
type openRun struct {
	doc    *kv.Run
	rev    uint64
	plan   *cluster.Plan
	tally  *cluster.Tally
	folded uint64 // sequence of the last record folded into tally
	saved  uint64 // folded, as of the stored checkpoint
	shown  time.Time
	reason string // the first failure's sentence
	ended  bool   // over, as far as the ledger says; the document may not say so yet
}

func newSettler(g *Gateway, p int) *settler {
	return &settler{g: g, p: p, wake: make(chan struct{}, 1), runs: map[string]*openRun{}, ended: map[string]bool{}, lease: lease{g: g, p: p}}
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
		wg.Go(func() {
			if err := streams.ConsumeDue(ctx, s.g.js, s.p, s.publishDue); err != nil {
				s.g.log.Error().Err(err).Int("partition", s.p).Msg("due bundles are not published")
				stop()
			}
		})
		if err := s.lead(ctx); err != nil && s.g.ctx.Err() == nil {
			s.g.log.Error().Err(err).Int("partition", s.p).Msg("stopped leading; trying again")
		}
		stop()
		wg.Wait()
		s.lease.release()
		s.reset()
	}
}

func (s *settler) reset() {
	s.mu.Lock()
	clear(s.runs)
	clear(s.ended)
	s.leading = false
	s.mu.Unlock()
	s.last, s.checkpointed, s.docSeq = 0, 0, 0
}

// lead folds until ctx ends or something fails that only beginning anew can mend.
func (s *settler) lead(ctx context.Context) error {
	s.mu.Lock()
	s.leading = true
	s.mu.Unlock()
	if err := s.load(ctx); err != nil {
		return err
	}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		before := s.last
		if err := s.catchUp(ctx); err != nil {
			return err
		}
		if s.last-before > busyBatch {
			select {
			case <-time.After(busyPause):
			case <-ctx.Done():
			}
		}
		select {
		case <-s.wake:
		case <-poll.C:
			if err := s.housekeeping(ctx); err != nil {
				return err
			}
		case <-ctx.Done():
			s.leave()
			return nil
		}
	}
}

// catchUp folds what the ledger has, and sees every effect of it through.
func (s *settler) catchUp(ctx context.Context) error {
	for {
		var touched []*openRun
		var retries []retry
		more, err := streams.ReadBatch(ctx, s.g.opts.Conn, streams.StreamName(s.p), streams.RecordsOf(s.p, ">"), s.last+1, foldBatch, func(m streams.Stored) error {
			or, rs, err := s.fold(ctx, m)
			if err != nil {
				return err
			}
			if or != nil {
				touched = append(touched, or)
			}
			retries = append(retries, rs...)
			s.last, s.lastAt.subject, s.lastAt.time = m.Seq, m.Subject, m.Time
			return nil
		})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if len(touched) > 0 {
			if fault.Planted(fault.CheckpointFirst) {
				if err := s.save(ctx); err != nil {
					return err
				}
			}
			if err := s.g.opts.Faults.Point(ctx, "settle.folded"); err != nil {
				return err
			}
			if err := s.schedule(ctx, retries); err != nil {
				return err
			}
			if err := s.g.opts.Faults.Point(ctx, "settle.scheduled"); err != nil {
				return err
			}
			if err := s.endRuns(ctx, touched); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// retry is a bundle that a record says is to be tried again.
type retry struct {
	bundle *orbit.Bundle
	due    time.Time
	step   *cluster.Step
}

// fold adds one record to its run's tally and gives the retries that the record names.
func (s *settler) fold(ctx context.Context, m streams.Stored) (*openRun, []retry, error) {
	run := runOf(m.Subject)
	s.mu.Lock()
	or := s.runs[run]
	s.mu.Unlock()
	if or == nil {
		var err error
		if or, err = s.find(ctx, run); err != nil || or == nil {
			return nil, nil, err
		}
	}
	if m.Seq <= or.folded || or.ended {
		return nil, nil, nil
	}
	rec, err := orbit.DecodeRecordHead(m.Data)
	if err == nil && (rec.Counts.Retry > 0 || rec.Counts.Failed > 0) {
		rec, err = orbit.DecodeRecord(m.Data)
	}
	if err != nil { // only a foreign writer makes such a thing; it must not stop the others
		s.g.log.Error().Err(err).Str("subject", m.Subject).Uint64("seq", m.Seq).Msg("a record that cannot be read; its run cannot end")
		return nil, nil, nil
	}
	var retries []retry
	if rec.Counts.Retry > 0 {
		if retries, err = s.retriesOf(ctx, or, rec); err != nil {
			return nil, nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	or.tally.Fold(rec)
	or.folded = m.Seq
	if rec.Counts.Failed > 0 && or.reason == "" {
		for i := range rec.Results {
			if r := &rec.Results[i]; r.State == orbit.ItemFailed && r.Error != nil {
				or.reason = r.Error.Message
				break
			}
		}
	}
	return or, retries, nil
}

// retriesOf gives the retry bundles that a record names, with their times.
func (s *settler) retriesOf(ctx context.Context, or *openRun, rec *orbit.Record) ([]retry, error) {
	step, ok := or.plan.Step(rec.Step)
	if !ok {
		return nil, fmt.Errorf("the plan of run %s has no step %s", rec.Run, rec.Step)
	}
	var out []retry
	err := cluster.EachKid(rec, s.g.blobs(ctx), func(k orbit.Kid) error {
		if k.Kind != orbit.KidRetry {
			return nil
		}
		b, err := cluster.RetryBundle(rec, k, s.g.bundleOf(or.doc))
		if err != nil {
			return err
		}
		out = append(out, retry{b, time.UnixMilli(k.Due), step})
		return nil
	})
	return out, err
}

// schedule sees to it that retry bundles come at their time. What is due within the granularity of schedules goes out at once.
func (s *settler) schedule(ctx context.Context, retries []retry) error {
	if len(retries) == 0 {
		return nil
	}
	batch := s.g.pub.NewBatch()
	now := time.Now()
	for _, r := range retries {
		m := streams.WorkMessage(streams.QueueFor(r.step.Class, r.step.Pool, r.bundle, now), s.p, r.bundle, "")
		if r.due.Sub(now) > 20*time.Millisecond {
			m = streams.ScheduleMessage(s.p, r.bundle.Run, r.bundle.ID, r.bundle.Encode(), r.due)
		}
		if err := batch.Publish(ctx, m); err != nil {
			break
		}
	}
	// Dying before the answers: the checkpoint is older than these records, so the next leader folds them again and
	// schedules the same bundles under the same ids.
	if err := batch.Wait(ctx); err != nil {
		return fmt.Errorf("schedule retries: %w", err)
	}
	return nil
}

// publishDue publishes a retry bundle whose time has come.
func (s *settler) publishDue(ctx context.Context, data []byte) error {
	b, err := orbit.DecodeBundle(data)
	if err != nil {
		s.g.log.Error().Err(err).Msg("a scheduled bundle cannot be read; dropped")
		return nil
	}
	p, err := s.g.plans.get(ctx, b.Plan)
	if err != nil {
		return err
	}
	step, ok := p.Step(b.Step)
	if !ok {
		s.g.log.Error().Str("run", b.Run).Str("satellite", b.Step).Msg("a scheduled bundle of an unknown step; dropped")
		return nil
	}
	if _, err = s.g.pub.Do(ctx, streams.WorkMessage(streams.QueueFor(step.Class, step.Pool, b, time.Now()), s.p, b, "")); err != nil {
		return err
	}
	return s.g.opts.Faults.Point(ctx, "due.published")
}

// endRuns ends those of the given runs that have nothing outstanding.
func (s *settler) endRuns(ctx context.Context, runs []*openRun) error {
	var over []*openRun
	s.mu.Lock()
	for _, or := range runs {
		if !or.ended && or.tally.Outstanding == 0 {
			or.ended = true
			over = append(over, or)
		}
	}
	s.mu.Unlock()
	if len(over) == 0 {
		return nil
	}
	errs := make(chan error, len(over))
	for _, or := range over {
		s.end(ctx, or, func(err error) { errs <- err })
	}
	var first error
	for range over {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	if first == nil {
		first = s.g.opts.Faults.Point(ctx, "settle.ended")
	}
	return first
}

// end moves a run's document to its terminal state, by CAS. done is called once, from any goroutine.
func (s *settler) end(ctx context.Context, or *openRun, done func(error)) {
	s.mu.Lock()
	state, ok := or.tally.Settle(or.plan)
	doc := *or.doc
	now := time.Now().UTC()
	doc.State, doc.FinishedAt, doc.Satellites = state, &now, satellites(or.plan, or.tally, nil)
	if doc.StartedAt == nil {
		doc.StartedAt = &doc.CreatedAt
	}
	doc.DeadlineMissed = doc.DeadlineMissed || now.After(doc.Deadline)
	if failed := failures(or.tally); failed > 0 {
		doc.Error = fmt.Sprintf("%s failed; the first: %s", plural(failed, "item"), or.reason)
	}
	rev := or.rev
	s.mu.Unlock()
	if !ok {
		done(fmt.Errorf("run %s is not over", doc.ID))
		return
	}
	m, err := s.g.store.Runs.Message(doc.ID, &doc, rev)
	if err != nil {
		done(err)
		return
	}
	// Dying before the answer: the next leader comes to the same end from the same ledger, and one of the two loses the CAS.
	err = s.g.pub.Publish(ctx, m, func(ack streams.PubAck, err error) {
		switch {
		case errors.Is(err, streams.ErrExists):
			go func() { done(s.endAnew(ctx, or, state)) }() // someone changed the document since we read it
		case err != nil:
			done(fmt.Errorf("end run %s: %w", doc.ID, err))
		default:
			s.finished(&doc)
			done(nil)
		}
	})
	if err != nil {
		done(err)
	}
}

// endAnew reads a run's document again after a lost CAS, and ends the run from there.
func (s *settler) endAnew(ctx context.Context, or *openRun, state orbit.RunState) error {
	for range 10 {
		fresh, rev, err := s.g.store.Runs.Get(ctx, or.doc.ID)
		if errors.Is(err, kv.ErrNotFound) {
			s.finished(or.doc)
			return nil
		}
		if err != nil {
			return err
		}
		if fresh.State.Terminal() || !(fresh.State.CanMove(state) || fresh.State == orbit.RunPending) {
			s.finished(fresh)
			return nil
		}
		s.mu.Lock()
		or.doc, or.rev = fresh, rev
		s.mu.Unlock()
		again := make(chan error, 1)
		doc := *fresh
		now := time.Now().UTC()
		s.mu.Lock()
		doc.State, doc.FinishedAt, doc.Satellites = state, &now, satellites(or.plan, or.tally, nil)
		if failed := failures(or.tally); failed > 0 {
			doc.Error = fmt.Sprintf("%s failed; the first: %s", plural(failed, "item"), or.reason)
		}
		s.mu.Unlock()
		if doc.StartedAt == nil {
			doc.StartedAt = &doc.CreatedAt
		}
		m, err := s.g.store.Runs.Message(doc.ID, &doc, rev)
		if err != nil {
			return err
		}
		if err := s.g.pub.Publish(ctx, m, func(_ streams.PubAck, err error) { again <- err }); err != nil {
			return err
		}
		err = <-again
		if err == nil {
			s.finished(&doc)
			return nil
		}
		if !errors.Is(err, streams.ErrExists) {
			return fmt.Errorf("end run %s: %w", doc.ID, err)
		}
	}
	return fmt.Errorf("end run %s: its document keeps changing", or.doc.ID)
}

// finished forgets a run that has ended and wakes who waits for it.
func (s *settler) finished(doc *kv.Run) {
	s.mu.Lock()
	or := s.runs[doc.ID]
	delete(s.runs, doc.ID)
	s.ended[doc.ID] = true
	s.mu.Unlock()
	if or != nil && or.saved > 0 {
		s.g.wg.Go(func() { // whoever calls may be answering for the publisher
			_ = s.checkpoints().Delete(s.g.ctx, runCheckpoint(doc.ID)) // left behind, it is a cache entry that nothing reads
		})
	}
	s.g.waiters.wake(doc.ID)
	s.g.log.Debug().Str("run", doc.ID).Str("state", string(doc.State)).Msg("run ended")
}

// adopt takes a run to be settled, or a newer document of one that is.
func (s *settler) adopt(doc *kv.Run, rev uint64, p *cluster.Plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if doc.State.Terminal() || !s.leading { // the leader finds the document
		return
	}
	or := s.runs[doc.ID]
	if or == nil {
		s.runs[doc.ID] = &openRun{doc: doc, rev: rev, plan: p, tally: p.NewTally(), shown: time.Now()}
		return
	}
	if rev > or.rev {
		or.doc, or.rev = doc, rev
	}
}

// find reads the document of a run that a record belongs to. nil: the run has ended, or is not there.
func (s *settler) find(ctx context.Context, id string) (*openRun, error) {
	if !orbit.ValidID(id) {
		return nil, nil
	}
	doc, rev, err := s.g.store.Runs.Get(ctx, id)
	if errors.Is(err, kv.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if doc.State.Terminal() {
		if doc.State == orbit.RunCancelled {
			s.g.tellCancelled(id) // someone is still at it, so it has not heard
			s.purge(ctx, id)      // a late record means that late children may follow it
		}
		return nil, nil
	}
	p, err := s.g.plans.get(ctx, doc.Plan)
	if err != nil {
		return nil, fmt.Errorf("read the plan of run %s: %w", id, err)
	}
	s.adopt(doc, rev, p)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs[id], nil
}

// purge removes what waits of a cancelled run.
func (s *settler) purge(ctx context.Context, run string) {
	for _, w := range []struct{ stream, subject string }{
		{streams.StreamName(s.p), fmt.Sprintf("orbit.work.*.*.*.%d.%s", s.p, run)},
		{streams.StreamName(s.p), fmt.Sprintf("orbit.parked.%d.%s", s.p, run)},
		{streams.LaterStream, fmt.Sprintf("orbit.later.%d.%s.>", s.p, run)},
		{streams.LaterStream, fmt.Sprintf("orbit.due.%d.%s.>", s.p, run)},
	} {
		if err := streams.Purge(ctx, s.g.js, w.stream, w.subject); err != nil {
			s.g.log.Warn().Err(err).Str("run", run).Msg("purge") // nodes drop what is left
		}
	}
}

// tallyOf gives the counts of an open run as folded so far; not ok where this gateway does not lead it.
func (s *settler) tallyOf(run string) (doc kv.Run, sats []orbit.RunSatellite, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	or := s.runs[run]
	if or == nil {
		return doc, nil, false
	}
	return *or.doc, satellites(or.plan, or.tally, s.g.nodes.runningItems(run)), true
}

// runOf reads the run off a record's subject.
func runOf(subject string) string {
	t := strings.Split(subject, ".")
	if len(t) < 5 {
		return ""
	}
	return t[3]
}

// satellites counts the items of a run by step and state. running is the number of items that nodes hold, by step.
func satellites(p *cluster.Plan, t *cluster.Tally, running map[string]int) []orbit.RunSatellite {
	out := make([]orbit.RunSatellite, 0, len(p.Steps))
	for i := range p.Steps {
		st := &p.Steps[i]
		items := make(map[orbit.ItemState]int, len(orbit.ItemStates))
		for _, state := range orbit.ItemStates {
			items[state] = 0
		}
		if c := t.Steps[st.Identifier]; c != nil {
			open := c.Open()
			items[orbit.ItemSucceeded], items[orbit.ItemFailed], items[orbit.ItemSkipped] = c.Succeeded, c.Failed, c.Skipped
			items[orbit.ItemRunning] = min(running[st.Identifier], open)
			items[orbit.ItemRetrying] = min(c.Retrying, open-items[orbit.ItemRunning])
			items[orbit.ItemWaiting] = open - items[orbit.ItemRunning] - items[orbit.ItemRetrying]
		}
		out = append(out, orbit.RunSatellite{Identifier: st.Identifier, Uses: st.Uses, Part: string(st.Part), Class: st.Class, Items: items})
	}
	return out
}

func failures(t *cluster.Tally) int {
	n := 0
	for _, c := range t.Steps {
		n += c.Failed
	}
	return n
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
