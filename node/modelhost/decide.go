package modelhost

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/placement"
)

// learn takes what was seen of the work and the devices.
func (h *Host) learn(l look) {
	now := time.Now()
	for _, s := range h.servers {
		load, ok := l.loads[s.Pool]
		if !ok { // not known: what was known still holds
			continue
		}
		if load.Waiting > 0 && s.now.Waiting == 0 {
			s.now.Waits = now
		}
		if busy := load.Waiting > 0 || load.InHand > 0; busy {
			s.now.Idle = time.Time{}
		} else if s.now.Idle.IsZero() {
			s.now.Idle = now
		}
		if load.Rate == 0 { // what was measured before holds
			load.Rate = s.now.Rate
		}
		s.now.Load = load
		if s.measure && s.now.State == placement.Ready && len(l.gpus) == h.gpus {
			s.measure = false
			s.measured(l.gpus)
		}
	}
}

// measured notes what a server has taken of its devices. Less than half of what it was said to need is no measurement: others
// have left meanwhile, or nothing shows what it takes.
func (s *server) measured(gpus []orbit.GPU) {
	s.now.Took = 0
	for i, d := range s.now.On {
		if took := s.before[i] - gpus[d].Free; took >= s.Memory/2 {
			s.now.Took = max(s.now.Took, took)
		}
	}
}

// decide starts and stops what is to be started and stopped now.
func (h *Host) decide(gpus []orbit.GPU) {
	h.gpus = max(h.gpus, len(gpus))
	if missing := len(gpus) < h.gpus; missing != h.missing {
		if h.missing = missing; missing {
			h.log.Warn().Int("gpus", len(gpus)).Int("before", h.gpus).Msg("a GPU cannot be read any more; no model's server is started or stopped until it is back")
		}
	}
	if h.missing || h.keep.Load() { // the numbers of devices may mean others
		return
	}
	devices := make([]placement.Device, len(gpus))
	for i, g := range gpus {
		devices[i] = placement.Device{Memory: g.Memory, Free: g.Free}
	}
	servers := make([]placement.Server, len(h.servers))
	for i, s := range h.servers {
		servers[i] = s.now
	}
	got := placement.Switch(servers, devices, time.Now())
	for _, s := range h.servers {
		s.now.Claim, s.waits = got.Claims[s.Name], got.Waits[s.Name]
		if slices.Contains(got.Stop, s.Name) {
			h.stop(s)
		}
		for _, on := range got.Start {
			if on.Name == s.Name {
				h.start(s, on.On, gpus)
			}
		}
	}
}

// start starts a server on devices.
func (h *Host) start(s *server, on []int, gpus []orbit.GPU) {
	now := time.Now()
	s.now.State, s.now.Since, s.now.On, s.now.Took, s.begun, s.waits = placement.Starting, now, on, 0, now, ""
	s.before = s.before[:0]
	names := make([]string, len(on))
	for i, d := range on {
		s.before = append(s.before, gpus[d].Free)
		if names[i] = gpus[d].Handle; names[i] == "" {
			names[i] = strconv.Itoa(d)
		}
	}
	ctx, cancel := context.WithCancel(h.ctx)
	s.cancel = cancel
	c := Command{Name: s.Name, Args: s.Command, Env: environment(s.Hidden, strings.Join(names, ",")), Dir: h.o.Dir}
	h.log.Info().Str("satellite", s.Name).Ints("gpus", on).Int("waiting", s.now.Waiting).Msg("starting the model's server")
	h.wg.Go(func() {
		err := h.serve(ctx, s, c)
		h.events <- event{server: s, err: err} // run goes on until it has heard of every one
	})
}

// stop begins to stop a server: the node takes no more of its work, and when nothing of it runs its process is ended.
func (h *Host) stop(s *server) {
	now := time.Now()
	s.now.State, s.now.Since, s.drained, s.handed = placement.Stopping, now, now.Add(drainLimit), false
	h.up[s.Pool].Store(false)
	h.work.Poke()
	h.log.Info().Str("satellite", s.Name).Int("in-hand", s.now.InHand).Msg("stopping the model's server, for another needs the GPU")
}

// drain ends the processes of servers that are to go and have nothing in hand any more.
func (h *Host) drain() {
	now := time.Now()
	for _, s := range h.servers {
		switch {
		case s.now.State != placement.Stopping:
		case h.work.Quiet(s.Pool) || now.After(s.drained.Add(handBackLimit)):
			s.cancel()
		case now.After(s.drained) && !s.handed:
			s.handed = true
			h.work.HandBack(s.Pool)
		}
	}
}
