package orbittest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// Settle gives everything time to come to rest: checkpoints are saved, acks have arrived, the leases of the dead have run
// out and what they held was taken up.
func (o *Orbit) Settle() { time.Sleep(90 * time.Second) }

// Violations reads everything that is stored and checks what a run promises against it. It is called when the mesh is at
// rest: every run that was accepted has ended, or never will.
func (o *Orbit) Violations() []string {
	all, err := o.read()
	if err != nil {
		return []string{fmt.Sprintf("the store cannot be read, so nothing is known: %v", err)}
	}
	o.mu.Lock()
	accepted := slices.Clone(o.runs)
	o.mu.Unlock()
	wrong := all.violations(accepted)
	if !o.lost && bytes.Contains(o.log.bytes(), []byte("something of the run was lost")) {
		wrong = append(wrong, "a bundle was lost, and the sweep put it back; nothing here may lose one")
	}
	wrong = append(wrong, o.spy.violations(all.recorded(), all.history)...)
	return append(wrong, o.secretsIn(all)...)
}

// violations holds what is stored against what a run promises. accepted are the runs that there must be, and no others.
func (all *stored) violations(accepted []string) (wrong []string) {
	for _, id := range accepted {
		if all.runs[id] == nil && all.history[id] == nil {
			wrong = append(wrong, fmt.Sprintf("run %s was accepted and is not there", id))
		}
	}
	for id, doc := range all.history {
		if !doc.State.Terminal() || doc.FinishedAt == nil {
			wrong = append(wrong, fmt.Sprintf("run %s is forgotten and has not ended: %s", id, doc.State))
		}
	}
	ticks := map[string]string{}
	for id, doc := range all.runs {
		switch {
		case doc.Trigger.Type == "cron":
			tick := doc.Cluster + " at " + doc.Trigger.At.String()
			if other := ticks[tick]; other != "" {
				wrong = append(wrong, fmt.Sprintf("runs %s and %s are both of the tick of %s", id, other, tick))
			}
			ticks[tick] = id
		case slices.Contains([]string{"webhook", "event", "cluster"}, doc.Trigger.Type): // the test knows how many there must be
		case !slices.Contains(accepted, id):
			wrong = append(wrong, fmt.Sprintf("run %s is there and nobody asked for it", id))
		}
		wrong = append(wrong, all.checkRun(doc)...)
	}
	for _, m := range all.under("orbit.record.") {
		if all.runs[token(m.Subject, 3)] == nil {
			wrong = append(wrong, fmt.Sprintf("the record at %s is of no run", m.Subject))
		}
	}
	return wrong
}

// recorded gives the sequence of each bundle's record.
func (all *stored) recorded() map[string]uint64 {
	recorded := map[string]uint64{}
	for _, m := range all.under("orbit.record.") {
		if bundle := token(m.Subject, 4); recorded[bundle] == 0 {
			recorded[bundle] = m.Seq
		}
	}
	for _, archive := range all.archives {
		for _, m := range archive {
			recorded[token(m.Subject, 4)] = m.Seq
		}
	}
	return recorded
}

// checkRun checks one run.
func (all *stored) checkRun(doc *kv.Run) []string {
	plan := all.plans[doc.Plan]
	if plan == nil {
		return []string{fmt.Sprintf("run %s: its plan is not there", doc.ID)}
	}
	c := newRecount(doc.ID, partitionsIn(all.streams), plan, all.blobs)
	tally := plan.NewTally()
	for _, m := range all.records(doc.ID) {
		failed := c.failedItems()
		rec := c.add(m)
		if rec == nil {
			continue
		}
		switch rec.Step {
		case orbit.RetryStep:
			if m, err := rec.Marker(); err == nil {
				tally.Reopen(plan, m, failed)
			}
		case orbit.LogsStep:
			if m, err := rec.LogMarker(); err == nil {
				tally.Cut(plan, m)
			}
		default:
			tally.Fold(plan, rec)
		}
		if tally.Outstanding != c.outstanding() {
			c.fault("after the record of bundle %s the fast count has %d items outstanding, the slow one %d", rec.Bundle, tally.Outstanding, c.outstanding())
		}
	}
	if !doc.State.Terminal() {
		c.fault("it has not ended (%s); %d items are outstanding", doc.State, c.outstanding())
	}
	all.checkLeft(c, doc)
	all.checkPurged(c, doc)
	if doc.State != orbit.RunCancelled && doc.State.Terminal() {
		checkEnd(c, doc, tally)
		c.checkLog(all.streams[streams.LogsStream])
	}
	return c.wrong
}

// checkEnd holds a run's document against its ledger.
func checkEnd(c *recount, doc *kv.Run, tally *cluster.Tally) {
	if n := c.outstanding(); n != 0 {
		c.fault("it ended with %d items outstanding", n)
	}
	for id, n := range c.named {
		if c.recs[id] == nil {
			c.fault("it ended, and bundle %s of %s has no record", id, n.step)
		}
	}
	if want := c.verdict(); doc.State != want {
		c.fault("it ended as %s; its ledger says %s", doc.State, want)
	}
	if doc.FinishedAt == nil || doc.StartedAt == nil || doc.FinishedAt.Before(*doc.StartedAt) {
		c.fault("it ended at %v and started at %v", doc.FinishedAt, doc.StartedAt)
	}
	counts, used := c.counts(), c.used()
	for _, s := range doc.Satellites {
		want := counts[s.Identifier]
		if !maps.Equal(s.Usage, used[s.Identifier]) {
			c.fault("its document says that %s took %v, its ledger %v", s.Identifier, s.Usage, used[s.Identifier])
		}
		for _, state := range orbit.ItemStates {
			if s.Items.Of(state) != want[state] {
				c.fault("its document counts %d items of %s as %s, its ledger %d", s.Items.Of(state), s.Identifier, state, want[state])
			}
		}
		t := tally.Steps[s.Identifier]
		if t == nil {
			t = &cluster.StepTally{}
		}
		if fast := []int{t.Born, t.Succeeded, t.Failed, t.Skipped, t.Retrying}; !slices.Equal(fast, []int{want[""], want[orbit.ItemSucceeded], want[orbit.ItemFailed], want[orbit.ItemSkipped], 0}) {
			c.fault("the fast count of %s is %v (born, succeeded, failed, skipped, retrying), the slow one %v", s.Identifier, fast, want)
		}
	}
	if len(doc.Satellites) != len(c.plan.Steps) {
		c.fault("its document shows %d of %d satellites", len(doc.Satellites), len(c.plan.Steps))
	}
}

// checkLeft looks at what still waits of a run.
func (all *stored) checkLeft(c *recount, doc *kv.Run) {
	for _, m := range all.under("orbit.") {
		kind := token(m.Subject, 1)
		if kind == "record" || kind == "dead" || !strings.Contains(m.Subject, "."+doc.ID) {
			continue
		}
		b, err := orbit.DecodeBundle(m.Data)
		if err != nil {
			c.fault("what waits at %s cannot be read: %v", m.Subject, err)
			continue
		}
		n, ok := c.named[b.ID]
		switch {
		case !ok:
			c.fault("a bundle %s of %s waits at %s, and no record names it (its parent is %s)", b.ID, b.Step, m.Subject, b.Parent)
		case !slices.EqualFunc(n.lineages, b.Items, func(l orbit.Lineage, it orbit.Item) bool { return l == it.Lineage }):
			c.fault("the bundle %s of %s that waits at %s holds other items than its parent's record says", b.ID, b.Step, m.Subject)
		}
		if doc.State.Terminal() {
			c.fault("it has ended, and bundle %s of %s still waits at %s", b.ID, b.Step, m.Subject)
		}
	}
}

// checkPurged looks for anything that is left of a run that was put away.
func (all *stored) checkPurged(c *recount, doc *kv.Run) {
	if !doc.Purged {
		return
	}
	for _, m := range all.under("orbit.") {
		if strings.Contains(m.Subject+".", "."+doc.ID+".") {
			c.fault("it was put away, and there is something at %s", m.Subject)
		}
	}
}

// token gives the i-th word of a subject, from 0.
func token(subject string, i int) string {
	t := strings.Split(subject, ".")
	if i >= len(t) {
		return ""
	}
	return t[i]
}
