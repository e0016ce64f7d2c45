package mesh

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// updateWait bounds how long one update waits to be passed on before the next may go out. It also paces an owner who
// updates without end, and bounds how long Stop may wait.
const updateWait = time.Second

// self is what we say about ourselves.
type self struct {
	role    string
	changed chan struct{}

	mu   sync.Mutex
	meta []byte
}

func newSelf(role string) *self {
	return &self{role: role, changed: make(chan struct{}, 1), meta: encodeMeta(role, nil)}
}

func (s *self) set(d Digest) {
	meta := encodeMeta(s.role, &d)
	s.mu.Lock()
	same := bytes.Equal(meta, s.meta)
	s.meta = meta
	s.mu.Unlock()
	if same {
		return
	}
	select {
	case s.changed <- struct{}{}:
	default: // an update is on its way and will take the newest
	}
}

func (s *self) bytes() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.meta
}

// publish gossips changes until ctx ends. It is the one goroutine that calls UpdateNode, which blocks.
func (s *self) publish(ctx context.Context, ml *memberlist.Memberlist) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
			_ = ml.UpdateNode(updateWait) // its only error is that nobody took it in time; push and pull will carry it
		}
	}
}
