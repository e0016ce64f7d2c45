package cluster

import (
	"cmp"
	"slices"
	"strings"
)

// cycles reports each cycle once, at its first entry in the file.
func (c *compiler) cycles(g *graph, edges []edge) {
	component := g.components()
	slices.SortStableFunc(edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.at.Column, b.at.Column))
	})
	told := map[int]bool{}
	for _, e := range edges {
		k := component[e.from.index]
		if component[e.to.index] != k || told[k] {
			continue
		}
		told[k] = true
		for _, n := range g.nodes {
			if component[n.index] == k {
				n.vague = true
			}
		}
		c.error(e.at, codeCycle, "remove one of these edges; a satellite that no edge enters follows the one before it, and parents: [] makes it a root",
			"the satellites form a cycle: %s", strings.Join(circle(e, component), " → "))
	}
}

// circle names the steps of a shortest cycle through an edge.
func circle(e edge, component []int) []string {
	before := map[*node]*node{e.to: nil}
	queue := []*node{e.to}
	for len(queue) > 0 && queue[0] != e.from {
		n := queue[0]
		queue = queue[1:]
		for _, k := range n.children {
			if _, seen := before[k]; !seen && component[k.index] == component[e.to.index] {
				before[k] = n
				queue = append(queue, k)
			}
		}
	}
	var names []string
	for n := e.from; n != nil; n = before[n] {
		names = append(names, n.Identifier.Text)
	}
	names = append(names, e.from.Identifier.Text)
	slices.Reverse(names)
	if len(names) > 12 {
		names = append(append(names[:6:6], "…"), names[len(names)-5:]...)
	}
	return names
}

// components numbers the strongly connected components (Tarjan): two steps have the same number when each can be
// reached from the other.
func (g *graph) components() []int {
	component := make([]int, len(g.nodes))
	order, low := make([]int, len(g.nodes)), make([]int, len(g.nodes))
	onStack := make([]bool, len(g.nodes))
	var stack []*node
	count, next := 0, 0
	var visit func(n *node)
	visit = func(n *node) {
		next++
		order[n.index], low[n.index] = next, next
		stack, onStack[n.index] = append(stack, n), true
		for _, k := range n.children {
			if order[k.index] == 0 {
				visit(k)
				low[n.index] = min(low[n.index], low[k.index])
			} else if onStack[k.index] {
				low[n.index] = min(low[n.index], order[k.index])
			}
		}
		if low[n.index] != order[n.index] {
			return
		}
		count++
		for {
			k := stack[len(stack)-1]
			stack, onStack[k.index] = stack[:len(stack)-1], false
			component[k.index] = count
			if k == n {
				return
			}
		}
	}
	for _, n := range g.nodes {
		if order[n.index] == 0 {
			visit(n)
		}
	}
	return component
}
