package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
)

// ended takes the end of a run, which may start others. It may be told the same end more than once.
func (t *triggers) ended(doc *kv.Run) {
	if doc.Forgotten || doc.FinishedAt == nil || time.Since(*doc.FinishedAt) > followLife {
		return
	}
	t.mu.Lock()
	wanted := !t.loaded || len(t.after[doc.Cluster]) > 0
	if wanted {
		t.ends = append(t.ends, doc)
	}
	t.mu.Unlock()
	if wanted {
		t.poke()
	}
}

// follow starts what waits for the ends of runs. Dying in it: the ended runs' documents are looked at by whoever leads next,
// and the ids of what they start follow from theirs.
func (t *triggers) follow(ctx context.Context) {
	t.mu.Lock()
	ends := t.ends
	t.ends = nil
	t.mu.Unlock()
	for i, doc := range ends {
		if err := t.followOne(ctx, doc); err != nil {
			if ctx.Err() == nil {
				t.g.log.Warn().Err(err).Str("run", doc.ID).Msg("what starts at the end of a run is not started yet; trying again")
			}
			t.mu.Lock()
			t.ends = append(t.ends, ends[i:]...)
			t.mu.Unlock()
			return
		}
	}
}

func (t *triggers) followOne(ctx context.Context, doc *kv.Run) error {
	t.mu.Lock()
	list := t.after[doc.Cluster]
	t.mu.Unlock()
	for _, tr := range list {
		t.mu.Lock()
		st := t.states[tr.key]
		t.mu.Unlock()
		if st.rev == 0 || st.Paused || doc.FinishedAt.Before(st.Since) || tr.On != "ended" && tr.On != string(doc.State) {
			continue
		}
		if err := t.g.opts.Faults.Point(ctx, "follow.begin"); err != nil {
			return err
		}
		payload, err := endPayload(doc)
		if err != nil {
			return err
		}
		id := orbit.HashID("end", tr.id, fmt.Sprintf("%s.%d", doc.ID, doc.Round))
		run, err := t.g.launch(ctx, LaunchRequest{Cluster: tr.cluster, Trigger: tr.Type, Payload: payload, Tick: &tick{id, *doc.FinishedAt}})
		if err != nil && !lasting(err) {
			return err
		}
		t.started(ctx, tr, run, err)
	}
	return nil
}

// endPayload is what a run that starts at the end of another gets.
func endPayload(doc *kv.Run) (orbit.Object, error) {
	text, err := json.Marshal(map[string]any{"run": doc.ID, "cluster": doc.Cluster, "version": doc.Version, "state": doc.State, "round": doc.Round,
		"created_at": doc.CreatedAt, "finished_at": doc.FinishedAt, "error": doc.Error})
	if err != nil {
		return nil, err
	}
	return orbit.ParseObject(text)
}
