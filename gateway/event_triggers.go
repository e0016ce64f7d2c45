package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

const (
	// eventPatience is for how long a run for a message is tried to be made.
	eventPatience = 30 * time.Second
	// notedEvery is how often what an event trigger did is noted.
	notedEvery = time.Second
)

// subscribe listens to the subjects of event triggers, and to no others. Of all gateways one gets each message. Core NATS keeps
// nothing: what is said while no gateway listens starts no run.
func (t *triggers) subscribe() {
	t.mu.Lock()
	defer t.mu.Unlock()
	wanted := map[string]bool{}
	for _, all := range t.of {
		for _, tr := range all {
			if tr.Type != "event" {
				continue
			}
			wanted[tr.key] = true
			if t.subs[tr.key] != nil {
				continue
			}
			noted := time.Time{}
			sub, err := t.g.opts.Conn.QueueSubscribe(tr.Subject, "orbit-trigger-"+tr.id, func(m *nats.Msg) { t.event(tr, m, &noted) })
			if err != nil {
				t.g.log.Error().Err(err).Str("trigger", tr.name).Msg("a trigger does not listen; trying again")
				continue
			}
			t.subs[tr.key] = sub
		}
	}
	for key, sub := range t.subs {
		if !wanted[key] {
			_ = sub.Unsubscribe()
			delete(t.subs, key)
		}
	}
}

func (t *triggers) unsubscribe() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, sub := range t.subs {
		_ = sub.Unsubscribe()
		delete(t.subs, key)
	}
}

// event starts a run for a message, or none. Messages of one trigger are taken one after the other.
func (t *triggers) event(tr *trigger, m *nats.Msg, noted *time.Time) {
	t.mu.Lock()
	st := t.states[tr.key]
	t.mu.Unlock()
	if st.Paused {
		return
	}
	ctx, cancel := context.WithTimeout(t.g.ctx, eventPatience)
	defer cancel()
	payload, err := eventPayload(m.Data)
	if err == nil && tr.filter != nil {
		var wanted bool
		if wanted, err = tr.filter.True(&cluster.Scope{Output: func(string) (any, error) { return payload.Value() }}); err == nil && !wanted {
			return
		}
	}
	r := LaunchRequest{Cluster: tr.cluster, Trigger: tr.Type, Payload: payload}
	if id := m.Header.Get(nats.MsgIdHdr); id != "" { // who says it twice means it once
		r.Key = "event " + tr.id + " " + id
	}
	for err == nil {
		run, failed := t.g.launch(ctx, r)
		if failed == nil {
			if time.Since(*noted) > notedEvery {
				t.started(ctx, tr, run, nil)
				*noted = time.Now()
			}
			return
		}
		if lasting(failed) || pause(ctx, time.Second) != nil {
			err = failed
		}
	}
	t.started(t.g.ctx, tr, nil, problem(http.StatusUnprocessableEntity, "a message on %s made no run: %s", m.Subject, asProblem(err).Detail))
}

// eventPayload is what a message says: JSON as it is, anything else as text.
func eventPayload(data []byte) (orbit.Object, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if o, err := orbit.ParseObject(data); err == nil {
		return o, nil
	}
	return orbit.NewObject(map[string]any{"text": string(data)})
}
