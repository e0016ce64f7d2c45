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
			needs[n.index].union(needs[k.index])
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
	for i, end := 0, 0; i < len(reads); i = end {
		step := reads[i].step
		l, whole := Live{Step: step}, false
		for end = i; end < len(reads) && reads[end].step == step; end++ {
			if needed.has(end) {
				whole = whole || reads[end].field == "" // it sorts first
				if !whole {
					l.Fields = append(l.Fields, reads[end].field)
				}
			}
		}
		if (whole || l.Fields != nil) && step != feeder(n) && (step == Payload || g.above(n, g.byID[step])) {
			out = append(out, l)
		}
	}
	return out
}

// above tells whether items of n can have an object of the other step in their lineage.
func (g *graph) above(n, other *node) bool {
	return n.ancestors.has(other.index) || n.Part == Failure && other.Part == Main
}

// feeder is the step whose output is the incoming object of the step's items, which travels whole; empty for a join, and
// for the first failure and log steps, whose incoming object is not the payload.
func feeder(n *node) string {
	switch {
	case n.join != nil || len(n.parents) > 1:
		return ""
	case len(n.parents) == 1:
		return n.parents[0].Identifier.Text
	case n.Part == Main:
		return Payload
	}
	return ""
}
