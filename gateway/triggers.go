package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

const (
	// triggersEvery is how often a gateway looks for clusters that another has applied or deleted.
	triggersEvery = time.Second
	// followLife is for how long after its end a run starts others, if nobody did so at once.
	followLife = 24 * time.Hour
)

// trigger is a trigger of a registered cluster.
type trigger struct {
	cluster.Trigger
	cluster string
	id      string
	name    string // project/name/type
	key     string // of its document
	ticks   *cluster.Ticks
	filter  *cluster.Expr
}

// triggers is what a gateway knows of all triggers: what they are, from the clusters' documents and plans, and how far they
// are, from documents of their own. Every gateway knows all; the clock is looked at by the leader of the first partition alone.
//
// Nothing here needs to be the only one: a run's id follows from the tick, the message or the end that it is made for, and its
// document is created by CAS.
type triggers struct {
	g    *Gateway
	wake chan struct{}
	asks chan chan struct{} // closed after the next look

	mu     sync.Mutex
	loaded bool
	of     map[string][]*trigger // by cluster
	after  map[string][]*trigger // of type cluster, by the cluster whose end they wait for
	states map[string]triggerState
	ends   []*kv.Run // that have not been looked at
	subs   map[string]*nats.Subscription

	nextCluster, nextState uint64 // sequences to read on from; used by run alone
}

type triggerState struct {
	kv.Trigger
	rev uint64
}

func newTriggers(g *Gateway) *triggers {
	return &triggers{g: g, wake: make(chan struct{}, 1), asks: make(chan chan struct{}), of: map[string][]*trigger{}, states: map[string]triggerState{}, subs: map[string]*nats.Subscription{}, nextCluster: 1, nextState: 1}
}

// poke has the triggers looked at soon.
func (t *triggers) poke() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// run keeps what is known current, and starts runs at the ends of others, until the gateway stops.
func (t *triggers) run() {
	defer t.unsubscribe()
	var asked []chan struct{}
	for t.g.ctx.Err() == nil {
		if err := t.refresh(t.g.ctx); err == nil {
			for _, done := range asked {
				close(done)
			}
			asked = nil
			t.follow(t.g.ctx)
		} else if t.g.ctx.Err() == nil {
			t.g.log.Warn().Err(err).Msg("triggers cannot be read; trying again")
		}
		select {
		case done := <-t.asks:
			asked = append(asked, done)
		case <-t.wake:
		case <-time.After(triggersEvery):
		case <-t.g.ctx.Done():
		}
	}
}

// look waits until what is known is as new as this call.
func (t *triggers) look(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case t.asks <- done:
	case <-ctx.Done():
		return ctx.Err()
	case <-t.g.ctx.Done():
		return t.g.ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.g.ctx.Done():
		return t.g.ctx.Err()
	}
}

// refresh reads what has changed.
func (t *triggers) refresh(ctx context.Context) error {
	// In this order: of a state that is read here the cluster is read below, so none is taken for one whose trigger is gone.
	states := t.g.store.Triggers
	err := streams.ReadAll(ctx, t.g.opts.Conn, states.Stream(), states.Keys(), t.nextState, func(m streams.Stored) error {
		t.readState(states.Key(m.Subject), m.Data, m.Seq)
		t.nextState = m.Seq + 1
		return nil
	})
	if err != nil {
		return fmt.Errorf("read triggers: %w", err)
	}
	b := t.g.store.Clusters
	err = streams.ReadAll(ctx, t.g.opts.Conn, b.Stream(), b.Keys(), t.nextCluster, func(m streams.Stored) error {
		if err := t.readCluster(ctx, b.Key(m.Subject), m.Data); err != nil {
			return err
		}
		t.nextCluster = m.Seq + 1
		return nil
	})
	if err != nil {
		return fmt.Errorf("read clusters: %w", err)
	}
	t.mu.Lock()
	t.after = map[string][]*trigger{}
	for _, all := range t.of {
		for _, tr := range all {
			if tr.Type == "cluster" {
				t.after[tr.Trigger.Cluster] = append(t.after[tr.Trigger.Cluster], tr)
			}
		}
	}
	t.mu.Unlock()
	if err := t.begin(ctx); err != nil {
		return err
	}
	t.mu.Lock()
	t.loaded = true
	t.mu.Unlock()
	t.subscribe()
	return nil
}

func (t *triggers) readCluster(ctx context.Context, key string, data []byte) error {
	var doc kv.Cluster
	if len(data) == 0 || json.Unmarshal(data, &doc) != nil { // deleted
		t.mu.Lock()
		defer t.mu.Unlock()
		for name := range t.of {
			if kv.ClusterKey(name) == key {
				delete(t.of, name)
			}
		}
		return nil
	}
	p, err := t.g.plans.get(ctx, doc.Plan)
	if errors.Is(err, kv.ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	all := triggersOf(p)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of[p.Identifier] = all
	return nil
}

// triggersOf gives the triggers of a plan. What cannot be read is left out: the compiler lets no such thing pass.
func triggersOf(p *cluster.Plan) (all []*trigger) {
	number := map[string]int{}
	for i := range p.Triggers {
		t := &trigger{Trigger: p.Triggers[i], cluster: p.Identifier, id: p.Triggers[i].ID(p.Identifier)}
		if slices.ContainsFunc(all, func(other *trigger) bool { return other.id == t.id }) {
			continue // written twice
		}
		t.key, t.name = kv.TriggerKey(p.Identifier, t.id), p.Identifier+"/"+t.Type
		if number[t.Type]++; number[t.Type] > 1 {
			t.name = fmt.Sprintf("%s-%d", t.name, number[t.Type])
		}
		var err error
		switch {
		case t.Type == "cron":
			t.ticks, err = t.NewTicks()
		case t.Filter != "":
			t.filter, err = cluster.ParseExpr(t.Filter)
		}
		if err == nil {
			all = append(all, t)
		}
	}
	return all
}

func (t *triggers) readState(key string, data []byte, rev uint64) {
	var doc kv.Trigger
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(data) == 0 || json.Unmarshal(data, &doc) != nil {
		delete(t.states, key)
		return
	}
	t.states[key] = triggerState{doc, rev}
}

// begin makes the documents that are missing, and removes those of triggers that are gone: when a trigger comes back, what
// happened meanwhile does not count. Any gateway may do it.
func (t *triggers) begin(ctx context.Context) error {
	t.mu.Lock()
	var missing []*trigger
	known := map[string]bool{}
	for _, all := range t.of {
		for _, tr := range all {
			known[tr.key] = true
			if _, ok := t.states[tr.key]; !ok {
				missing = append(missing, tr)
			}
		}
	}
	gone := map[string]triggerState{}
	for key, st := range t.states {
		if !known[key] {
			gone[key] = st
		}
	}
	t.mu.Unlock()
	for _, tr := range missing {
		c, err := t.g.clusters.get(ctx, tr.cluster)
		if errors.Is(err, kv.ErrNotFound) {
			continue // deleted meanwhile
		} else if err != nil {
			return err
		}
		doc := kv.Trigger{Since: c.UpdatedAt, Tick: c.UpdatedAt}
		if tr.Type == "webhook" {
			token, err := t.newToken(ctx, tr)
			if err != nil {
				return fmt.Errorf("make the URL of trigger %s: %w", tr.name, err)
			}
			doc.TokenHash = hashToken(token)
		}
		rev, err := t.g.store.Triggers.Create(ctx, tr.key, &doc)
		if errors.Is(err, kv.ErrConflict) {
			continue // another gateway was first, and is read next time
		} else if err != nil {
			return fmt.Errorf("note trigger %s: %w", tr.name, err)
		}
		t.mu.Lock()
		t.states[tr.key] = triggerState{doc, rev}
		t.mu.Unlock()
	}
	for key, st := range gone {
		if st.TokenHash != "" { // first: a document without its token shows no URL, and goes next time
			if err := t.g.store.Secrets.Delete(ctx, hookSecrets+key); err != nil && !errors.Is(err, kv.ErrNotFound) {
				return fmt.Errorf("forget the URL of a trigger: %w", err)
			}
		}
		if err := t.g.store.Triggers.Delete(ctx, key); err != nil && !errors.Is(err, kv.ErrNotFound) {
			return fmt.Errorf("forget a trigger: %w", err)
		}
		t.mu.Lock()
		delete(t.states, key)
		t.mu.Unlock()
	}
	return nil
}

// all gives every trigger with its state, in the order of their names.
func (t *triggers) all() (list []*trigger, states map[string]triggerState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	states = make(map[string]triggerState, len(t.states))
	for _, of := range t.of {
		for _, tr := range of {
			list = append(list, tr)
			states[tr.key] = t.states[tr.key]
		}
	}
	slices.SortFunc(list, func(a, b *trigger) int { return strings.Compare(a.name, b.name) })
	return list, states
}

// change changes the state of a trigger by CAS. f gets the state as it is stored and tells whether it changed it; it may be
// called again.
func (t *triggers) change(ctx context.Context, tr *trigger, f func(*kv.Trigger) (bool, error)) (kv.Trigger, error) {
	for range 10 {
		doc, rev, err := t.g.store.Triggers.Get(ctx, tr.key)
		if err != nil {
			return kv.Trigger{}, err
		}
		changed, err := f(doc)
		if err != nil || !changed {
			return *doc, err
		}
		rev, err = t.g.store.Triggers.Update(ctx, tr.key, doc, rev)
		if errors.Is(err, kv.ErrConflict) {
			continue
		}
		if err != nil {
			return kv.Trigger{}, err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.states[tr.key].rev < rev {
			t.states[tr.key] = triggerState{*doc, rev}
		}
		return *doc, nil
	}
	return kv.Trigger{}, conflict("the trigger %s keeps changing; try again", tr.name)
}

// started notes what became of an event of a trigger. It is for people; nothing depends on it.
func (t *triggers) started(ctx context.Context, tr *trigger, run *kv.Run, err error) {
	_, cerr := t.change(ctx, tr, func(doc *kv.Trigger) (bool, error) {
		doc.LastAt, doc.Error = time.Now().UTC(), ""
		if err != nil {
			doc.Error = asProblem(err).Detail
			return true, nil
		}
		doc.LastRun = run.ID
		return true, nil
	})
	if err != nil {
		t.g.log.Warn().Err(err).Str("trigger", tr.name).Msg("a trigger made no run")
	}
	if cerr != nil && ctx.Err() == nil {
		t.g.log.Debug().Err(cerr).Str("trigger", tr.name).Msg("what a trigger did is not noted")
	}
}

// lasting tells whether a launch that failed so will fail again.
func lasting(err error) bool { return err != nil && asProblem(err).Status < 500 }
