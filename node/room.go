package node

import (
	"time"

	"github.com/exospherehost/orbit/streams"
)

// room is a number of slots and the lanes whose bundles take them. A node has one of its own, for what runs on its
// processors, and one for each pool whose work another machine does: there a bundle waits on the network, and as many may wait
// as that machine takes. Only the worker's goroutine touches it.
type room struct {
	lanes
	slots      int
	running    int
	ask        *lane         // whose work is to be asked for, once slots are given out
	each       time.Duration // about how long a bundle takes a slot
	done, rate int           // bundles that left their slot in this second, and in the one before
	door       *door         // nil: always open
}

// rooms are the slots of a node.
type rooms struct {
	rooms  []*room // the node's own first
	byPool map[string]*room
	doors  []*room // those with a door
	of     map[streams.Queue]*lane
}

func newRooms(slots int, elsewhere map[string]int, ready map[string]func() bool) rooms {
	rs := rooms{rooms: []*room{{slots: slots}}, byPool: map[string]*room{}, of: map[streams.Queue]*lane{}}
	for pool, n := range elsewhere {
		r := &room{slots: max(1, n)}
		rs.rooms, rs.byPool[pool] = append(rs.rooms, r), r
		if is := ready[pool]; is != nil {
			r.door = newDoor(is)
			rs.doors = append(rs.doors, r)
		}
	}
	return rs
}

// lane gives the lane of a queue.
func (rs *rooms) lane(q streams.Queue) *lane {
	l := rs.of[q]
	if l == nil {
		r := rs.byPool[q.Pool]
		if r == nil {
			r = rs.rooms[0]
		}
		l = &lane{queue: q, room: r}
		rs.of[q] = l
		r.all = append(r.all, l)
	}
	return l
}

// running is the number of bundles in a slot, waiting of those that wait for one.
func (rs *rooms) running() (n int) {
	for _, r := range rs.rooms {
		n += r.running
	}
	return n
}

func (rs *rooms) waiting() (n int) {
	for _, r := range rs.rooms {
		n += r.waiting
	}
	return n
}

// drop hands back the waiting bundles for which f holds, and counts them.
func (rs *rooms) drop(f func(*streams.Delivery) bool) (n int) {
	for _, r := range rs.rooms {
		n += r.drop(f)
	}
	return n
}

// begun marks that a bundle has come into a slot, ended that it left after so long.
func (r *room) begun() { r.running++ }

func (r *room) ended(l *lane, took time.Duration) {
	r.running--
	r.each = (r.each*7 + took) / 8
	l.each = (l.each*7 + took) / 8
	r.done++
}

// second ends a second of counting.
func (r *room) second() {
	r.done, r.rate = 0, r.done
	r.stale = true
}

// wants is the number of bundles of a lane to have on the way here, so that the slots stay busy and little waits.
func (r *room) wants(l *lane) int {
	each, ahead := l.each, maxAhead
	if each == 0 {
		each = r.each
	}
	switch {
	case each > aheadTime*time.Duration(r.slots): // it would only wait here, and be handed back
		ahead = 0
	case each > 0:
		ahead = int(aheadTime * time.Duration(r.slots) / each)
	}
	// Not far ahead of what was done lately either: how long the next bundles take is not known before they come.
	ahead = min(ahead, r.slots+max(r.done, r.rate)/4, maxAhead)
	n := r.slots + ahead - r.running - len(l.waiting)
	if others := r.others(l); others > 0 {
		if l != r.turn { // its turn comes when it is more urgent, or the others are done
			n -= others
		}
		n = max(n, glance-len(l.waiting))
	}
	return n
}
