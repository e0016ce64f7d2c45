package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// whyTeller finds the one reason for which each open item of a run waits. It folds the ledger by itself, so that every gateway
// answers alike, one that leads nothing and one that has just started too; what runs is known from the nodes' heartbeats, and
// what is queued from the queues.
type whyTeller struct {
	g    *Gateway
	ctx  context.Context
	doc  *kv.Run
	plan *cluster.Plan
	l    *ledger
	now  time.Time

	tally    *cluster.Tally
	released map[string]time.Time // joins that wait for no member any more, by item
	order    map[string]int       // the same: as the how many-th
	pace     map[string]pace      // of bundles in the ledger, by class and pool
	open     []*openBundle
	running  map[string]holding
	held     map[*openBundle]bool // by a limit on concurrency
	nodes    []orbit.NodeDoc
	ables    map[string][2][]orbit.NodeDoc // what able gives, by step

	item    string      // that is asked for; empty: any
	settled *settledRec // its last result
}

// pace is how long bundles took, all together.
type pace struct {
	took    time.Duration
	bundles int
}

// settledRec is the result with which an item ended.
type settledRec struct {
	rec *orbit.Record
	res *orbit.Result
}

// newWhyTeller reads how a run stands. item is one that is asked for in particular, or empty.
func (g *Gateway) newWhyTeller(ctx context.Context, doc *kv.Run, plan *cluster.Plan, item string) (*whyTeller, error) {
	w := &whyTeller{g: g, ctx: ctx, doc: doc, plan: plan, l: g.ledger(doc), now: time.Now().UTC(), tally: plan.NewTally(), released: map[string]time.Time{}, order: map[string]int{},
		pace: map[string]pace{}, running: g.nodes.runningBundles(doc.ID), held: map[*openBundle]bool{}, nodes: g.listNodes(), ables: map[string][2][]orbit.NodeDoc{}, item: item}
	l := &itemLister{g: g, ctx: ctx, doc: doc, plan: plan, ledger: w.l}
	var err error
	if l.round, err = w.l.lastRound(ctx, plan); err != nil {
		return nil, err
	}
	if w.open, err = l.openBundles(w.see); err != nil {
		return nil, err
	}
	w.hold()
	return w, nil
}

// see folds one record.
func (w *whyTeller) see(m streams.Stored, rec *orbit.Record) error {
	var released []cluster.Release
	if rec.Step == orbit.RetryStep {
		marker, err := rec.Marker()
		if err != nil {
			return err
		}
		failed, err := w.l.failedItems(w.ctx, w.plan, m.Seq)
		if err != nil {
			return err
		}
		_, released = w.tally.Reopen(w.plan, marker, failed)
	} else {
		released = w.tally.Fold(w.plan, rec)
		if s, ok := w.plan.Step(rec.Step); ok {
			p := w.pace[s.Class+" "+s.Pool]
			w.pace[s.Class+" "+s.Pool] = pace{p.took + rec.FinishedAt().Sub(rec.StartedAt()), p.bundles + 1}
		}
		for i := range rec.Results {
			if res := &rec.Results[i]; w.item != "" && res.State != orbit.ItemRetrying && orbit.ItemID(rec.Step, res.Lineage) == w.item {
				w.settled = &settledRec{rec, res}
			}
		}
	}
	for _, r := range released {
		id := orbit.ItemID(r.Join.Identifier, r.Lineage)
		w.released[id], w.order[id] = m.Time.UTC(), len(w.order)
	}
	return nil
}

// hold finds what limits on concurrency hold back. What is released of a step is always a prefix of its items, in the order of
// the ledger, and as many of it are open as may run at once; so those are the first of the open ones.
func (w *whyTeller) hold() {
	for i := range w.plan.Steps {
		s := &w.plan.Steps[i]
		if !s.Limited() {
			continue
		}
		free := s.Concurrency
		var wait []*openBundle
		for _, b := range w.open {
			_, runs := w.running[b.id]
			switch {
			case b.step != s.Identifier || w.unites(s, b) != nil:
			case runs || b.state == orbit.ItemRetrying:
				free--
			default:
				wait = append(wait, b)
			}
		}
		slices.SortStableFunc(wait, func(a, b *openBundle) int {
			switch {
			case a.unnamed != b.unnamed: // what a round does again comes first
				return map[bool]int{true: -1, false: 1}[a.unnamed]
			case s.Join != nil:
				return w.order[orbit.ItemID(a.step, a.lineage[0])] - w.order[orbit.ItemID(b.step, b.lineage[0])]
			}
			return 0
		})
		for _, b := range wait {
			if w.due(s, b).After(w.now) {
				continue
			}
			if free--; free < 0 {
				w.held[b] = true
			}
		}
	}
}

// unites gives what a join still waits for; nil where it is none, or waits for nothing.
func (w *whyTeller) unites(s *cluster.Step, b *openBundle) *cluster.JoinTally {
	if s.Join == nil || b.state == orbit.ItemRetrying {
		return nil
	}
	if jt := w.tally.Joins[s.Identifier][b.lineage[0]]; jt != nil && !jt.Done && jt.Pending > 0 {
		return jt
	}
	return nil
}

// due is the time before which a bundle does not start; zero where there is none.
func (w *whyTeller) due(s *cluster.Step, b *openBundle) time.Time {
	if at, ok := w.released[orbit.ItemID(b.step, b.lineage[0])]; ok && b.unnamed && s.Delay > 0 {
		return at.Add(time.Duration(s.Delay))
	}
	return b.due
}

// code gives the kind of reason for which a bundle is not done yet.
func (w *whyTeller) code(s *cluster.Step, b *openBundle) orbit.WhyCode {
	_, runs := w.running[b.id]
	able, hosting := w.able(s)
	switch {
	case runs:
		return orbit.WhyRunning
	case w.doc.State == orbit.RunPaused:
		return orbit.WhyPaused
	case w.unites(s, b) != nil:
		return orbit.WhyJoin
	case w.due(s, b).After(w.now) && b.state == orbit.ItemRetrying:
		return orbit.WhyRetry
	case w.due(s, b).After(w.now):
		return orbit.WhyDelay
	case len(able) == 0:
		return orbit.WhyNoNode
	case len(hosting) == 0:
		return orbit.WhyNoPool
	case len(s.Children) > 0 && w.g.fill.reserve.Load():
		return orbit.WhyStore
	case w.held[b]:
		return orbit.WhyConcurrency
	}
	if _, _, ok := w.unready(s); ok {
		return orbit.WhyModel
	}
	return orbit.WhyQueued
}

// reason tells the reason for which the i-th item of a bundle waits.
func (w *whyTeller) reason(code orbit.WhyCode, s *cluster.Step, b *openBundle, i int) (orbit.WhyReason, error) {
	id := orbit.ItemID(b.step, b.lineage[i])
	r := orbit.WhyReason{Satellite: b.step, Item: &id, Items: 1, Code: code}
	var err error
	switch code {
	case orbit.WhyRunning:
		r.Reason, r.Hint = w.runs(s, b)
	case orbit.WhyPaused:
		r.Reason, r.Hint = fmt.Sprintf("run %s is paused", w.doc.ID), fmt.Sprintf("`orbit resume %s` lets it go on", w.doc.ID)
	case orbit.WhyJoin:
		r.Reason, r.Hint = w.waits(s, b)
	case orbit.WhyRetry:
		due := w.due(s, b)
		r.Due = &due
		r.Reason = fmt.Sprintf("is tried again %s: attempt %d of %d", w.moment(due), b.attempt[i]+1, s.Retries.Max+1)
		if e := b.errs[i]; e != nil {
			r.Reason += fmt.Sprintf("; the last one ended with: %s", e.Message)
		}
		r.Hint = fmt.Sprintf("`orbit logs %s --satellite %s` shows what it said", w.doc.ID, s.Identifier)
	case orbit.WhyDelay:
		due := w.due(s, b)
		r.Due = &due
		r.Reason = fmt.Sprintf("starts %s, for %s has a delay of %s", w.moment(due), s.Identifier, s.Delay)
		r.Hint = "lower `delay` in the cluster file, for later runs"
	case orbit.WhyStore:
		r.Reason, r.Hint = w.reserved()
	case orbit.WhyConcurrency:
		r.Reason = fmt.Sprintf("%s at most %s at once, and so many have been let through", oneOf(s.Concurrency == 1, "of "+s.Identifier+" runs", "of "+s.Identifier+" run"), plural(s.Concurrency, "item"))
		r.Hint = "it goes on as those end; raise `concurrency` in the cluster file, for later runs"
	case orbit.WhyNoNode:
		r.Reason, r.Hint = w.noNode(s)
	case orbit.WhyNoPool:
		r.Reason, r.Hint = w.noPool(s)
	case orbit.WhyModel:
		r.Reason, r.Hint = w.model(s)
	default:
		r.Reason, r.Hint, err = w.queued(s)
	}
	if s.Part != cluster.Main {
		r.Reason += "; the run ends after its " + oneOf(s.Part == cluster.Failure, "failure", "log") + " steps"
	}
	return r, err
}

// runs tells who is at a bundle.
func (w *whyTeller) runs(s *cluster.Step, b *openBundle) (reason, hint string) {
	by := w.running[b.id]
	reason = "runs on node " + by.node
	if !by.since.IsZero() {
		reason += fmt.Sprintf(" since %s, for %s", by.since.Format(time.RFC3339), short(w.now.Sub(by.since)))
	}
	if n := len(b.lineage); n > 1 {
		reason += fmt.Sprintf(", in a bundle of %d items that are committed together", n)
	}
	return reason, fmt.Sprintf("an attempt of one item may take %s; `orbit logs %s --satellite %s -f` shows what it says", s.Timeout, w.doc.ID, s.Identifier)
}

// maxNamed bounds how many items a sentence names.
const maxNamed = 3

// waits tells what a join waits for.
func (w *whyTeller) waits(s *cluster.Step, b *openBundle) (reason, hint string) {
	at, n := b.lineage[0], w.unites(s, b).Pending
	var work, joins []string
	for _, o := range w.open {
		if o == b || !slices.Contains(s.Join.Members, o.step) {
			continue
		}
		for _, l := range o.lineage {
			if s.Join.Scope != cluster.RunScope && l.Prefix(at.Depth()) != at {
				continue
			}
			if step, _ := w.plan.Step(o.step); step != nil && step.Join != nil {
				joins = append(joins, orbit.ItemID(o.step, l))
			} else {
				work = append(work, orbit.ItemID(o.step, l))
			}
		}
		if len(work) >= maxNamed {
			break
		}
	}
	reason = fmt.Sprintf("unites what %s returned and waits for %s below it", s.Join.Scope, plural(n, "item"))
	if s.Join.Scope == cluster.RunScope {
		reason = fmt.Sprintf("unites the whole run and waits for %s of it", plural(n, "item"))
	}
	named := append(work, joins...)
	if len(named) == 0 {
		return reason, fmt.Sprintf("`orbit items %s` lists them", w.doc.ID)
	}
	named = named[:min(len(named), maxNamed)]
	return reason + oneOf(n > len(named), ", such as ", ": ") + strings.Join(named, ", "), fmt.Sprintf("`orbit why %s %s` tells what %s waits for", w.doc.ID, named[0], named[0])
}

// moment gives a time and how far ahead it lies.
func (w *whyTeller) moment(at time.Time) string {
	return fmt.Sprintf("at %s, in %s", at.UTC().Format(time.RFC3339), short(at.Sub(w.now)))
}

// short rounds a duration to what a person wants to know.
func short(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Second:
		return "less than a second"
	case d > time.Hour:
		d = d.Round(time.Minute)
	}
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func oneOf(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
