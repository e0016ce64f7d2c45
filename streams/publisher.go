package streams

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// window is the number of unanswered writes: past a few thousand JetStream gains nothing and memory grows.
	window = 2048
	// answerTime is how long a write waits for its answer before the same bytes are sent again. A healthy server
	// answers in under 50 ms even when busy.
	answerTime = 4 * time.Second
	// maxSends bounds how often the same bytes are sent: with answerTime well past the ack_wait of work, after which the
	// bundle is someone else's.
	maxSends = 10
)

// PubAck is the server's answer to a stored message.
type PubAck struct {
	Seq       uint64
	Duplicate bool // a message with the same Nats-Msg-Id was stored before; this one was not
}

// Publisher writes to JetStream with many writes in flight: a fixed set of reply slots and one subscription for all
// answers. A write without an answer is sent again, the same bytes, so every message it carries must be one that may be
// stored twice or not at all the second time (an expected sequence, or a Nats-Msg-Id).
type Publisher struct {
	nc     *nats.Conn
	prefix string
	room   chan struct{} // a token for each slot in use
	slots  []slot
	sub    *nats.Subscription
	stop   chan struct{}
	done   chan struct{}
	once   sync.Once

	waits sync.Pool // of *wait

	mu   sync.Mutex
	free []int32 // the one freed last is used next: the server remembers the routes of subjects it has just answered on
}

type slot struct {
	mu    sync.Mutex // guards all below
	gen   uint32     // changes when an answer to the last use may still come; a late one is told by it
	reply string     // of this generation
	msg   *nats.Msg  // nil: free
	sent  time.Time
	sends int
	then  func(PubAck, error)
}

// NewPublisher makes a publisher on a connection. Close it before the connection.
func NewPublisher(nc *nats.Conn) (*Publisher, error) { return NewPublisherOf(nc, window) }

// NewPublisherOf is NewPublisher with another number of unanswered writes, as for large messages that must not fill memory.
func NewPublisherOf(nc *nats.Conn, window int) (*Publisher, error) {
	p := &Publisher{nc: nc, prefix: nats.NewInbox() + ".", room: make(chan struct{}, window), slots: make([]slot, window), free: make([]int32, window),
		stop: make(chan struct{}), done: make(chan struct{})}
	for i := range p.free {
		p.free[i] = int32(window - 1 - i)
	}
	sub, err := nc.Subscribe(p.prefix+"*.*", p.answer)
	if err != nil {
		return nil, fmt.Errorf("subscribe to publish answers: %w", err)
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil { // bounded by the window already
		return nil, err
	}
	p.sub = sub
	go p.resend()
	return p, nil
}

// Publish sends msg and calls then with the answer, from another goroutine; then must not block. It waits while the
// window is full. An error means that nothing was sent and then is not called.
func (p *Publisher) Publish(ctx context.Context, msg *nats.Msg, then func(PubAck, error)) error {
	select {
	case p.room <- struct{}{}:
	default:
		select {
		case p.room <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		case <-p.stop:
			return ErrClosed
		}
	}
	p.mu.Lock()
	i := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	p.mu.Unlock()
	s := &p.slots[i]
	s.mu.Lock()
	if s.reply == "" {
		s.reply = p.prefix + strconv.Itoa(int(i)) + "." + strconv.FormatUint(uint64(s.gen), 10)
	}
	gen := s.gen
	msg.Reply = s.reply
	s.msg, s.then, s.sent, s.sends = msg, then, time.Now(), 1
	s.mu.Unlock()
	_ = p.nc.PublishMsg(msg) // not connected, buffer full: resend tries again
	select {
	case <-p.stop: // Close may have passed this slot by
		p.finish(i, gen, false, PubAck{}, ErrClosed)
	default:
	}
	return nil
}

// Do sends msg and waits for the answer.
func (p *Publisher) Do(ctx context.Context, msg *nats.Msg) (PubAck, error) {
	w, _ := p.waits.Get().(*wait)
	if w == nil {
		w = newWait()
	}
	if err := p.Publish(ctx, msg, w.then); err != nil {
		p.waits.Put(w)
		return PubAck{}, err
	}
	select {
	case <-w.answered:
		ack, err := w.ack, w.err
		p.waits.Put(w)
		return ack, err
	case <-ctx.Done(): // the answer may still come, so nobody else gets the wait
		return PubAck{}, ctx.Err()
	}
}

// wait is one call of Do.
type wait struct {
	ack      PubAck
	err      error
	answered chan struct{}
	then     func(PubAck, error)
}

func newWait() *wait {
	w := &wait{answered: make(chan struct{}, 1)}
	w.then = func(ack PubAck, err error) {
		w.ack, w.err = ack, err
		w.answered <- struct{}{}
	}
	return w
}

// Batch sends many messages and waits for all answers at the end.
type Batch struct {
	Each func(PubAck) // is told of every message that was stored, from another goroutine, and must not block; may be nil

	p    *Publisher
	then func(PubAck, error) // of every message
	open atomic.Int64
	mu   sync.Mutex
	err  error
	all  chan struct{}
}

// NewBatch begins a batch.
func (p *Publisher) NewBatch() *Batch {
	b := &Batch{p: p, all: make(chan struct{})}
	b.then = b.answer
	b.open.Store(1) // held until Wait
	return b
}

// Publish sends one message of the batch.
func (b *Batch) Publish(ctx context.Context, msg *nats.Msg) error {
	b.open.Add(1)
	err := b.p.Publish(ctx, msg, b.then)
	if err != nil {
		b.fail(err)
		b.release()
	}
	return err
}

func (b *Batch) answer(a PubAck, err error) {
	if err != nil {
		b.fail(err)
	} else if b.Each != nil {
		b.Each(a)
	}
	b.release()
}

// Wait waits for the answers to everything sent, and gives the first error. Call it once, after the last Publish.
func (b *Batch) Wait(ctx context.Context) error {
	b.release()
	select {
	case <-b.all:
	case <-ctx.Done():
		return ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

func (b *Batch) fail(err error) {
	b.mu.Lock()
	if b.err == nil {
		b.err = err
	}
	b.mu.Unlock()
}

func (b *Batch) release() {
	if b.open.Add(-1) == 0 {
		close(b.all)
	}
}

// Close ends the publisher; writes without an answer end with ErrClosed.
func (p *Publisher) Close() {
	p.once.Do(func() {
		close(p.stop)
		<-p.done
		_ = p.sub.Unsubscribe()
		for i := range p.slots {
			s := &p.slots[i]
			s.mu.Lock()
			gen, busy := s.gen, s.msg != nil
			s.mu.Unlock()
			if busy {
				p.finish(int32(i), gen, false, PubAck{}, ErrClosed)
			}
		}
	})
}

func (p *Publisher) answer(m *nats.Msg) {
	at, gen, ok := strings.Cut(m.Subject[len(p.prefix):], ".")
	i, err := strconv.Atoi(at)
	g, err2 := strconv.ParseUint(gen, 10, 32)
	if !ok || err != nil || err2 != nil || i < 0 || i >= len(p.slots) {
		return
	}
	ack, err := parseAck(m)
	if again(err) { // resend sends the same bytes at its next look
		return
	}
	p.finish(int32(i), uint32(g), true, ack, err)
}

// finish ends a write. The slot keeps its subject only if no other answer can come there: it was sent once and is answered.
func (p *Publisher) finish(i int32, gen uint32, answered bool, ack PubAck, err error) {
	s := &p.slots[i]
	s.mu.Lock()
	if s.gen != gen || s.msg == nil { // a late answer to something that has ended
		s.mu.Unlock()
		return
	}
	then := s.then
	s.msg, s.then = nil, nil
	if !answered || s.sends > 1 {
		s.gen++
		s.reply = ""
	}
	s.mu.Unlock()
	p.mu.Lock()
	p.free = append(p.free, i)
	p.mu.Unlock()
	<-p.room
	then(ack, err)
}

// resend looks after writes without an answer.
func (p *Publisher) resend() {
	defer close(p.done)
	tick := time.NewTicker(answerTime / 4)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-tick.C:
		}
		now := time.Now()
		for i := range p.slots {
			s := &p.slots[i]
			s.mu.Lock()
			if s.msg == nil || now.Sub(s.sent) < answerTime {
				s.mu.Unlock()
				continue
			}
			gen, msg, over := s.gen, s.msg, s.sends >= maxSends
			s.sends++
			s.sent = now
			s.mu.Unlock()
			if over {
				p.finish(int32(i), gen, false, PubAck{}, ErrUnknown)
				continue
			}
			if p.nc.IsConnected() {
				_ = p.nc.PublishMsg(msg)
			}
		}
	}
}

// again tells whether the answer means: unknown, send the same bytes again.
func again(err error) bool {
	var e *ServerError
	if se, ok := err.(*ServerError); ok {
		e = se
	}
	return e != nil && (e.Code == codeCASPending || e.Code == codeClusterBusy)
}

var (
	errorKey     = []byte(`"error"`)
	seqKey       = []byte(`"seq":`)
	duplicateKey = []byte(`"duplicate":`)
)

func parseAck(m *nats.Msg) (PubAck, error) {
	if len(m.Data) == 0 {
		if m.Header.Get("Status") == "503" {
			return PubAck{}, ErrNoStream
		}
		return PubAck{}, ErrUnknown
	}
	if bytes.Contains(m.Data, errorKey) {
		var body struct {
			Error *ServerError `json:"error"`
		}
		if err := json.Unmarshal(m.Data, &body); err != nil || body.Error == nil {
			return PubAck{}, fmt.Errorf("an answer that is no JetStream answer: %.80q", m.Data)
		}
		if body.Error.Code == codeWrongLastSequence {
			return PubAck{}, ErrExists
		}
		return PubAck{}, body.Error
	}
	var ack PubAck
	if at := bytes.Index(m.Data, duplicateKey); at >= 0 {
		ack.Duplicate = bytes.HasPrefix(bytes.TrimLeft(m.Data[at+len(duplicateKey):], " "), []byte("true"))
	}
	if at := bytes.Index(m.Data, seqKey); at >= 0 { // the answer is made by the server, always in this form
		for _, c := range bytes.TrimLeft(m.Data[at+len(seqKey):], " ") {
			if c < '0' || c > '9' {
				break
			}
			ack.Seq = ack.Seq*10 + uint64(c-'0')
		}
	}
	return ack, nil
}
