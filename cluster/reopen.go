package cluster

import (
	"slices"

	"github.com/exospherehost/orbit"
)

// FailedItem is an item that has failed for good.
type FailedItem struct {
	Step      string
	Lineage   orbit.Lineage
	Bundle    string // whose record says so
	ByMembers bool   // a join that never ran, because of what it unites
}

// Again gives those of the items that have failed which a round does again: those that its marker means, and the joins that
// failed because of one of them.
func (p *Plan) Again(m orbit.RetryMarker, failed []FailedItem) (again []FailedItem) {
	w := p.wiring()
	byMembers := map[string]FailedItem{}
	for _, f := range failed {
		if f.ByMembers {
			byMembers[orbit.ItemID(f.Step, f.Lineage)] = f
		} else if m.Matches(f.Step, f.Lineage) {
			again = append(again, f)
		}
	}
	for i := 0; i < len(again); i++ { // it grows
		for _, l := range w.leads[again[i].Step] {
			id := orbit.ItemID(l.join.Identifier, again[i].Lineage.Prefix(l.depth))
			if f, ok := byMembers[id]; ok {
				delete(byMembers, id)
				again = append(again, f)
			}
		}
	}
	return again
}

// Reopen begins the next round: of the items that have failed, in the order of the ledger, those that the marker means are
// to be done again, and with them the joins that failed because of them. It gives the items to publish and the joins that
// are waited for no more; a join with a member that is done again is released later, by Fold.
//
// What has succeeded stays, a join that tolerated a failure too.
func (t *Tally) Reopen(p *Plan, m orbit.RetryMarker, failed []FailedItem) (items []FailedItem, released []Release) {
	t.Round, t.Logs.Last = m.Round, false
	w := p.wiring()
	again := p.Again(m, failed)
	open := make(map[string]bool, len(again))
	for _, f := range again {
		open[orbit.ItemID(f.Step, f.Lineage)] = true
	}
	var joins []FailedItem
	for _, f := range failed {
		if !open[orbit.ItemID(f.Step, f.Lineage)] {
			continue
		}
		t.step(f.Step).Failed--
		t.Outstanding++
		if jt := t.Joins[f.Step][f.Lineage]; jt != nil {
			jt.Done, jt.Again = false, true
			joins = append(joins, f)
		} else {
			items = append(items, f)
		}
	}
	for _, x := range slices.Concat(items, joins) {
		for _, l := range w.leads[x.Step] {
			if jt := t.Joins[l.join.Identifier][x.Lineage.Prefix(l.depth)]; jt != nil {
				if jt.Failed--; !jt.Done {
					jt.Pending++
				}
			}
		}
	}
	for _, f := range joins {
		if jt := t.Joins[f.Step][f.Lineage]; jt.Pending == 0 {
			step, _ := p.Step(f.Step)
			released = append(released, t.release(step, f.Lineage, jt))
		}
	}
	return items, released
}
