package orbittest

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// spy hears every message in the order in which the server stored it: it has the streams republish what they take. It
// does not listen on the subjects of the mesh, for the server gives work to whoever seems to listen.
type spy struct {
	mu     sync.Mutex
	moves  map[string][]move // of each run, as they were stored
	queued []queued          // every message of work
	heard  int
	wrong  []string
}

// move is what a run's document said.
type move struct {
	state orbit.RunState
	round int
}

// queued is one message of work, as it was stored.
type queued struct {
	run, bundle, step, parent string
	seq                       uint64
}

const spySubject = "spy."

// newSpy begins to listen. The streams are there; nothing has been stored in them.
func (o *Orbit) newSpy() {
	o.T.Helper()
	s := &spy{moves: map[string][]move{}}
	o.spy = s
	subjects := []string{spySubject + ">"}
	if o.opts.Wiretap {
		subjects = append(subjects, "orbit.>", "_INBOX.>", "$JS.API.>")
	}
	for _, subject := range subjects {
		sub, err := o.conn.Subscribe(subject, s.hear)
		if err == nil {
			err = sub.SetPendingLimits(-1, -1)
		}
		if err != nil {
			o.T.Fatal(err)
		}
	}
	js, err := jetstream.New(o.conn)
	if err != nil {
		o.T.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	names := []string{"KV_" + kv.RunsBucket}
	for p := range o.opts.Partitions {
		names = append(names, streams.StreamName(p))
	}
	for _, name := range names {
		st, err := js.Stream(ctx, name)
		if err != nil {
			o.T.Fatal(err)
		}
		cfg := st.CachedInfo().Config
		cfg.RePublish = &jetstream.RePublish{Source: ">", Destination: spySubject + ">"}
		if _, err := js.UpdateStream(ctx, cfg); err != nil {
			o.T.Fatal(err)
		}
	}
}

func (s *spy) hear(m *nats.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if showsSecret(m.Data) {
		s.wrong = append(s.wrong, "a secret was published on "+m.Subject)
	}
	subject, ok := strings.CutPrefix(m.Subject, spySubject)
	if !ok {
		return
	}
	seq, _ := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64) // the server writes it
	switch {
	case strings.HasPrefix(subject, "$KV."):
		var doc kv.Run
		if json.Unmarshal(m.Data, &doc) == nil {
			s.moves[doc.ID] = append(s.moves[doc.ID], move{doc.State, doc.Round})
		}
	case strings.HasPrefix(subject, "orbit.work."):
		if b, err := orbit.DecodeBundle(m.Data); err == nil {
			s.queued = append(s.queued, queued{b.Run, b.ID, b.Step, b.Parent, seq})
		}
	}
}

// violations tells which runs moved as no run may, and what work was queued before its parent was recorded. recorded
// gives the sequence of each bundle's record; the records of forgotten runs are gone.
func (s *spy) violations(recorded map[string]uint64, forgotten map[string]*kv.Run) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := append([]string(nil), s.wrong...)
	for _, q := range s.queued {
		if at := recorded[q.parent]; q.parent != q.run && forgotten[q.run] == nil && (at == 0 || at > q.seq) {
			out = append(out, fmt.Sprintf("run %s: bundle %s of %s was queued before its parent %s was recorded", q.run, q.bundle, q.step, q.parent))
		}
	}
	for id, states := range s.moves {
		for i := 1; i < len(states); i++ {
			from, to := states[i-1].state, states[i].state
			if rounds := states[i].round - states[i-1].round; rounds == 1 && from.Terminal() && to == orbit.RunRunning {
				continue // the next round
			} else if rounds != 0 {
				out = append(out, fmt.Sprintf("run %s went from round %d to %d, from %s to %s", id, states[i-1].round, states[i].round, from, to))
			}
			if from.Terminal() && from != to || from != to && !from.CanMove(to) && (from != orbit.RunPending || !to.Terminal()) {
				out = append(out, fmt.Sprintf("run %s went from %s to %s", id, from, to))
			}
		}
	}
	return out
}
