package streams

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
)

const (
	// hintEvery bounds how often a node wakes the leaders. It is well under the time that one short step takes, so that
	// the last hint of a run need not wait because of the one before.
	hintEvery = 250 * time.Microsecond
	// hintBusy takes its place where a hint held as much as hintMany: then nobody waits for a single one.
	hintBusy = time.Millisecond
	hintMany = 512 // bytes: about four records and their children
	// hintBytes bounds what waits to be told, as while there is no connection. What is past it is not told.
	hintBytes = 256 << 10
)

// Hinter tells the leader of a partition what was stored in its stream, so that it need not read it: of each record the
// head, of each other message that it is none. A leader folds only what it has been told without a gap; hints may be lost,
// for it reads the stream wherever one is, and where nothing was told for a moment.
type Hinter struct {
	nc   *nats.Conn
	wake chan struct{}
	done chan struct{}
	stop chan struct{}
	once sync.Once

	mu  sync.Mutex
	due map[int][]byte // hints to be sent, by partition; guarded by mu
}

// NewHinter starts a hinter. Stop it before the connection.
func NewHinter(nc *nats.Conn) *Hinter {
	h := &Hinter{nc: nc, wake: make(chan struct{}, 1), done: make(chan struct{}), stop: make(chan struct{}), due: map[int][]byte{}}
	go h.run()
	return h
}

// Hint wakes the leader of partition p, soon, to read for itself.
func (h *Hinter) Hint(p int) { h.add(p, func(b []byte) []byte { return b }) }

// Record tells of a record that was stored. An empty head says that it takes the whole record to fold it.
func (h *Hinter) Record(p int, seq uint64, head []byte) {
	h.add(p, func(b []byte) []byte {
		b = binary.AppendUvarint(b, seq)
		return append(binary.AppendUvarint(b, uint64(len(head))+1), head...)
	})
}

// Other tells of a stored message that is no record.
func (h *Hinter) Other(p int, seq uint64) {
	h.add(p, func(b []byte) []byte { return append(binary.AppendUvarint(b, seq), 0) })
}

// Stop ends the hinter.
func (h *Hinter) Stop() {
	h.once.Do(func() { close(h.stop) })
	<-h.done
}

func (h *Hinter) add(p int, entry func([]byte) []byte) {
	h.mu.Lock()
	b := h.due[p]
	if b == nil {
		b = append(make([]byte, 0, hintMany), hintVersion)
	}
	if len(b) < hintBytes {
		b = entry(b)
	}
	h.due[p] = b
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
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
		h.due = make(map[int][]byte, len(due))
		h.mu.Unlock()
		pause := hintEvery
		for p, body := range due {
			_ = h.nc.Publish(HintSubject(p), body) // lossy by design
			if len(body) > hintMany {
				pause = hintBusy
			}
		}
		select {
		case <-time.After(pause):
		case <-h.stop:
			return
		}
	}
}

const hintVersion = 1

// Told is what a hint says of one stored message.
type Told struct {
	Seq    uint64
	Record bool
	Head   []byte // of a record, for orbit.DecodeRecordHead; empty: it takes the whole record
}

// ReadHint calls f for each stored message that a hint tells of. Its error is orbit.ErrFrame; what came before it was told.
func ReadHint(data []byte, f func(Told)) error {
	if len(data) == 0 || data[0] != hintVersion { // of another version: it says that there is something, which is enough
		return nil
	}
	for data = data[1:]; len(data) > 0; {
		seq, n := binary.Uvarint(data)
		if n <= 0 {
			return fmt.Errorf("%w: a hint that ends in a number", orbit.ErrFrame)
		}
		size, m := binary.Uvarint(data[n:])
		data = data[n+max(m, 0):]
		if m <= 0 || size > uint64(len(data))+1 {
			return fmt.Errorf("%w: a hint that ends too early", orbit.ErrFrame)
		}
		t := Told{Seq: seq, Record: size > 0}
		if size > 1 {
			t.Head, data = data[:size-1:size-1], data[size-1:]
		}
		f(t)
	}
	return nil
}
