package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// observer hears what the servers store: they republish it. It may miss some of it while servers fall, and hear some of it
// twice; each message bears its sequence, so what was heard is put in order afterwards.
type observer struct {
	mu     sync.Mutex
	moves  map[string]map[uint64]orbit.RunState // of each run, by sequence
	queued map[uint64]queued                    // work, by sequence
	heard  int
	wrong  []string
}

// queued is one message of work.
type queued struct{ run, bundle, step, parent string }

const seen = "chaos.seen."

func newObserver() *observer {
	return &observer{moves: map[string]map[uint64]orbit.RunState{}, queued: map[uint64]queued{}}
}

// listen begins to hear. The streams are there.
func (o *observer) listen(ctx context.Context, nc *nats.Conn, js jetstream.JetStream) error {
	sub, err := nc.Subscribe(seen+">", func(m *nats.Msg) {
		seq, _ := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64) // the server writes it
		o.hear(strings.TrimPrefix(m.Subject, seen), seq, m.Data)
	})
	if err != nil {
		return err
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return err
	}
	for _, name := range []string{streams.StreamName(0), "KV_" + kv.RunsBucket} {
		st, err := js.Stream(ctx, name)
		if err != nil {
			return err
		}
		cfg := st.CachedInfo().Config
		cfg.RePublish = &jetstream.RePublish{Source: ">", Destination: seen + ">"}
		if _, err := js.UpdateStream(ctx, cfg); err != nil {
			return err
		}
	}
	return nil
}

func (o *observer) hear(subject string, seq uint64, data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard++
	if orbittest.ShowsSecret(data) {
		o.wrong = append(o.wrong, "a secret was published on "+subject)
	}
	switch {
	case strings.HasPrefix(subject, "$KV."):
		var doc kv.Run
		if json.Unmarshal(data, &doc) == nil && doc.ID != "" {
			if o.moves[doc.ID] == nil {
				o.moves[doc.ID] = map[uint64]orbit.RunState{}
			}
			o.moves[doc.ID][seq] = doc.State
		}
	case strings.HasPrefix(subject, "orbit.work."):
		if b, err := orbit.DecodeBundle(data); err == nil {
			o.queued[seq] = queued{b.Run, b.ID, b.Step, b.Parent}
		}
	}
}

// violations tells which runs moved as no run may, and what work was queued before its parent was recorded. recorded gives the
// sequence of each bundle's record.
func (o *observer) violations(recorded map[string]uint64) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := slices.Clone(o.wrong)
	for seq, q := range o.queued {
		if at := recorded[q.parent]; q.parent != q.run && (at == 0 || at > seq) {
			out = append(out, fmt.Sprintf("run %s: bundle %s of %s was queued (at %d) before its parent %s was recorded (at %d)", q.run, q.bundle, q.step, seq, q.parent, at))
		}
	}
	for id, moves := range o.moves {
		states := sortedBySeq(moves)
		for i := 1; i < len(states); i++ {
			if from, to := states[i-1], states[i]; from.Terminal() || from != to && !reaches(from, to) {
				out = append(out, fmt.Sprintf("run %s went from %s to %s", id, from, to))
			}
		}
	}
	return out
}

// reaches tells whether a run may get from one state to another, through states that were not heard.
func reaches(from, to orbit.RunState) bool {
	return from.CanMove(to) || from == orbit.RunPending && to != orbit.RunPending
}

func sortedBySeq(moves map[uint64]orbit.RunState) []orbit.RunState {
	type move struct {
		seq   uint64
		state orbit.RunState
	}
	var all []move
	for seq, state := range moves {
		all = append(all, move{seq, state})
	}
	slices.SortFunc(all, func(a, b move) int { return cmp.Compare(a.seq, b.seq) })
	states := make([]orbit.RunState, len(all))
	for i := range all {
		states[i] = all[i].state
	}
	return states
}
