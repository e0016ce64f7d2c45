package cluster

import (
	"fmt"
	"math"

	"github.com/exospherehost/orbit"
)

// Release is a join that nothing is waited for any more: its item is to be published, with its verdict.
type Release struct {
	Join    *Step
	Lineage orbit.Lineage // of its item, which is that of its scope object
	Failed  string        // the sentence, where it fails because of its members; empty: it runs
	Again   bool          // it was released in a round before
}

// JoinTally is what is open of one join below one scope object.
type JoinTally struct {
	Pending   int `json:"pending"`             // members that have not ended
	Succeeded int `json:"succeeded,omitempty"` // items of the join's parents
	Failed    int `json:"failed,omitempty"`    // members that have failed for good
	// Done: the join was released. It is kept where a member failed, for a later round may do that member again.
	Done  bool `json:"done,omitempty"`
	Again bool `json:"again,omitempty"` // it was released before, and a round does it again
}

// joins folds the results of a record into the joins that count them, and gives those that are released by it. The joins of
// an object are born with it, as in
//
//	pending = children and inner joins that the scope object becomes and that lead to the join
//	        + Σ over settled members (what their objects become − 1)
func (t *Tally) joins(p *Plan, rec *orbit.Record) (released []Release) {
	w := p.wiring()
	leads, scoped := w.leads[rec.Step], w.scoped[rec.Step]
	if len(leads) == 0 && len(scoped) == 0 {
		return nil
	}
	for i := range rec.Results {
		r := &rec.Results[i]
		if r.State == orbit.ItemRetrying {
			continue
		}
		for n := range r.Outputs {
			for _, j := range scoped {
				released = append(released, t.open(w, j, r.Lineage.Child(n))...)
			}
		}
		for _, l := range leads {
			at := r.Lineage.Prefix(l.depth)
			jt := t.Joins[l.join.Identifier][at]
			if jt == nil { // a record of another plan, or one that was folded twice: the caller's mistake
				continue
			}
			if !jt.Done {
				jt.Pending += r.Outputs*l.each - 1
			}
			switch {
			case r.State == orbit.ItemFailed:
				jt.Failed++
			case r.State == orbit.ItemSucceeded && l.parent:
				jt.Succeeded++
			}
			if jt.Pending == 0 && !jt.Done {
				released = append(released, t.release(l.join, at, jt))
			}
		}
	}
	return released
}

// release ends the counting for a join below a scope object.
func (t *Tally) release(j *Step, at orbit.Lineage, jt *JoinTally) Release {
	if jt.Done = true; jt.Failed == 0 {
		delete(t.Joins[j.Identifier], at)
	}
	return Release{j, at, j.Join.verdict(j.Identifier, at, jt), jt.Again}
}

// open begins to count for a join below a scope object; one that nothing leads to is released at once.
func (t *Tally) open(w *wiring, j *Step, at orbit.Lineage) []Release {
	jt := &JoinTally{Pending: w.births[j.Identifier]}
	if jt.Pending == 0 {
		return []Release{{j, at, j.Join.verdict(j.Identifier, at, jt), false}}
	}
	if t.Joins == nil {
		t.Joins = map[string]map[orbit.Lineage]*JoinTally{}
	}
	if t.Joins[j.Identifier] == nil {
		t.Joins[j.Identifier] = map[orbit.Lineage]*JoinTally{}
	}
	t.Joins[j.Identifier][at] = jt
	return nil
}

// verdict gives the sentence with which a join fails because of its members; empty: it runs.
func (j *Join) verdict(identifier string, at orbit.Lineage, t *JoinTally) string {
	item := orbit.ItemID(identifier, at)
	all := t.Succeeded + t.Failed
	switch {
	case all == 0: // no work at all is enough
	case j.Strategy != "all-done":
		if t.Failed == 0 {
			return ""
		}
		return fmt.Sprintf("%s: %s below it failed, and it unites all of them; look at these first, or unite with strategy: all-done", item, plural(t.Failed, "item"))
	case int64(t.Succeeded)*100e6 < int64(math.Round(j.MinPercent*1e6))*int64(all): // whole numbers: 29 of 50 are 58%
		return fmt.Sprintf("%s: %d of %s succeeded, and %g%% are needed", item, t.Succeeded, plural(all, "item"), j.MinPercent)
	case j.MinCount > 0 && t.Succeeded < j.MinCount:
		return fmt.Sprintf("%s: %s succeeded, and %d are needed", item, plural(t.Succeeded, "item"), j.MinCount)
	}
	return ""
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
