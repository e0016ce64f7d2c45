package orbittest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

// recount adds up the ledger of one run slowly: item by item, with sets instead of sums, and without a line of the code
// that it checks. It is the other opinion on what a run comes to.
type recount struct {
	run        string
	partitions int
	plan       *cluster.Plan
	blobs      cluster.Blobs

	origin    map[string]string          // of bundles of failure steps: the failed item that they come from
	rounds    int                        // begun
	failedIn  map[string]string          // the bundle of the record that says that an item has failed
	byMembers map[string]bool            // joins that failed because of what they unite
	recs      map[string]*orbit.Record   // by bundle
	seqs      map[string]uint64          // of the records
	named     map[string]named           // bundles that must come to be, by id
	born      map[string]bool            // items, by name
	settled   map[string]orbit.ItemState // items that have ended
	attempt   map[string]int             // of the last result
	outputs   map[string]int             // objects of settled items
	cuts      []orbit.LogMarker          // of the log, in their order
	cut       bool                       // the last one of this round is among them
	quiet     time.Time                  // when the last item that is of no log step had ended
	wrong     []string
}

// named is a bundle that the run or a record says will be.
type named struct {
	step     string
	parent   string
	lineages []orbit.Lineage
}

func newRecount(run string, partitions int, plan *cluster.Plan, blobs cluster.Blobs) *recount {
	c := &recount{run: run, partitions: partitions, plan: plan, blobs: blobs, origin: map[string]string{}, rounds: 1, failedIn: map[string]string{}, byMembers: map[string]bool{}, recs: map[string]*orbit.Record{}, seqs: map[string]uint64{}, named: map[string]named{}, born: map[string]bool{},
		settled: map[string]orbit.ItemState{}, attempt: map[string]int{}, outputs: map[string]int{}}
	for i := range plan.Steps {
		if s := &plan.Steps[i]; s.Part == cluster.Main && len(s.Parents) == 0 {
			c.name(orbit.BundleID(s.Identifier, run, 0), named{s.Identifier, run, []orbit.Lineage{orbit.RootLineage}})
			c.born[orbit.ItemID(s.Identifier, orbit.RootLineage)] = true
		}
	}
	c.joins(cluster.RunScope, orbit.RootLineage)
	return c
}

// joins gives birth to the joins of a scope object.
func (c *recount) joins(scope string, at orbit.Lineage) {
	for i := range c.plan.Steps {
		if s := &c.plan.Steps[i]; s.Join != nil && s.Join.Scope == scope {
			c.name(orbit.JoinBundleID(s.Identifier, c.run, at), named{s.Identifier, c.run, []orbit.Lineage{at}})
			c.born[orbit.ItemID(s.Identifier, at)] = true
		}
	}
}

// round opens the items again that a marker means: what failed and is meant, and joins that failed because of such an item.
func (c *recount) round(rec *orbit.Record) {
	m, err := rec.Marker()
	if err != nil || rec.Bundle != fmt.Sprintf("~retry-%d", m.Round) || m.Round != c.rounds+1 {
		c.fault("the marker %s: %v, round %d after %d", rec.Bundle, err, m.Round, c.rounds)
		return
	}
	c.rounds, c.cut = m.Round, false
	if n := c.outstanding(); n != 0 {
		c.fault("round %d began with %d items outstanding", m.Round, n)
	}
	again := map[string]bool{}
	for grown := true; grown; {
		grown = false
		for item, state := range c.settled {
			step, l, _ := orbit.ParseItemID(item)
			s, ok := c.plan.Step(step)
			if !ok || s.Part != cluster.Main || state != orbit.ItemFailed || again[item] {
				continue
			}
			if c.byMembers[item] {
				again[item] = slices.ContainsFunc(slices.Collect(maps.Keys(again)), func(x string) bool {
					of, at, _ := orbit.ParseItemID(x)
					return again[x] && slices.Contains(s.Join.Members, of) && (s.Join.Scope == cluster.RunScope || at == l || strings.HasPrefix(string(at), string(l)+"."))
				})
			} else {
				again[item] = m.Matches(step, l)
			}
			grown = grown || again[item]
		}
	}
	for item, ok := range again {
		if !ok {
			continue
		}
		step, l, _ := orbit.ParseItemID(item)
		parent := c.run
		if !c.byMembers[item] {
			parent = c.failedIn[item]
		}
		if jt, _ := c.plan.Step(step); jt.Join != nil && c.withMember(jt, l, again) { // it waits, and is published as a join
			parent = c.run
		}
		delete(c.settled, item)
		delete(c.attempt, item)
		delete(c.byMembers, item)
		c.name(orbit.RoundBundleID(step, c.run, l, m.Round), named{step, parent, []orbit.Lineage{l}})
	}
}

// failedItems are the items of the main part that have failed, as of now.
func (c *recount) failedItems() (out []cluster.FailedItem) {
	for item, state := range c.settled {
		step, l, _ := orbit.ParseItemID(item)
		if s, ok := c.plan.Step(step); ok && s.Part == cluster.Main && state == orbit.ItemFailed {
			out = append(out, cluster.FailedItem{Step: step, Lineage: l, Bundle: c.failedIn[item], ByMembers: c.byMembers[item]})
		}
	}
	return out
}

// withMember tells whether a member of a join had failed.
func (c *recount) withMember(s *cluster.Step, l orbit.Lineage, again map[string]bool) bool {
	for item, state := range c.settled {
		of, at, _ := orbit.ParseItemID(item)
		if (state == orbit.ItemFailed || again[item]) && slices.Contains(s.Join.Members, of) && (s.Join.Scope == cluster.RunScope || at == l || strings.HasPrefix(string(at), string(l)+".")) {
			return true
		}
	}
	for item, ok := range again {
		of, at, _ := orbit.ParseItemID(item)
		if ok && slices.Contains(s.Join.Members, of) && (s.Join.Scope == cluster.RunScope || at == l || strings.HasPrefix(string(at), string(l)+".")) {
			return true
		}
	}
	return false
}

// item names an item; those of failure steps by what failed too, for several items may start the same step.
func (c *recount) item(bundle, step string, l orbit.Lineage) string {
	if from := c.origin[bundle]; from != "" {
		return orbit.ItemID(step, l) + " for " + from
	}
	return orbit.ItemID(step, l)
}

// united holds a join's record against the members of the join: all of them have ended, and the join fails where it must.
func (c *recount) united(rec *orbit.Record) {
	step, ok := c.plan.Step(rec.Step)
	if !ok || step.Join == nil || len(rec.Results) != 1 {
		return
	}
	at, failed := rec.Results[0].Lineage, 0
	for item := range c.born {
		if !slices.Contains(step.Join.Members, stepOf(item)) {
			continue
		}
		l := item[len(stepOf(item))+1:]
		if step.Join.Scope != cluster.RunScope && l != string(at) && !strings.HasPrefix(l, string(at)+".") {
			continue
		}
		switch c.settled[item] {
		case "":
			c.fault("%s is recorded, and %s, which it unites, has not ended", orbit.ItemID(rec.Step, at), item)
		case orbit.ItemFailed:
			failed++
		}
	}
	if failed > 0 && step.Join.Strategy == "all-success" && rec.Results[0].State != orbit.ItemFailed {
		c.fault("%s unites all of its members, %d of them failed, and it is %s", orbit.ItemID(rec.Step, at), failed, rec.Results[0].State)
	}
}

func (c *recount) fault(format string, a ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf("run %s: ", c.run)+fmt.Sprintf(format, a...))
}

func (c *recount) name(id string, n named) {
	if _, ok := c.named[id]; ok {
		c.fault("bundle %s of %s is named twice", id, n.step)
	}
	c.named[id] = n
}

// outstanding is the number of items that were born and have not ended.
func (c *recount) outstanding() int { return len(c.born) - len(c.settled) }

// add takes the next record of the run, in stream order.
func (c *recount) add(m streams.Stored) *orbit.Record {
	rec, err := orbit.DecodeRecord(m.Data)
	if err != nil {
		c.fault("the record at %s cannot be read: %v", m.Subject, err)
		return nil
	}
	if want := streams.RecordSubject(streams.Partition(c.run, c.partitions), c.run, rec.Bundle); m.Subject != want {
		c.fault("the record of bundle %s lies at %s", rec.Bundle, m.Subject)
	}
	if _, ok := c.recs[rec.Bundle]; ok {
		c.fault("bundle %s of %s has two records", rec.Bundle, rec.Step)
		return rec
	}
	c.recs[rec.Bundle], c.seqs[rec.Bundle] = rec, m.Seq
	switch rec.Step {
	case orbit.RetryStep:
		c.round(rec)
		return rec
	case orbit.LogsStep:
		c.batch(rec)
		return rec
	}
	if s, ok := c.plan.Step(rec.Step); ok && s.Part != cluster.Logs {
		c.quiet = m.Time
	}
	n, ok := c.named[rec.Bundle]
	switch {
	case !ok:
		c.fault("bundle %s of %s was committed before, or without, a record that names it (its parent is %s)", rec.Bundle, rec.Step, rec.Parent)
	case n.step != rec.Step || n.parent != rec.Parent:
		c.fault("bundle %s is of %s under %s; its record says %s under %s", rec.Bundle, n.step, n.parent, rec.Step, rec.Parent)
	case !slices.EqualFunc(n.lineages, rec.Results, func(l orbit.Lineage, r orbit.Result) bool { return l == r.Lineage }):
		c.fault("bundle %s of %s should hold %v; its record has other items", rec.Bundle, rec.Step, n.lineages)
	}
	c.united(rec)
	c.results(rec)
	c.kids(rec)
	return rec
}

// results takes what became of each item.
func (c *recount) results(rec *orbit.Record) {
	var sum orbit.Counts
	objects := 0
	for _, r := range rec.Results {
		item := c.item(rec.Bundle, rec.Step, r.Lineage)
		if !c.born[item] {
			c.fault("%s has a result and was never born", item)
		}
		if was, ok := c.settled[item]; ok {
			c.fault("%s has two results: %s, and %s in bundle %s", item, was, r.State, rec.Bundle)
		}
		_, again := c.attempt[item]
		if again && r.Attempt <= c.attempt[item] && r.State != orbit.ItemSkipped && (r.Error == nil || r.Error.Code != orbit.CodePoisoned) {
			c.fault("%s: attempt %d is recorded after attempt %d", item, r.Attempt, c.attempt[item])
		}
		if again {
			sum.Again++
		}
		c.attempt[item] = r.Attempt
		switch r.State {
		case orbit.ItemRetrying:
			sum.Retry++
			if r.Input == nil || r.Input.Lineage != r.Lineage {
				c.fault("%s is to be tried again and its record does not repeat its input", item)
			}
			continue
		case orbit.ItemSucceeded:
			sum.Succeeded++
			objects += r.Outputs
		case orbit.ItemFailed:
			sum.Failed++
			c.failedIn[item] = rec.Bundle
			c.byMembers[item] = r.Error != nil && r.Error.Code == orbit.CodeJoin
			if r.Error == nil || r.Error.Message == "" {
				c.fault("%s failed and nobody says why", item)
			}
		case orbit.ItemSkipped:
			sum.Skipped++
		}
		if r.State != orbit.ItemSucceeded && r.Outputs != 0 {
			c.fault("%s is %s and has %d outputs", item, r.State, r.Outputs)
		}
		c.settled[item], c.outputs[item] = r.State, r.Outputs
	}
	if rec.Counts != sum {
		c.fault("the record of bundle %s counts %+v; its results add up to %+v", rec.Bundle, rec.Counts, sum)
	}
	if got := c.objects(rec); got != objects {
		c.fault("the record of bundle %s should hold %d objects and holds %d", rec.Bundle, objects, got)
	}
}

// objects counts the objects that a record really holds.
func (c *recount) objects(rec *orbit.Record) (n int) {
	pieces := [][]byte{rec.Outputs.Inline}
	for _, chunk := range rec.Outputs.Chunks {
		data, err := c.blobs(chunk.Blob)
		if err != nil || len(data) != chunk.Size {
			c.fault("blob %s of bundle %s: %d bytes, %v", chunk.Blob, rec.Bundle, len(data), err)
		}
		pieces = append(pieces, data)
	}
	for _, data := range pieces {
		for len(data) > 0 {
			o, _, rest, ok := orbit.NextOutput(data)
			if !ok || !o.IsMap() {
				c.fault("the outputs of bundle %s are damaged", rec.Bundle)
				return n
			}
			data = rest
			n++
		}
	}
	return n
}

// verdict is the state that the run must end in.
func (c *recount) verdict() orbit.RunState {
	failed, leaf := false, false
	for item, state := range c.settled {
		step, ok := c.plan.Step(stepOf(item))
		if !ok || step.Part != cluster.Main {
			continue
		}
		failed = failed || state == orbit.ItemFailed
		leaf = leaf || state == orbit.ItemSucceeded && len(step.Children) == 0
	}
	switch {
	case failed && leaf:
		return orbit.RunPartial
	case failed:
		return orbit.RunFailed
	}
	return orbit.RunSucceeded
}

// counts gives the settled and born items of each step by state; "" counts the born.
func (c *recount) counts() map[string]map[orbit.ItemState]int {
	out := map[string]map[orbit.ItemState]int{}
	for i := range c.plan.Steps {
		out[c.plan.Steps[i].Identifier] = map[orbit.ItemState]int{}
	}
	for item := range c.born {
		out[stepOf(item)][""]++
	}
	for item, state := range c.settled {
		out[stepOf(item)][state]++
	}
	return out
}

func stepOf(item string) string {
	for i := range len(item) {
		if item[i] == '/' {
			return item[:i]
		}
	}
	return item
}

// used adds up what attempts took, by step, from the results of all records.
func (c *recount) used() map[string]orbit.Usage {
	out := map[string]orbit.Usage{}
	for _, rec := range c.recs {
		for i := range rec.Results {
			for name, n := range rec.Results[i].Usage {
				if out[rec.Step] == nil {
					out[rec.Step] = orbit.Usage{}
				}
				out[rec.Step][name] += n
			}
		}
	}
	return out
}
