package node

import (
	"slices"
	"sync"
	"time"

	"github.com/exospherehost/orbit/mesh"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/streams"
)

// Gossip is what a node needs of the mesh: who is there, and who has died. It is a hint.
type Gossip interface {
	streams.Witness
	Peers() []mesh.Peer
}

// keepers is the number of machines that are told what a node holds: one that acts, and one for when it dies too.
const keepers = 2

// holds tells this node's keepers what it holds, so that others go on with it soon after the node's death. What they are not
// told, the pulls of the last moments, is left to its lease.
type holds struct {
	node   *Node
	gossip Gossip
	life   uint64
	wake   chan struct{}

	mu  sync.Mutex
	now []*streams.Delivery // held, as the worker said last

	told []string // the keepers who were told last; owned by run
}

func newHolds(n *Node, g Gossip) *holds {
	return &holds{node: n, gossip: g, life: uint64(time.Now().UnixNano()), wake: make(chan struct{}, 1)}
}

// set takes what is held now. It does not block.
func (h *holds) set(ds []*streams.Delivery) {
	h.mu.Lock()
	h.now = ds
	h.mu.Unlock()
	h.poke()
}

// poke has the keepers told anew: of what is held a plan is known now, so it is known whether a keeper may take it.
func (h *holds) poke() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// run tells until the worker holds nothing any more.
func (h *holds) run() {
	again := time.NewTicker(streams.HoldsAgain)
	defer again.Stop()
	h.tell() // a keeper that knows an earlier life under this name hears that it is over
	for {
		select {
		case <-h.wake:
			h.tell()
		case <-again.C:
			h.tell()
		case <-h.node.worker.drained:
			over := (&streams.Holds{Node: h.node.opts.Name, Life: h.life, Over: true}).Encode() // nothing is held, and nobody has died
			for _, k := range h.told {
				_ = h.node.opts.Conn.Publish(streams.HoldsSubject(k), over)
			}
			return
		}
	}
}

// tell publishes what is held now. All of it may be lost.
func (h *holds) tell() {
	h.mu.Lock()
	ds := h.now
	h.mu.Unlock()
	list := &streams.Holds{Node: h.node.opts.Name, Life: h.life, Keepers: h.keepers(), Leases: h.leases(ds)}
	body := list.Encode()
	for _, k := range list.Keepers {
		_ = h.node.opts.Conn.Publish(streams.HoldsSubject(k), body)
	}
	for _, k := range h.told { // who is no keeper any more forgets what it has
		if !slices.Contains(list.Keepers, k) {
			_ = h.node.opts.Conn.Publish(streams.HoldsSubject(k), (&streams.Holds{Node: list.Node, Life: h.life, Over: true}).Encode())
		}
	}
	h.told = list.Keepers
}

// keepers chooses them of those who live.
func (h *holds) keepers() []string {
	var nodes, gateways []string
	for _, p := range h.gossip.Peers() {
		switch {
		case p.State != mesh.Alive:
		case p.Role == mesh.Node:
			nodes = append(nodes, p.Name)
		case p.Role == mesh.Gateway:
			gateways = append(gateways, p.Name)
		}
	}
	return placement.Keepers(h.node.opts.Name, nodes, gateways, keepers)
}

// leases gives those that a keeper may take. Bundles of steps with a limit on concurrency are not among them, nor those of
// which this is not known yet: no hint takes their lease.
func (h *holds) leases(ds []*streams.Delivery) []streams.Lease {
	out := make([]streams.Lease, 0, min(len(ds), streams.MaxLeases))
	for _, d := range ds {
		if len(out) == streams.MaxLeases {
			break
		}
		if limited, known := h.node.limited(d); limited || !known {
			continue
		}
		if l, ok := d.Lease(); ok {
			out = append(out, l)
		}
	}
	return out
}
