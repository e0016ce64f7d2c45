package node

import "github.com/exospherehost/orbit/streams"

// limited tells whether a bundle is of a step that runs on so many slots of the mesh at once and no more. It is not known
// before the node has read the plan.
func (n *Node) limited(d *streams.Delivery) (limited, known bool) {
	if d.Bundle == nil { // nothing of it is run
		return false, true
	}
	p := n.plans.at(d.Bundle.Plan)
	if p == nil {
		return false, false
	}
	s, ok := p.steps[d.Bundle.Step]
	return ok && s.Concurrency > 0, true
}

// at gives a plan that has been read before; nil where it has not.
func (ps *plans) at(hash string) *plan {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.byHash[hash]
}
