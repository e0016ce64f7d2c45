package gateway

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/mesh"
	"github.com/exospherehost/orbit/streams"
)

// A node that dies is given work until the server sees that its connection is gone, and what it pulled in its last moments it told
// nobody. So when one has died the leader of each partition compares what was given away with what the living say they hold, and hands
// back what nobody has. Like all that follows from a death it is a hint: where an answer is missing, nothing is handed back, and the
// lease ends by itself.
const (
	// orphanWait is the time between the look at what was given away and the question who has it: by then it has arrived.
	orphanWait = 300 * time.Millisecond
	// orphanTries bounds how often the living are asked, a second apart, until all have answered: as long as another node that has
	// died may be believed alive.
	orphanTries = int(nodeSilent/time.Second) + 2
	// keepersFirst is how long after a death by gossip its keepers have to act, and to tell us: what they hand back must not be taken
	// from who has it by then.
	keepersFirst = 4 * time.Second
	// heldWait is how long they have to answer, and heldLeast how long it is listened for nodes that are not known yet.
	heldWait, heldLeast = time.Second, 200 * time.Millisecond
)

// heardCast takes what keepers tell.
func (g *Gateway) heardCast(m *nats.Msg) {
	c, err := streams.DecodeCast(m.Data)
	if err != nil || c.Kind != streams.CastDied {
		return
	}
	select {
	case g.died <- c.Node:
	default: // a search is to come anyway
	}
}

// findOrphans searches whenever a node has died, by what its keepers or gossip say.
func (g *Gateway) findOrphans() {
	if pause(g.ctx, nodeSilent) != nil { // by then every living node has said that it is there
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	known := map[string]time.Time{} // when gossip says that it died, of those that were searched for
	for {
		select {
		case name := <-g.died:
			g.searchOrphans(name)
		case <-tick.C:
			for name, since := range g.deadByGossip() {
				if !known[name].Equal(since) && g.leadsAny() && time.Since(since) > keepersFirst {
					known[name] = since
					g.searchOrphans(name)
				}
			}
		case <-g.ctx.Done():
			return
		}
	}
}

// deadByGossip gives the nodes that gossip takes for dead, and since when.
func (g *Gateway) deadByGossip() map[string]time.Time {
	out := map[string]time.Time{}
	if g.opts.Witness == nil {
		return out
	}
	for _, n := range g.nodes.names() {
		if since, dead := g.opts.Witness.Died(n); dead {
			out[n] = since
		}
	}
	return out
}

// searchOrphans hands back what nobody holds.
func (g *Gateway) searchOrphans(dead string) {
	for range orphanTries {
		taken, err := g.taken(g.ctx)
		if err == nil && len(taken) == 0 {
			return
		}
		if pause(g.ctx, orphanWait) != nil {
			return
		}
		if err == nil {
			if held, all := g.askHeld(dead); all {
				g.handBackOrphans(taken, held)
				return
			}
		}
		if pause(g.ctx, time.Second) != nil {
			return
		}
	}
}

// taken lists what was given away of the partitions that this gateway leads.
func (g *Gateway) taken(ctx context.Context) (all []streams.Taken, err error) {
	for p := range g.topology.Partitions {
		if !g.leads(p) {
			continue
		}
		for _, q := range g.topology.Queues() {
			some, err := streams.TakenOf(ctx, g.js, g.opts.Conn, q, p)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
	}
	return all, nil
}

// askHeld asks every node what it holds, by Lease.Place. Not all: one that should be alive has not answered.
func (g *Gateway) askHeld(dead string) (held map[string]bool, all bool) {
	held = map[string]bool{}
	missing := g.living(dead, time.Now())
	in := make(chan *nats.Msg, 256)
	inbox := g.opts.Conn.NewInbox()
	sub, err := g.opts.Conn.ChanSubscribe(inbox, in)
	if err != nil {
		return nil, false
	}
	defer func() { _ = sub.Unsubscribe() }()
	if g.opts.Conn.PublishRequest(streams.HeldSubject, inbox, nil) != nil {
		return nil, false
	}
	late := time.NewTimer(heldWait)
	defer late.Stop()
	least := time.NewTimer(heldLeast)
	defer least.Stop()
	for listening := true; listening || len(missing) > 0; {
		select {
		case <-least.C:
			listening = false
		case m := <-in:
			if m.Header.Get("Status") == "503" { // no node listens
				return held, len(missing) == 0
			}
			h, err := streams.DecodeHolds(m.Data)
			if err != nil {
				return nil, false
			}
			for _, l := range h.Leases {
				held[l.Place()] = true
			}
			delete(missing, h.Node)
		case <-late.C:
			return nil, false
		case <-g.ctx.Done():
			return nil, false
		}
	}
	return held, true
}

// living are the nodes that were heard a short while ago, or that gossip knows, but for one that has died.
func (g *Gateway) living(dead string, now time.Time) map[string]bool {
	out := g.nodes.living(now)
	if g.opts.Peers != nil {
		for _, p := range g.opts.Peers() {
			if p.Role == mesh.Node && p.State == mesh.Alive {
				out[p.Name] = true
			}
		}
	}
	delete(out, dead)
	return out
}

// leadsAny tells whether this gateway leads a partition.
func (g *Gateway) leadsAny() bool {
	for p := range g.topology.Partitions {
		if g.leads(p) {
			return true
		}
	}
	return false
}

// handBackOrphans hands back what is in no list. Bundles of steps with a limit on concurrency wait for their leases: no hint takes them.
//
// Dying among them: the rest waits for its leases.
func (g *Gateway) handBackOrphans(taken []streams.Taken, held map[string]bool) {
	n := 0
	for _, t := range taken {
		if held[t.Lease.Place()] {
			continue
		}
		b, err := orbit.DecodeBundle(t.Data)
		if err != nil {
			continue
		}
		p, err := g.plans.get(g.ctx, b.Plan)
		if err != nil {
			continue
		}
		if s, ok := p.Step(b.Step); !ok || s.Concurrency > 0 {
			continue
		}
		_ = streams.HandBack(g.opts.Conn, t.Lease) // lost: the lease ends by itself
		n++
	}
	if n > 0 {
		g.log.Info().Int("bundles", n).Msg("bundles that nobody holds any more are handed back")
	}
}
