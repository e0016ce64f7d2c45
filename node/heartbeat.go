package node

import (
	"encoding/json"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/streams"
)

// beat is the time between heartbeats.
const beat = 3 * time.Second

// queueList is what a gateway told of the queues there are.
type queueList struct {
	Queues     []streams.Queue `json:"queues"`
	Partitions int             `json:"partitions"`
	Reserve    bool            `json:"reserve"` // the store is nearly full: what is left is kept for steps without children
}

// firstQueues are asked before any gateway has answered: those of the built-in satellites.
func (n *Node) firstQueues() *queueList {
	l := &queueList{Partitions: 1}
	for _, class := range n.opts.Serves {
		l.Queues = append(l.Queues, streams.QueuesOf(class, orbit.CorePool)...)
	}
	return l
}

// served are the queues there are whose work this node takes.
func (n *Node) served() []streams.Queue {
	var out []streams.Queue
	for _, q := range n.queues.Load().Queues {
		if placement.Takes(n.opts.Serves, n.opts.Pools, q.Class, q.Pool) {
			out = append(out, q)
		}
	}
	return out
}

// heartbeats tells gateways about this node until it stops. Each answer brings the list of queues.
func (n *Node) heartbeats() {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		n.heartbeat("alive")
		select {
		case <-tick.C:
		case <-n.worker.stopped:
			n.heartbeat("draining")
			<-n.quit
			n.heartbeat("left")
			return
		case <-n.quit:
			n.heartbeat("left")
			return
		}
	}
}

func (n *Node) heartbeat(state string) {
	if n.opts.Busy != nil {
		n.opts.Busy(n.Busy())
	}
	hw := n.opts.Hardware()
	h := orbit.Heartbeat{Hardware: hw, Node: orbit.NodeDoc{Name: n.opts.Name, State: state, Class: n.opts.Class, Pools: n.opts.Pools,
		CPU: orbit.NodeCPU{Cores: hw.Cores}, Memory: hw.Memory, GPUs: hw.GPUs, Slots: orbit.Slots{Total: n.opts.slots(), Busy: n.Busy()},
		Address: n.opts.Address, Version: n.opts.Version}}
	if n.opts.Models != nil {
		h.Node.Models = n.opts.Models()
	}
	for _, d := range n.worker.held(orbit.MaxHeld) {
		if d.Bundle != nil {
			h.Running = append(h.Running, orbit.Held{Run: d.Run, Step: d.Bundle.Step, Bundle: d.Bundle.ID, Items: len(d.Bundle.Items), Since: d.Arrived.UnixMilli()})
		}
	}
	body, err := json.Marshal(h)
	if err != nil {
		n.log.Error().Err(err).Msg("heartbeat")
		return
	}
	if state == "left" {
		_ = n.opts.Conn.Publish(streams.NodeSubject(n.opts.Name), body) // lossy: without it the node is seen as dead a little later
		_ = n.opts.Conn.FlushTimeout(time.Second)                       // the server may be going, too
		return
	}
	m, err := n.opts.Conn.Request(streams.NodeSubject(n.opts.Name), body, beat/2)
	if err != nil {
		return // no gateway now; work flows without
	}
	var l queueList
	if json.Unmarshal(m.Data, &l) == nil && len(l.Queues) > 0 {
		l.Partitions = max(1, l.Partitions)
		n.queues.Store(&l)
	}
}
