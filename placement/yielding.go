package placement

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/exospherehost/orbit"
)

const (
	// shortLull and longLull bound how long a server must have had nothing to do before another takes its place: a tenth of what
	// switching there and back costs, for work comes in bursts.
	shortLull = 2 * time.Second
	longLull  = time.Minute
	// stays is how many times the cost of switching there and back a server is at work before it leaves its place, so that
	// little of the time goes into switching.
	stays = 5
	// turn is how long a server may be at work, at the least, before one whose work is late already takes its place whatever the
	// laxity: so nobody waits for ever for one that makes no headway.
	turn = 30 * time.Minute
)

// moves tells whether something is going on, on any device of a server.
func (s *switching) moves(v *Server) bool {
	return slices.ContainsFunc(v.On, func(d int) bool { return d >= len(s.devices) || s.devices[d].moving })
}

// yields tells whether a server leaves its place to another.
func (s *switching) yields(v, w *Server) bool {
	cost := there(v, w)
	if v.State != Ready {
		return false
	}
	if !v.busy() {
		return s.now.Sub(later(v.Idle, v.Since)) >= min(max(cost/10, shortLull), longLull)
	}
	ready, stay := s.now.Sub(v.Since), min(max(stays*cost, laxityStep), turn)
	if w.Fails > 0 { // it is likely to fail again, and the other one would have been stopped in its work for nothing
		stay = turn * time.Duration(min(w.Fails, 8))
	}
	return ready >= stay && s.more(v, w) || ready >= max(2*stay, turn) && w.laxity(s.now) < 0
}

// there is what switching from one server to another and back costs.
func there(a, b *Server) time.Duration { return a.Start + b.Start }

// more tells whether a server has so much more time than another that it would have to leave its place to it.
func (s *switching) more(v, w *Server) bool {
	step, mine := max(there(v, w), laxityStep), w.laxity(s.now)
	return mine < math.MaxInt64-step && v.laxity(s.now) > mine+step
}

// urgency is the laxity of a server. That of one whose work is late already falls twice as fast while it waits, so that those
// take turns though they make no headway.
func (s *switching) urgency(v *Server) time.Duration {
	l := v.laxity(s.now)
	if l < 0 {
		l = max(l, math.MinInt64/2) - min(s.now.Sub(later(v.Since, v.Waits)), math.MaxInt64/2)
	}
	return l
}

// hold keeps those servers off the devices that a server waits for that would have to leave them again at once; where its work is
// late already, all that are less urgent.
func (s *switching) hold(w *Server) {
	for d := range s.devices {
		if s.devices[d].held == nil && s.alone(d) >= w.Memory {
			s.devices[d].held = w
		}
	}
}

// option is a device for a server, and who leaves it then.
type option struct {
	device  int
	victims []*Server
	left    orbit.Bytes // free beside it
	working int         // of the victims
	laxity  time.Duration
}

// compare prefers the device on which the fewest servers are stopped in their work, then the fewest of all, then those with
// the most time, and of those where nobody is stopped the one with the least to spare, so that large servers find room.
func (o option) compare(p option) int {
	return cmp.Or(cmp.Compare(o.working, p.working), cmp.Compare(len(o.victims), len(p.victims)), cmp.Compare(p.laxity, o.laxity),
		cmp.Compare(o.left, p.left), cmp.Compare(o.device, p.device))
}

// clear tells which servers would have to leave a device for another, beside those that go anyway: none where it fits, and as few
// as can be of those that it may take the place of.
func (s *switching) clear(d int, w *Server, going []*Server) (o option, ok bool) {
	r := &s.devices[d]
	o = option{device: d, laxity: math.MaxInt64}
	var anyway, may []*Server
	for _, v := range s.servers {
		switch {
		case !slices.Contains(v.On, d):
		case slices.Contains(going, v):
			anyway = append(anyway, v)
		case s.yields(v, w) && !s.moves(v):
			may = append(may, v)
		}
	}
	fits := func(victims []*Server) orbit.Bytes { return r.fits(slices.Concat(anyway, victims)) }
	slices.SortStableFunc(may, func(a, b *Server) int {
		switch {
		case a.busy() != b.busy():
			return map[bool]int{true: 1, false: -1}[a.busy()]
		case !a.busy():
			return a.Idle.Compare(b.Idle)
		}
		return cmp.Compare(b.laxity(s.now), a.laxity(s.now))
	})
	for _, v := range may {
		if fits(o.victims) >= w.Memory {
			break
		}
		o.victims = append(o.victims, v)
	}
	if fits(o.victims) < w.Memory {
		return o, false
	}
	for i := len(o.victims) - 1; i >= 0; i-- { // the dearest first: a large one may have made a small one needless
		if fewer := slices.Delete(slices.Clone(o.victims), i, i+1); fits(fewer) >= w.Memory {
			o.victims = fewer
		}
	}
	for _, v := range o.victims {
		if v.busy() {
			o.working++
			o.laxity = min(o.laxity, v.laxity(s.now))
		}
	}
	o.left = fits(o.victims) - w.Memory
	return o, true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
