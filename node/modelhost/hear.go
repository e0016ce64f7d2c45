package modelhost

import (
	"errors"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/placement"
)

// hear takes what happened to a process.
func (h *Host) hear(e event) {
	s, now := e.server, time.Now()
	log := h.log.With().Str("satellite", s.Name).Logger()
	if e.ready {
		if s.now.State != placement.Starting { // it is being stopped
			return
		}
		s.now.State, s.now.Since, s.now.Start = placement.Ready, now, now.Sub(s.begun)
		s.failure, s.told, s.measure = "", "", true
		h.up[s.Pool].Store(true)
		h.work.Poke()
		log.Info().Dur("took", s.now.Start).Msg("the model's server is ready")
		return
	}
	s.cancel()
	was := s.now
	s.now.State, s.now.Since, s.now.On, s.measure, s.handed = placement.Stopped, now, nil, false, false
	if was.State == placement.Stopping || e.err == nil { // without an error everything is being stopped
		log.Info().Msg("the model's server is stopped")
		return
	}
	h.up[s.Pool].Store(false)
	h.work.Poke()
	if was.State == placement.Ready && now.Sub(was.Since) >= steady {
		s.now.Fails = 0
	}
	delay := min(firstDelay<<min(s.now.Fails, 10), longestDelay)
	s.now.Fails++
	s.now.Retry = now.Add(delay)
	var f *failure
	if !errors.As(e.err, &f) {
		f = &failure{reason: e.err.Error()}
	}
	s.failure = h.o.Mask(f.Error())
	level := zerolog.DebugLevel // the same again is no news
	if s.told != f.reason {
		s.told, level = f.reason, zerolog.WarnLevel
	}
	log.WithLevel(level).Str("err", s.failure).Dur("again-in", delay).Msg("the model's server failed")
}

// tell says how the servers stand.
func (h *Host) tell() {
	docs := make([]orbit.ModelDoc, len(h.servers))
	for i, s := range h.servers {
		since := s.now.Since.UTC()
		d := orbit.ModelDoc{Name: s.Name, State: orbit.ModelState(s.now.State), Since: &since}
		if s.now.State == placement.Stopped {
			if d.Error = s.waits; s.failure != "" {
				d.State, d.Error = orbit.ModelFailed, s.failure
			}
		}
		docs[i] = d
	}
	h.docs.Store(&docs)
}
