package placement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
)

const (
	// settle is how long work must have waited before a server is started for it: where another node has the model, it is gone
	// by then.
	settle = time.Second
	// release is how long a driver may take to give the memory back of processes that are gone.
	release = 20 * time.Second
)

// Switched is what is to be done with the servers of a node.
type Switched struct {
	Start []Started
	Stop  []string // they have no work, or are less urgent
	// Claims are the devices that are being made free, by the server for which; each is to be kept as its Claim.
	Claims map[string]Claim
	// Waits tells for each server that has work and is stopped why it is not started, or not yet.
	Waits map[string]string
}

// Started is a server to be started, and the devices it gets.
type Started struct {
	Name string
	On   []int
}

// Switch decides which servers of a node are started and stopped now. A server with work is started where it fits, device by
// device: what foreign programs use counts, and what a server that is being stopped has is not free before it is gone. Where it
// does not fit it takes the place of servers without work, those first that have had none for longest, and else of servers with
// a laxity that is larger by more than switching there and back costs. What nobody needs stays as it is. The order of the
// servers makes no difference. On each device one thing is done at a time.
func Switch(servers []Server, devices []Device, now time.Time) Switched {
	s := newSwitching(servers, devices, now)
	for _, w := range s.wanting() {
		s.place(w)
	}
	return s.out
}

// switching is a decision in the making.
type switching struct {
	now     time.Time
	servers []*Server // by name
	devices []room
	out     Switched
}

// room is what a device has for servers.
type room struct {
	total    orbit.Bytes
	measured orbit.Bytes // free, less what servers that are starting will take
	promised orbit.Bytes // to servers of ours
	moving   bool        // something is being started or stopped on it
	claimed  bool        // it is being made free for one server
	held     *Server     // a more urgent server waits for it
}

// fits is what a new server may take, with the given ones gone.
func (r *room) fits(gone []*Server) orbit.Bytes {
	measured, promised := r.measured, r.promised
	for _, v := range gone {
		measured, promised = measured+v.frees(), promised-v.Memory
	}
	return min(measured, r.total-promised)
}

func newSwitching(servers []Server, devices []Device, now time.Time) *switching {
	s := &switching{now: now, devices: make([]room, len(devices)), out: Switched{Claims: map[string]Claim{}, Waits: map[string]string{}}}
	for i, d := range devices {
		s.devices[i] = room{total: d.Memory, measured: d.Free}
	}
	for i := range servers {
		s.servers = append(s.servers, &servers[i])
	}
	slices.SortFunc(s.servers, func(a, b *Server) int { return cmp.Compare(a.Name, b.Name) })
	for _, v := range s.servers {
		for _, d := range v.On {
			if d >= len(devices) { // it has gone, and the server with it soon
				continue
			}
			r := &s.devices[d]
			r.promised += v.Memory
			r.moving = r.moving || v.State == Starting || v.State == Stopping
			if v.State == Starting {
				r.measured -= v.Memory
			}
		}
	}
	return s
}

// wanting are the stopped servers with work, in the order in which they are placed: first those that others were stopped for,
// then by laxity.
func (s *switching) wanting() []*Server {
	var out []*Server
	for _, v := range s.servers {
		switch {
		case v.State != Stopped || v.Waiting == 0:
		case s.now.Before(v.Retry):
			s.out.Waits[v.Name] = "its last start failed; the next is at " + v.Retry.UTC().Format(time.RFC3339)
		case s.now.Sub(v.Waits) < settle:
		default:
			out = append(out, v)
		}
	}
	slices.SortStableFunc(out, func(a, b *Server) int {
		if mine, yours := len(a.Claim.On) > 0, len(b.Claim.On) > 0; mine != yours {
			return map[bool]int{true: -1, false: 1}[mine]
		}
		return cmp.Compare(s.urgency(a), s.urgency(b))
	})
	return out
}

// place finds devices for a server: free ones, or ones that others make free for it.
func (s *switching) place(w *Server) {
	if w.Devices == 0 {
		s.out.Start = append(s.out.Start, Started{w.Name, nil})
		return
	}
	if s.keep(w) {
		return
	}
	able := 0 // devices that would do if none of ours were there
	for d := range s.devices {
		if s.alone(d) >= w.Memory {
			able++
		}
	}
	if able < w.Devices {
		s.out.Waits[w.Name] = s.shortage(w, able)
		return
	}
	var on []int
	var gone []*Server
	for len(on) < w.Devices {
		o, ok := s.best(w, on, gone)
		if !ok {
			s.out.Waits[w.Name] = "the GPU is needed for other models; it gets its turn when they are done or less urgent"
			s.hold(w)
			return
		}
		on, gone = append(on, o.device), append(gone, o.victims...)
	}
	slices.Sort(on)
	if len(gone) == 0 {
		s.start(w, on)
		return
	}
	for _, v := range gone {
		s.out.Stop = append(s.out.Stop, v.Name)
		for _, d := range v.On {
			s.devices[d].moving = true
		}
	}
	s.claim(w, Claim{on, s.now.Add(release)})
}

// best gives the device that is made free most cheaply for a server, beside those it has, where some servers go anyway.
func (s *switching) best(w *Server, on []int, gone []*Server) (best option, ok bool) {
	for d := range s.devices {
		if slices.Contains(on, d) || s.closed(d, w) {
			continue
		}
		if o, can := s.clear(d, w, gone); can && (!ok || o.compare(best) < 0) {
			best, ok = o, true
		}
	}
	return best, ok
}

// closed tells whether a server must leave a device alone for now.
func (s *switching) closed(d int, w *Server) bool {
	r := &s.devices[d]
	return r.moving || r.claimed || r.held != nil && (r.held.laxity(s.now) < 0 || s.more(w, r.held))
}

// keep goes on with a server that devices were promised to: it waits for whoever leaves them, and is started when they are gone.
// It tells false where it did not come to that, as where a foreign program took the room.
func (s *switching) keep(w *Server) bool {
	if len(w.Claim.On) != w.Devices {
		return false
	}
	moving, fits := false, true
	for _, d := range w.Claim.On {
		if d >= len(s.devices) || s.devices[d].claimed {
			return false
		}
		moving = moving || s.devices[d].moving
		fits = fits && s.devices[d].fits(nil) >= w.Memory
	}
	switch {
	case moving:
		s.claim(w, Claim{w.Claim.On, s.now.Add(release)})
	case fits:
		s.start(w, w.Claim.On)
	case s.now.Before(w.Claim.Until):
		s.claim(w, w.Claim)
	default:
		return false
	}
	return true
}

func (s *switching) claim(w *Server, c Claim) {
	s.out.Claims[w.Name] = c
	s.out.Waits[w.Name] = "the servers are being stopped whose place it takes"
	for _, d := range c.On {
		s.devices[d].claimed = true
	}
}

func (s *switching) start(w *Server, on []int) {
	s.out.Start = append(s.out.Start, Started{w.Name, on})
	for _, d := range on {
		r := &s.devices[d]
		r.moving, r.promised, r.measured = true, r.promised+w.Memory, r.measured-w.Memory
	}
}

// alone is what a device has when none of our servers is on it.
func (s *switching) alone(d int) orbit.Bytes {
	var ours []*Server
	for _, v := range s.servers {
		if slices.Contains(v.On, d) && v.State != Starting {
			ours = append(ours, v)
		}
	}
	r := s.devices[d]
	for _, v := range s.servers {
		if slices.Contains(v.On, d) && v.State == Starting {
			r.measured, r.promised = r.measured+v.Memory, r.promised-v.Memory
		}
	}
	return r.fits(ours)
}

// shortage says why a server can never be started as things are.
func (s *switching) shortage(w *Server, able int) string {
	if len(s.devices) == 0 {
		return "this machine has no GPU"
	}
	var free []string
	for d := range s.devices {
		free = append(free, s.alone(d).String())
	}
	return fmt.Sprintf("it needs %s free on %s, and %d of %d %s: beside what other programs use there are %s", w.Memory, counted(w.Devices, "device"), able, len(s.devices),
		map[bool]string{true: "has that", false: "have that"}[able == 1], strings.Join(free, ", "))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
