package streams

import (
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// hintEvery bounds how often a busy node wakes the leaders. It is well under the time that one short step takes, so that
// the last hint of a run need not wait because of the one before.
const hintEvery = 250 * time.Microsecond

// Hinter tells the leader of a partition that there is something to fold. Hints may be lost; leaders look by themselves
// four times a second.
type Hinter struct {
	nc   *nats.Conn
	wake chan struct{}
	done chan struct{}
	stop chan struct{}
	once sync.Once

	mu  sync.Mutex
	due map[int]bool
}

// NewHinter starts a hinter. Stop it before the connection.
func NewHinter(nc *nats.Conn) *Hinter {
	h := &Hinter{nc: nc, wake: make(chan struct{}, 1), done: make(chan struct{}), stop: make(chan struct{}), due: map[int]bool{}}
	go h.run()
	return h
}

// Hint asks for a hint to the leader of partition p, soon.
func (h *Hinter) Hint(p int) {
	h.mu.Lock()
	h.due[p] = true
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// Stop ends the hinter.
func (h *Hinter) Stop() {
	h.once.Do(func() { close(h.stop) })
	<-h.done
}

func (h *Hinter) run() {
	defer close(h.done)
	for {
		select {
		case <-h.wake:
		case <-h.stop:
			return
		}
		h.mu.Lock()
		due := h.due
		h.due = map[int]bool{}
		h.mu.Unlock()
		for p := range due {
			_ = h.nc.Publish(HintSubject(p), nil) // lossy by design
		}
		select {
		case <-time.After(hintEvery):
		case <-h.stop:
			return
		}
	}
}
