package orbittest

import (
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
)

// spy hears every message that anyone publishes, be it stored or refused.
type spy struct {
	mu     sync.Mutex
	heard  int
	search func(m *nats.Msg)
}

func newSpy(t testing.TB, nc *nats.Conn) *spy {
	t.Helper()
	s := &spy{}
	sub, err := nc.Subscribe(">", func(m *nats.Msg) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.heard++
		if s.search != nil {
			s.search(m)
		}
	})
	if err == nil {
		err = sub.SetPendingLimits(-1, -1)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// On calls f for every message from now on.
func (s *spy) on(f func(m *nats.Msg)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.search = f
}
