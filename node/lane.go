package node

import (
	"slices"
	"time"

	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/streams"
)

// lane is one queue as the worker sees it. Only the worker's goroutine touches it.
type lane struct {
	queue   streams.Queue
	room    *room
	waiting []*streams.Delivery // for a slot, in the order of the queue
	behind  int                 // bundles that waited on the server behind the last one that came
	each    time.Duration       // about how long a bundle of it takes a slot; 0: not measured
}

// lanes are the queues whose bundles take the same slots, and which of them is the turn.
type lanes struct {
	all     []*lane
	waiting int   // bundles in all lanes
	turn    *lane // whose bundles are started
	stale   bool  // something has come that may be more urgent

	heads []placement.Waiting // reused
	with  []*lane
}

// put adds a delivery. One that is the first of its lane may be more urgent than what is being done.
func (ls *lanes) put(l *lane, d *streams.Delivery) {
	ls.stale = ls.stale || len(l.waiting) == 0
	l.waiting = append(l.waiting, d)
	l.behind = d.Behind
	ls.waiting++
}

// next takes the bundle to start next; there is one. Which lane has the turn is thought about only where that may have
// changed: at the first bundle of a lane, when a lane is empty, and once a second.
func (ls *lanes) next(slots int) (*streams.Delivery, *lane) {
	if ls.stale || ls.turn == nil || len(ls.turn.waiting) == 0 {
		ls.choose(slots, time.Now())
	}
	l := ls.turn
	d := l.waiting[0]
	l.waiting[0] = nil
	l.waiting = l.waiting[1:]
	ls.waiting--
	return d, l
}

// choose gives the turn to the lane with the least laxity.
func (ls *lanes) choose(slots int, now time.Time) {
	ls.stale = false
	ls.heads, ls.with = ls.heads[:0], ls.with[:0]
	current := -1
	for _, l := range ls.all {
		if len(l.waiting) == 0 {
			continue
		}
		if l == ls.turn {
			current = len(ls.with)
		}
		w := placement.Waiting{Deadline: deadline(l.waiting[0]), Behind: len(l.waiting) - 1 + l.behind}
		if l.each > 0 {
			w.Rate = float64(slots) / l.each.Seconds()
		}
		ls.heads, ls.with = append(ls.heads, w), append(ls.with, l)
	}
	if best := placement.LeastLax(ls.heads, current, now); best >= 0 {
		ls.turn = ls.with[best]
	}
}

// others is the number of bundles that wait in other lanes.
func (ls *lanes) others(l *lane) int { return ls.waiting - len(l.waiting) }

// drop hands back the bundles for which f holds, and counts them.
func (ls *lanes) drop(f func(*streams.Delivery) bool) (n int) {
	for _, l := range ls.all {
		l.waiting = slices.DeleteFunc(l.waiting, func(d *streams.Delivery) bool {
			if !f(d) {
				return false
			}
			_ = d.Nak(0) // lost: the lease ends by itself
			n++
			return true
		})
	}
	ls.waiting -= n
	return n
}

// deadline is that of a bundle; of a message that is none, a time long ago: it takes no time to bury.
func deadline(d *streams.Delivery) time.Time {
	if d.Bundle == nil {
		return time.Time{}
	}
	return time.UnixMilli(d.Bundle.Deadline)
}
