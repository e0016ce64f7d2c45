package cluster

import "slices"

// unite finds the scope of a join, and the depth of every step. It is called for a parent before its children.
func (c *compiler) unite(g *graph, n *node) {
	if u := n.Unites; u == nil && len(n.parents) < 2 {
		n.depth = 1
		if len(n.parents) == 1 {
			n.depth = n.parents[0].depth + 1
		}
		return
	}
	n.join = &Join{Strategy: "all-success", Scope: "run"}
	if u := n.Unites; u != nil {
		n.join.Strategy, n.join.MinPercent, n.join.MinCount = u.Strategy, u.MinPercent, u.MinCount
	}
	c.scope(g, n)
	n.depth = 1 // at scope run a join has the lineage of a root
	defer func() { n.join.Members = members(g, n) }()
	if n.scope != nil {
		n.join.Scope = n.scope.Identifier.Text
		n.depth = n.scope.depth + 1 // one item for each object of the scope step
	}
}

func (c *compiler) scope(g *graph, n *node) {
	if n.vague || n.aboveOpen || slices.ContainsFunc(n.Parents, func(w Word) bool { return g.byID[w.Text] == nil }) {
		return
	}
	u := n.Unites
	switch {
	case n.Part != Main:
		c.error(n.joinPos(), codeUnites, "put them in a row, or fan out", "the %s cannot be joined", partName(n.Part))
	case len(n.parents) == 0 && g.childOpen:
	case len(n.parents) == 0:
		c.error(u.Pos, codeUnites, "name its parents", "%s has no parent, so there is nothing to unite", n.Identifier.Text)
	case u != nil && u.Identifier.Text == RunScope:
	case u != nil && u.Identifier.Text != "":
		scope, known := g.byID[u.Identifier.Text]
		names := commonLineage(n)
		if !known && c.excused[u.Identifier.Text] {
			return
		}
		if !known {
			c.error(u.Identifier.Pos, codeUnites, didYouMean(u.Identifier.Text, append(names, "run")), "unites names no satellite: %s", quoted(u.Identifier.Text))
		} else if !slices.Contains(names, scope.Identifier.Text) {
			c.error(u.Identifier.Pos, codeUnites, didYouMean("", append(names, "run")), "%s is not in the lineage of every parent of %s",
				scope.Identifier.Text, n.Identifier.Text)
		} else {
			n.scope = scope
		}
	case len(n.parents) == 1 && g.childOpen:
	case len(n.parents) == 1:
		c.error(u.Pos, codeUnites, didYouMean("", append(commonLineage(n), "run")), "with one parent, unites needs its identifier")
	default:
		if names := commonLineage(n); len(names) > 0 {
			n.scope = g.byID[names[0]]
		}
	}
}

// joinPos is where a step says that it is a join.
func (n *node) joinPos() Pos {
	switch {
	case n.Unites != nil:
		return n.Unites.Pos
	case len(n.Parents) > 0:
		return n.Parents[0].Pos
	}
	return n.Identifier.Pos
}

// members names the steps below the scope of a join that lead to it, in file order.
func members(g *graph, n *node) []string {
	out := []string{}
	for _, m := range g.nodes {
		if n.ancestors.has(m.index) && (n.scope == nil || m.ancestors.has(n.scope.index)) {
			out = append(out, m.Identifier.Text)
		}
	}
	return out
}

// commonLineage names the steps that are in the lineage of every parent, the nearest first.
func commonLineage(n *node) []string {
	var out []string
	for p := n.parents[0]; p != nil; p = p.above() {
		everywhere := true
		for _, other := range n.parents[1:] {
			everywhere = everywhere && other.descendsFrom(p)
		}
		if everywhere {
			out = append(out, p.Identifier.Text)
		}
	}
	return out
}

// above is the next step in a lineage: the parent, or a join's scope.
func (n *node) above() *node {
	if n.join != nil {
		return n.scope
	}
	if len(n.parents) == 0 {
		return nil
	}
	return n.parents[0]
}

// descendsFrom tells whether a step is in n's lineage; n is in its own.
func (n *node) descendsFrom(o *node) bool {
	for p := n; p != nil; p = p.above() {
		if p == o {
			return true
		}
	}
	return false
}
