package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// openRun is a run that has not ended.
type openRun struct {
	doc        *kv.Run
	rev        uint64
	plan       *cluster.Plan
	tally      *cluster.Tally
	folded     uint64                // sequence of the last record folded into tally
	first      uint64                // sequence of the first one that this leader folded; 0: none yet
	begun      time.Time             // when it did so
	records    int                   // how many it folded
	checkpoint savedAs               // as it is stored
	saved      uint64                // folded, as of the stored checkpoint
	limits     map[string]*stepLimit // of steps with a limit on concurrency; what is exported in them is guarded by mu, the rest owned by run
	shown      time.Time
	progress   time.Time // when a record was folded last
	missed     bool      // nothing of it waited anywhere when it was last looked for
	inherited  bool      // it was open when this gateway began to lead
	pass       int       // how often something lost was put back
	reason     string    // the first failure's sentence
	ended      bool      // over, as far as the ledger says; the document may not say so yet
	anew       bool      // tally is empty although records of earlier rounds were folded: they are folded again when the round's marker comes
	cuts       cuts      // of its log; guarded by mu
	behind     bool      // doc says that the run is running, and what is stored does not yet
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
		s.runs[doc.ID] = &openRun{doc: doc, rev: rev, plan: p, tally: p.NewTally(), shown: time.Now(), progress: time.Now(), cuts: cuts{at: time.Now()}, anew: doc.Round > 1}
		return
	}
	if rev > or.rev {
		or.doc, or.rev, or.behind = doc, rev, false
	}
}

// marks takes over the mark that a run is running, where this gateway leads it: most runs end within moments, and their
// documents then say so without having said this. The leader writes it into those that do not (markRunning).
func (s *settler) marks(running *kv.Run, rev uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.leading {
		return false
	}
	if or := s.runs[running.ID]; or != nil && or.rev == rev && or.doc.State == orbit.RunPending {
		or.doc, or.behind = running, true
	}
	return true
}

// find reads the document of a run that a record belongs to. nil: the run has ended, or is not there.
func (s *settler) find(ctx context.Context, id string) (*openRun, error) {
	if !orbit.ValidID(id) {
		return nil, nil
	}
	doc, rev, err := s.g.store.Runs.Get(ctx, id)
	if errors.Is(err, kv.ErrNotFound) || err == nil && doc.Closed {
		s.appeared(id)
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
	if or == nil || or.anew {
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
