package cluster

import (
	"cmp"
	"fmt"
	"slices"
)

// graph is how the steps of a cluster hang together.
type graph struct {
	nodes []*node // as in Spec.Steps
	byID  map[string]*node
	from  *node               // failure.from; nil where any failure counts, or from is wrong
	known map[string][]string // what identifiers gave, by the parts

	fromOpen  bool // which satellite failure.from means is not known
	childOpen bool // which one an entry of children means is not known: any may have one parent more
}

// node is a step in the graph. Edges stay within a part.
type node struct {
	*StepSpec
	index     int
	parents   []*node
	children  []*node
	ancestors set
	scope     *node // of a join; nil: the run, or no join
	join      *Join
	depth     int
	reads     []read
	noted     few[read] // the same, to look up
	vague     bool      // part of a cycle or below one: what its ancestors are has no answer
	aboveOpen bool      // a parent of it, or of one above it, is not known
	belowOpen bool      // a child of it, or of one below it, is not known
}

// edge is an entry of parents or children.
type edge struct {
	from, to *node
	at       Pos
}

// connect draws the edges, and reports those that lead nowhere or in circles.
func (c *compiler) connect(s *Spec) *graph {
	g := &graph{byID: map[string]*node{}, known: map[string][]string{}}
	for i, step := range s.Steps {
		n := &node{StepSpec: step, index: i}
		g.nodes = append(g.nodes, n)
		id := step.Identifier
		if id.Text == "" {
			continue
		}
		if first, taken := g.byID[id.Text]; taken {
			hint := "choose another identifier for one of them"
			if id.Pos == step.Uses.Pos {
				hint = "give this one an identifier of its own"
			}
			c.error(id.Pos, codeTwice, hint, "the identifier %s is taken by the satellite on line %d", id.Text, first.Identifier.Pos.Line)
			continue
		}
		g.byID[id.Text] = n
	}
	g.mended()
	c.excused = c.excuse(s, g)
	var edges []edge
	for _, n := range g.nodes {
		n.aboveOpen, n.belowOpen = n.parentsOpen, n.childrenOpen
		for _, w := range n.Parents {
			p, open := c.neighbour(g, n, w, "parent")
			if n.aboveOpen = n.aboveOpen || open; p != nil {
				edges = append(edges, edge{p, n, w.Pos})
			}
		}
		for _, w := range n.Children {
			k, open := c.neighbour(g, n, w, "child")
			if n.belowOpen = n.belowOpen || open; k != nil {
				edges = append(edges, edge{n, k, w.Pos})
			}
		}
		g.childOpen = g.childOpen || n.belowOpen
	}
	for _, e := range edges {
		link(e.from, e.to)
	}
	for i, n := range g.nodes { // what no edge enters follows the one before it
		if i > 0 && n.Parents == nil && len(n.parents) == 0 && g.nodes[i-1].Part == n.Part {
			link(g.nodes[i-1], n)
		}
	}
	c.cycles(g, edges)
	g.inherit()
	c.failureFrom(s, g)
	for _, n := range g.topological() {
		c.unite(g, n)
	}
	return g
}

// mended lets identifiers that are none be found by the spelling that their hint names too: who has it in mind elsewhere
// is right once the hint is followed.
func (g *graph) mended() {
	for _, n := range g.nodes {
		id := n.Identifier.Text
		if id == "" || identifierPattern.MatchString(id) {
			continue
		}
		if meant := suggestIdentifier(id, 1); g.byID[meant] == nil {
			g.byID[meant] = n
		}
	}
}

// neighbour finds the step that an entry of parents or children names; a misspelt one counts as the nearest, so that
// nothing follows from it. It is open where none is near.
func (c *compiler) neighbour(g *graph, n *node, w Word, role string) (other *node, open bool) {
	other, known := g.byID[w.Text]
	if !known {
		if c.excused[w.Text] {
			return nil, true
		}
		ids := g.identifiers(n.Part)
		c.error(w.Pos, codeEdge, c.didYouMean(w.Text, ids), "the %s %s is no satellite of this cluster", role, quoted(w.Text))
		near := c.nearest(w.Text, ids)
		return g.byID[near], near == ""
	}
	if other.Part != n.Part {
		c.error(w.Pos, codeEdge, "edges stay within the main satellites, the failure steps or the log steps",
			"the %s %s is one of the %s", role, w.Text, partName(other.Part))
		return nil, false
	}
	return other, false
}

// identifiers lists the steps of some parts, in file order.
func (g *graph) identifiers(parts ...Part) []string {
	key := fmt.Sprint(parts)
	if known, ok := g.known[key]; ok {
		return known
	}
	var out []string
	for _, n := range g.nodes {
		if slices.Contains(parts, n.Part) && g.byID[n.Identifier.Text] == n { // one of those with the same
			out = append(out, n.Identifier.Text)
		}
	}
	g.known[key] = out
	return out
}

func partName(p Part) string {
	return map[Part]string{Main: "main satellites", Failure: "failure steps", Logs: "log steps"}[p]
}

func link(from, to *node) {
	if !slices.Contains(from.children, to) {
		from.children = append(from.children, to)
		to.parents = append(to.parents, from)
	}
}

// failureFrom finds where failures start the failure steps.
func (c *compiler) failureFrom(s *Spec, g *graph) {
	w := s.FailureFrom
	if w.Text == "" {
		return
	}
	n := g.byID[w.Text]
	if n != nil && n.Part == Main {
		g.from = n
		return
	}
	if n == nil && c.excused[w.Text] {
		g.fromOpen = true
		return
	}
	ids := g.identifiers(Main)
	c.error(w.Pos, codeFailureFrom, didYouMean(w.Text, ids), "failure.from names no main satellite: %s", quoted(w.Text))
	g.from = g.byID[nearest(w.Text, ids)]
	g.fromOpen = g.from == nil
}

// inherit finds everyone's ancestors.
func (g *graph) inherit() {
	for _, n := range g.nodes {
		n.ancestors = newSet(len(g.nodes))
	}
	for changed := true; changed; { // one round where the file is in order; cycles are tolerated
		changed = false
		for _, n := range g.nodes {
			for _, p := range n.parents {
				changed = n.ancestors.add(p.index) || changed
				changed = n.ancestors.union(p.ancestors) || changed
				if p.vague && !n.vague || p.aboveOpen && !n.aboveOpen {
					n.vague, n.aboveOpen, changed = n.vague || p.vague, n.aboveOpen || p.aboveOpen, true
				}
			}
		}
	}
	for _, n := range g.nodes {
		if n.belowOpen {
			for above := range n.ancestors.all() {
				g.nodes[above].belowOpen = true
			}
		}
	}
}

// topological gives the steps, a parent before its children, else in file order, the main part first; what is on a cycle
// is left out.
func (g *graph) topological() []*node {
	open := make([]int, len(g.nodes))
	var ready []*node
	for i, n := range g.nodes {
		open[i] = len(n.parents)
		if open[i] == 0 {
			ready = append(ready, n)
		}
	}
	var out []*node
	for len(ready) > 0 {
		at := 0
		for i, n := range ready {
			if planOrder(n, ready[at]) < 0 {
				at = i
			}
		}
		n := ready[at]
		ready = slices.Delete(ready, at, at+1)
		out = append(out, n)
		for _, k := range n.children {
			if open[k.index]--; open[k.index] == 0 {
				ready = append(ready, k)
			}
		}
	}
	return out
}

func planOrder(a, b *node) int {
	return cmp.Or(cmp.Compare(rank(a.Part), rank(b.Part)), cmp.Compare(a.index, b.index))
}

// rank is the place of a part in a plan.
func rank(p Part) int {
	switch p {
	case Main:
		return 0
	case Failure:
		return 1
	}
	return 2
}
