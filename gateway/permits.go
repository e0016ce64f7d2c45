package gateway

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit/streams"
)

const (
	// permitAhead is how far ahead an attempt is given its time.
	permitAhead = time.Second
	// permitMargin is what the lease must have left for a permit.
	permitMargin = time.Second
)

// permits spaces the attempts of steps with a limit on their rate: count in per means one every per/count, over the whole
// mesh, for each run. The times are in memory only. What an earlier leader permitted last begins within permitAhead and the
// patience of a node after the lease has changed hands, so a new leader keeps the distance of two attempts from there.
type permits struct {
	mu   sync.Mutex
	next map[permitKey]time.Time // when the next attempt may begin
}

type permitKey struct{ run, step string }

// permit answers a node.
func (s *settler) permit(m *nats.Msg) {
	r, err := streams.DecodePermitRequest(m.Data)
	if err != nil || m.Reply == "" {
		return
	}
	_ = m.Respond(s.permitted(permitKey{r.Run, r.Step}, time.Now()).Encode()) // lost: it asks again
}

func (s *settler) permitted(key permitKey, now time.Time) streams.Permit {
	began, good := s.lease.times()
	s.mu.Lock()
	or, leading := s.runs[key.run], s.leading
	older := or != nil && (or.inherited || or.doc.CreatedAt.Before(began))
	s.mu.Unlock()
	later := streams.Permit{Wait: permitAhead}
	if or == nil || !leading || now.Sub(good) > leaseLife-permitMargin {
		return later
	}
	step, ok := or.plan.Step(key.step)
	if !ok || step.RateLimit == nil {
		return streams.Permit{Granted: true}
	}
	apart := time.Duration(step.RateLimit.Per) / time.Duration(step.RateLimit.Count)
	if wait := began.Add(permitAhead + streams.PermitPatience + apart).Sub(now); wait > 0 && older {
		return streams.Permit{Wait: wait}
	}
	s.permits.mu.Lock()
	defer s.permits.mu.Unlock()
	at := s.permits.next[key]
	if at.Before(now) {
		at = now
	}
	if wait := at.Sub(now); wait > permitAhead {
		return streams.Permit{Wait: wait}
	}
	if s.permits.next == nil {
		s.permits.next = map[permitKey]time.Time{}
	}
	s.permits.next[key] = at.Add(apart)
	return streams.Permit{Granted: true, Wait: at.Sub(now)}
}

// forget drops what is known of runs that are gone.
func (p *permits) forget(open func(run string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key := range p.next {
		if !open(key.run) {
			delete(p.next, key)
		}
	}
}
