package node

import (
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit/streams"
)

// heldPatience is how long the worker may take to say what is held: it is never busy with one thing for that long.
const heldPatience = 500 * time.Millisecond

// answerHeld tells a gateway everything that this node holds: what nobody holds has died with another node. A list that would not be
// whole is not given.
func (n *Node) answerHeld(m *nats.Msg) {
	reply := make(chan []*streams.Delivery, 1)
	var ds []*streams.Delivery
	late := time.NewTimer(heldPatience)
	defer late.Stop()
	select {
	case n.worker.asked <- reply:
		ds = <-reply
	case <-n.worker.drained: // nothing is held any more
	case <-late.C:
		return
	}
	if len(ds) >= streams.MaxLeases {
		return
	}
	list := &streams.Holds{Node: n.opts.Name}
	for _, d := range ds {
		l, ok := d.Lease()
		if !ok {
			return
		}
		list.Leases = append(list.Leases, l)
	}
	_ = m.Respond(list.Encode()) // lost: the gateway asks again
}
