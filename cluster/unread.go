package cluster

import "slices"

// unread warns of satellites whose work is thrown away: what they return is a text, everything after them has an input
// of its own, and no expression reads it.
//
// It says nothing where it could be wrong. A satellite that sends, writes or moves something may be there for that
// alone, and one like jq may be there for how many objects it returns, or for failing; only a result that is a text
// (PrimaryText) tells of a satellite that is there for its result. A child without an input of its own reads the
// incoming object, and so may one that takes no input. A join waits for its parents and counts them, whatever it reads.
func (c *compiler) unread(g *graph) {
	if c.failed || c.blindUses {
		return
	}
	read := map[string]bool{}
	for _, n := range g.nodes {
		for _, r := range n.reads {
			read[r.step] = true
		}
	}
	for _, n := range g.nodes {
		if n.Part != Main || len(n.children) == 0 || n.Satellite == nil || n.Satellite.PrimaryText == "" || read[n.Identifier.Text] {
			continue
		}
		if slices.ContainsFunc(n.children, func(k *node) bool { return k.Input == nil || k.join != nil }) {
			continue
		}
		name, child := n.Identifier.Text, n.children[0].Identifier.Text
		c.warn(n.Identifier.Pos, codeUnread, "read it in the input of "+child+" as ${{ satellites."+name+".output }}, or remove that input to hand it on as it is",
			"nobody reads what %s returns: %s has an input of its own, and no expression names it", name, child)
	}
}
