package node

import (
	"sync/atomic"
	"time"

	"github.com/exospherehost/orbit/streams"
)

// door closes a room while its model's server is not up. Each has a puller of its own, for requests that are under way are
// taken back by ending its subscription and in no other way.
type door struct {
	ready  func() bool
	puller *streams.Puller // of the worker; nil: closed

	// What the worker tells of the room.
	shut   atomic.Bool // it is closed, and nothing of it runs
	inHand atomic.Int64
	each   atomic.Int64 // nanoseconds that a bundle takes a slot, about
}

func newDoor(ready func() bool) *door {
	d := &door{ready: ready}
	d.shut.Store(true)
	return d
}

// closed tells whether nothing of the room is to be taken.
func (r *room) closed() bool { return r.door != nil && r.door.puller == nil }

// tell says how the room is.
func (r *room) tell() {
	r.door.inHand.Store(int64(r.running + r.waiting))
	r.door.each.Store(int64(r.each))
	r.door.shut.Store(r.closed() && r.running == 0)
}

// turnDoors opens and closes the rooms of models as their servers come and go. What waits in one that is closed is handed back
// once its puller has ended, for before it would come again; so is what was on its way.
func (w *worker) turnDoors() {
	for _, r := range w.doors {
		d := r.door
		switch {
		case d.puller != nil && !d.ready():
			p := d.puller
			d.puller = nil
			w.node.wg.Go(func() {
				p.Stop()
				w.poke()
			})
			continue
		case d.puller != nil:
			continue
		}
		if r.waiting > 0 {
			r.drop(func(*streams.Delivery) bool { return true })
			w.moved = true
		}
		d.shut.Store(false) // before it asks: who says meanwhile that the server goes sees that it is to wait for us
		if d.ready() {
			p, err := streams.NewPuller(w.node.opts.Conn, w.arrived, w.poke)
			if err == nil {
				d.puller = p
				continue
			}
			w.node.log.Debug().Err(err).Msg("could not ask for the work of a model") // the connection is gone for good
		}
		r.tell()
	}
}

// pullerOf is the puller for a room's work; nil where it is closed.
func (w *worker) pullerOf(r *room) *streams.Puller {
	if r.door == nil {
		return w.puller
	}
	return r.door.puller
}

// forget has every puller ask anew.
func (w *worker) forget() {
	w.puller.Forget()
	for _, r := range w.doors {
		if p := r.door.puller; p != nil {
			p.Forget()
		}
	}
}

// stopPulling ends all pullers.
func (w *worker) stopPulling() {
	for _, r := range w.doors {
		if p := r.door.puller; p != nil {
			r.door.puller = nil
			w.node.wg.Go(p.Stop)
		}
	}
	w.puller.Stop()
}

// rateOf is the number of bundles that a room does in a second; 0: not measured.
func (r *room) rateOf() float64 {
	each := time.Duration(r.door.each.Load())
	if each <= 0 {
		return 0
	}
	return float64(r.slots) / each.Seconds()
}
