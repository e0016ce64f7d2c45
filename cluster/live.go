package cluster

import (
	"cmp"
	"slices"
)

// needs is what is read of each step's output: the fields, or the whole.
type needs map[string]*need

type need struct {
	whole  bool
	fields map[string]bool
}

func (m needs) add(r read) {
	n := m[r.step]
	if n == nil {
		n = &need{fields: map[string]bool{}}
		m[r.step] = n
	}
	if r.field == "" {
		n.whole = true
	} else {
		n.fields[r.field] = true
	}
}

func (m needs) merge(o needs) {
	for step, n := range o {
		if n.whole {
			m.add(read{step: step})
		}
		for f := range n.fields {
			m.add(read{step, f})
		}
	}
}

// live gives, for each step, what its items carry of their ancestors' outputs: what is read there or below. What failure
// steps read is carried by every step whose failure starts them.
func (g *graph) live() map[*node][]Live {
	onFailure := needs{}
	for _, n := range g.nodes {
		if n.Part == Failure {
			for _, r := range n.reads {
				if other := g.byID[r.step]; r.step == Payload || other != nil && other.Part == Main {
					onFailure.add(r)
				}
			}
		}
	}
	all := make(map[*node]needs, len(g.nodes))
	order := g.topological()
	slices.Reverse(order)
	for _, n := range order { // children first
		m := needs{}
		for _, r := range n.reads {
			m.add(r)
		}
		for _, k := range n.children {
			m.merge(all[k])
		}
		if n.Part == Main && g.startsFailure(n) {
			m.merge(onFailure)
		}
		all[n] = m
	}
	out := make(map[*node][]Live, len(g.nodes))
	for n, m := range all {
		out[n] = g.carried(n, m)
	}
	return out
}

// startsFailure tells whether a failure of the step starts the failure steps.
func (g *graph) startsFailure(n *node) bool {
	return g.from == nil || g.from == n || n.ancestors.has(g.from.index)
}

// carried lists what a step carries beside its incoming object, sorted by the place of the steps in the file.
func (g *graph) carried(n *node, m needs) []Live {
	var out []Live
	for step, need := range m {
		if step == feeder(n) || step != Payload && !g.above(n, g.byID[step]) {
			continue
		}
		l := Live{Step: step}
		if !need.whole {
			for f := range need.fields {
				l.Fields = append(l.Fields, f)
			}
			slices.Sort(l.Fields)
		}
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b Live) int { return cmp.Compare(a.Step, b.Step) })
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
