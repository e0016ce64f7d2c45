package cluster

import (
	"cmp"
	"slices"
)

// live gives, for each step, what its items carry of their ancestors' outputs: what is read there or below. What failure
// steps read is carried by every step whose failure starts them.
func (g *graph) live() map[*node][]Live {
	var reads []read
	for _, n := range g.nodes {
		if n.join != nil && n.Input == nil {
			for _, parent := range n.parents {
				n.note(parent.Identifier.Text, nil)
			}
		}
		reads = append(reads, n.reads...)
	}
	slices.SortFunc(reads, func(a, b read) int { return cmp.Or(cmp.Compare(a.step, b.step), cmp.Compare(a.field, b.field)) })
	reads = slices.Compact(reads)
	number := make(map[read]int, len(reads))
	for i, r := range reads {
		number[r] = i
	}
	onFailure := newSet(len(reads))
	for _, n := range g.nodes {
		for _, r := range n.reads {
			if other := g.byID[r.step]; n.Part == Failure && (r.step == Payload || other != nil && other.Part == Main) {
				onFailure.add(number[r])
			}
		}
	}
	needs := make([]set, len(g.nodes)) // by the step's index: numbers of reads, a bit each, so that long files stay small
	for i, n := range g.nodes {
		needs[i] = newSet(len(reads))
		for _, r := range n.reads {
			needs[i].add(number[r])
		}
		if n.Part == Main && g.startsFailure(n) {
			needs[i].union(onFailure)
		}
	}
	order := g.topological()
	slices.Reverse(order)
	for _, n := range order { // children first
		for _, k := range n.children {
			if k.join == nil { // who makes a join's item reads what it needs from the ledger
				needs[n.index].union(needs[k.index])
			}
		}
	}
	out := make(map[*node][]Live, len(g.nodes))
	for i, n := range g.nodes {
		out[n] = g.carried(n, reads, needs[i])
	}
	return out
}

// startsFailure tells whether a failure of the step starts the failure steps.
func (g *graph) startsFailure(n *node) bool {
	return g.from == nil || g.from == n || n.ancestors.has(g.from.index)
}

// carried lists what a step carries beside its incoming object, sorted by the names of the steps. The reads are sorted,
// and needed holds the places of those that the step needs.
func (g *graph) carried(n *node, reads []read, needed set) []Live {
	var out []Live
	fed, step := feeder(n), "" // step: looked at last
	for i := range needed.all() {
		r := reads[i]
		if r.step == step { // the whole sorts first
			if last := len(out) - 1; last >= 0 && out[last].Step == step && out[last].Fields != nil {
				out[last].Fields = append(out[last].Fields, r.field)
			}
			continue
		}
		step = r.step
		other := g.byID[step]
		if step == fed || other != nil && !g.above(n, other) {
			continue
		}
		l := Live{Step: step, Many: other != nil && n.seesList(other)}
		if r.field != "" {
			l.Fields = []string{r.field}
		}
		out = append(out, l)
	}
	return out
}

// above tells whether items of n can have an object of the other step in their lineage.
func (g *graph) above(n, other *node) bool {
	return n.ancestors.has(other.index) || n.Part == Failure && other.Part == Main
}

// seesList tells whether an expression of n sees the objects of the other step, an ancestor, as a list: a join lies between. On a cycle and below one
// that has no answer, and a walk up the lineage no end.
func (n *node) seesList(other *node) bool {
	return !n.vague && n.Part == other.Part && n.ancestors.has(other.index) && !n.descendsFrom(other)
}

// feeder is the name under which the incoming object of the step's items, which travels whole, is known.
func feeder(n *node) string {
	parents := make([]string, len(n.parents))
	for i, p := range n.parents {
		parents[i] = p.Identifier.Text
	}
	return feederOf(n.Part, n.join != nil || len(n.parents) > 1, parents)
}
