package gateway

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/mesh"
)

const (
	// nodeSilent is how long after its last heartbeat a node that gossip does not know is taken for dead.
	nodeSilent = 10 * time.Second
	// nodeForget is how long a node that left or died is listed.
	nodeForget = 10 * time.Minute
	// nodeStore is how often an unchanged node is written again; its document lives kv.NodeTTL.
	nodeStore = kv.NodeTTL / 3
)

// nodeView is what this gateway knows of the nodes from their heartbeats. Gossip adds whether they live.
type nodeView struct {
	mu  sync.Mutex
	all map[string]*seenNode
}

type seenNode struct {
	beat   orbit.Heartbeat
	at     time.Time
	stored time.Time
	left   bool
}

func newNodeView() *nodeView { return &nodeView{all: map[string]*seenNode{}} }

// names are those of the nodes that have not left.
func (v *nodeView) names() (out []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for name, n := range v.all {
		if !n.left {
			out = append(out, name)
		}
	}
	return out
}

// living are the nodes that were heard a short while ago.
func (v *nodeView) living(now time.Time) map[string]bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := map[string]bool{}
	for name, n := range v.all {
		if !n.left && now.Sub(n.at) <= nodeSilent {
			out[name] = true
		}
	}
	return out
}

// heartbeat takes a node's heartbeat and answers with the queues there are.
func (g *Gateway) heartbeat(m *nats.Msg) {
	var h orbit.Heartbeat
	if err := json.Unmarshal(m.Data, &h); err != nil || "orbit.node."+h.Node.Name != m.Subject {
		g.log.Warn().Str("subject", m.Subject).Msg("a heartbeat that cannot be read")
		return
	}
	now := time.Now()
	g.nodes.mu.Lock()
	n := g.nodes.all[h.Node.Name]
	fresh := n == nil || n.left
	if n == nil {
		n = &seenNode{}
		g.nodes.all[h.Node.Name] = n
	}
	changed := fresh || n.beat.Node.State != h.Node.State || n.beat.Node.Class != h.Node.Class
	n.beat, n.at, n.left = h, now, h.Node.State == "left"
	store := changed || now.Sub(n.stored) > nodeStore
	if store {
		n.stored = now
	}
	g.nodes.mu.Unlock()
	if fresh && !n.left {
		g.log.Info().Str("node", h.Node.Name).Str("class", h.Node.Class).Msg("node is here")
	}
	if strings.HasPrefix(m.Reply, "_INBOX.") {
		body, _ := json.Marshal(map[string]any{"queues": g.topology.Queues(), "partitions": g.topology.Partitions, "reserve": g.fill.reserve.Load()})
		_ = m.Respond(body) // lost: the next heartbeat comes in seconds
	}
	if store && g.leads(0) {
		g.wg.Go(func() { // the callback must not wait for the server
			// Dying before this: the node says it again within nodeStore.
			if _, err := g.store.Nodes.Put(g.ctx, h.Node.Name, &kv.Node{NodeDoc: h.Node, Hardware: h.Hardware, Seen: now.UTC()}); err != nil {
				g.log.Debug().Err(err).Str("node", h.Node.Name).Msg("node document not written")
			}
		})
	}
}

// leads tells whether this gateway leads a partition.
func (g *Gateway) leads(p int) bool {
	s := g.settlers[p]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leading
}

// runningItems gives the items of a run that nodes say they hold, by step.
func (v *nodeView) runningItems(run string) map[string]int {
	out := map[string]int{}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, n := range v.all {
		if n.left || time.Since(n.at) > nodeSilent {
			continue
		}
		for _, h := range n.beat.Running {
			if h.Run == run {
				out[h.Step] += h.Items
			}
		}
	}
	return out
}

// holding says which node holds a bundle, and since when; the zero time where it does not say.
type holding struct {
	node  string
	since time.Time
}

// runningBundles gives the bundles of a run that nodes say they hold.
func (v *nodeView) runningBundles(run string) map[string]holding {
	out := map[string]holding{}
	v.mu.Lock()
	defer v.mu.Unlock()
	for name, n := range v.all {
		if n.left || time.Since(n.at) > nodeSilent {
			continue
		}
		for _, h := range n.beat.Running {
			if h.Run == run {
				by := holding{node: name}
				if h.Since > 0 {
					by.since = time.UnixMilli(h.Since).UTC()
				}
				out[h.Bundle] = by
			}
		}
	}
	return out
}

// list gives every node, by name: what it says of itself, and what gossip says of it.
func (g *Gateway) listNodes() []orbit.NodeDoc {
	peers := map[string]mesh.Peer{}
	if g.opts.Peers != nil {
		for _, p := range g.opts.Peers() {
			peers[p.Name] = p
		}
	}
	now := time.Now()
	g.nodes.mu.Lock()
	defer g.nodes.mu.Unlock()
	var out []orbit.NodeDoc
	for name, n := range g.nodes.all {
		quiet := now.Sub(n.at)
		if quiet > nodeForget {
			delete(g.nodes.all, name)
			continue
		}
		doc := n.beat.Node
		peer, gossiped := peers[name]
		delete(peers, name)
		switch {
		case n.left:
			doc.State = "left"
		case gossiped && peer.State != mesh.Alive && quiet > nodeSilent/3:
			doc.State = string(peer.State)
		case quiet > nodeSilent && gossiped:
			doc.State = "suspect" // it gossips and says nothing to us: its connection to NATS is broken
		case quiet > nodeSilent:
			doc.State = "dead"
		}
		if doc.State == "dead" || doc.State == "left" {
			doc.Slots.Busy = 0
		}
		out = append(out, doc)
	}
	for _, p := range peers { // known by gossip alone
		if p.Role != mesh.Node {
			continue
		}
		doc := orbit.NodeDoc{Name: p.Name, State: string(p.State), Address: p.Address}
		if d := p.Digest; d != nil {
			doc.Class, doc.Version = d.Class, d.Version
			doc.Slots = orbit.Slots{Total: d.Slots, Busy: d.Busy}
		}
		out = append(out, doc)
	}
	for i := range out {
		if out[i].Pools == nil {
			out[i].Pools = []string{}
		}
		if out[i].GPUs == nil {
			out[i].GPUs = []orbit.GPU{}
		}
	}
	slices.SortFunc(out, func(a, b orbit.NodeDoc) int { return strings.Compare(a.Name, b.Name) })
	return out
}
