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

// tellInTime says what is held, unless that was done a moment ago: then it sees to it that it is done soon.
func (w *worker) tellInTime(now time.Time) {
	since, least := now.Sub(w.told), tellEvery
	if w.running()+w.waiting()+w.committing <= fewTold {
		least = tellSoon
	}
	if since >= least {
		w.told = now
		w.tell()
	} else if least == tellSoon {
		w.soon.Reset(least - since)
	}
}

// tell says what is held, for when this node dies: what is begun first, and what waits here.
func (w *worker) tell() {
	ds := w.everything() // takes what has arrived, too
	w.moved = false
	if w.node.holds != nil {
		w.node.holds.set(ds)
	}
}

// everything is what is held: what is begun first, then what waits here. What is past MaxLeases is left out.
func (w *worker) everything() []*streams.Delivery {
	for len(w.arrived) > 0 {
		w.take(<-w.arrived)
	}
	ds := w.held(streams.MaxLeases)
	for _, r := range w.rooms.rooms {
		for _, l := range r.all {
			ds = append(ds, l.waiting[:min(len(l.waiting), streams.MaxLeases-len(ds))]...)
		}
	}
	return ds
}

// held lists what is in hand, for the heartbeat.
func (w *worker) held(most int) []*streams.Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]*streams.Delivery, 0, min(len(w.jobs), most))
	for j := range w.jobs {
		if len(out) == most {
			break
		}
		out = append(out, j.d)
	}
	return out
}
