package streams

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
)

// Backlog is what waits in a queue, in one partition.
type Backlog struct {
	Waiting  int       // bundles, 1 where it is not known how many
	Deadline time.Time // of the first of them; the latest that its tier allows where that is not known
}

// scoutEvery bounds how often it is tried whether bundles that were handed back wait, which counts as a delivery of one.
const scoutEvery = 10 * time.Second

// Lookout sees what waits in queues that this node does not pull from.
//
// The server counts what was never delivered. A bundle that was handed back counts with those that somebody holds, so where there
// are such and nothing else, one is asked for and given back at once. As long as nothing is delivered after that, it waits still.
type Lookout struct {
	nc *nats.Conn

	mu   sync.Mutex
	seen map[asked]sight
}

// sight is what was seen of a queue last.
type sight struct {
	first    uint64    // after this sequence of the stream the first message waits whose
	deadline time.Time // this is
	scouted  time.Time
	found    uint64 // count of deliveries right after a bundle was given back; 0: none was found
}

// NewLookout looks by the given connection.
func NewLookout(nc *nats.Conn) *Lookout { return &Lookout{nc: nc, seen: map[asked]sight{}} }

// Look tells what waits in a queue. held is the number of its bundles that this node holds itself. A queue without a consumer
// is empty.
func (l *Lookout) Look(ctx context.Context, q Queue, p, held int) (Backlog, error) {
	var info struct {
		Delivered struct {
			Consumer uint64 `json:"consumer_seq"`
			Stream   uint64 `json:"stream_seq"`
		} `json:"delivered"`
		Pending int          `json:"num_pending"`
		Out     int          `json:"num_ack_pending"`
		Error   *ServerError `json:"error"`
	}
	if err := call(ctx, l.nc, "$JS.API.CONSUMER.INFO."+StreamName(p)+"."+q.Consumer(), nil, &info); err != nil {
		return Backlog{}, fmt.Errorf("look at the queue %s: %w", q.Consumer(), err)
	}
	if info.Error != nil {
		if info.Error.Code == codeNoConsumer || info.Error.Code == codeNoStream {
			return Backlog{}, nil
		}
		return Backlog{}, fmt.Errorf("look at the queue %s: %w", q.Consumer(), info.Error)
	}
	key := asked{q, p}
	l.mu.Lock()
	s := l.seen[key]
	l.mu.Unlock()
	b := Backlog{Waiting: info.Pending}
	var err error
	switch {
	case info.Pending > 0:
		if at := info.Delivered.Stream + 1; s.first != at || s.deadline.IsZero() {
			s.first = at
			s.deadline, err = l.deadline(ctx, q, p, at)
		}
		b.Deadline = s.deadline
	case info.Out > held:
		if s.found == info.Delivered.Consumer && s.found > 0 {
			b = Backlog{Waiting: 1, Deadline: s.deadline}
		} else if time.Since(s.scouted) >= scoutEvery {
			s.scouted, s.first = time.Now(), 0
			if s.found, s.deadline, err = l.scout(ctx, q, p); s.found > 0 {
				b = Backlog{Waiting: 1, Deadline: s.deadline}
			}
		}
	}
	l.mu.Lock()
	l.seen[key] = s
	l.mu.Unlock()
	return b, err
}

// deadline reads that of the first message of a queue from a sequence on.
func (l *Lookout) deadline(ctx context.Context, q Queue, p int, from uint64) (time.Time, error) {
	var at time.Time
	_, err := ReadBatch(ctx, l.nc, StreamName(p), q.Filter(p), from, 1, func(m Stored) error {
		at = latest(q, m.Header, m.Time)
		return nil
	})
	if at.IsZero() {
		at = latest(q, nil, time.Now())
	}
	return at, err
}

// latest is the deadline of a message, or the latest that its tier allows.
func latest(q Queue, h nats.Header, stored time.Time) time.Time {
	if at, err := time.Parse(time.RFC3339, h.Get(HeaderDeadline)); err == nil {
		return at
	}
	for _, t := range orbit.Tiers {
		if t.Name == q.Tier {
			return stored.Add(t.Within)
		}
	}
	return stored
}

// scout takes a bundle that waits and gives it back. It gives the count of deliveries of the queue then, and the bundle's
// deadline; 0 where none waits.
func (l *Lookout) scout(ctx context.Context, q Queue, p int) (count uint64, at time.Time, err error) {
	inbox := nats.NewInbox()
	sub, err := l.nc.SubscribeSync(inbox)
	if err != nil {
		return 0, at, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	body, err := json.Marshal(map[string]any{"batch": 1, "no_wait": true})
	if err != nil {
		return 0, at, err
	}
	if err := l.nc.PublishRequest("$JS.API.CONSUMER.MSG.NEXT."+StreamName(p)+"."+q.Consumer(), inbox, body); err != nil {
		return 0, at, err
	}
	wait, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	m, err := sub.NextMsgWithContext(wait)
	if err != nil { // what comes later is left to its lease
		return 0, at, err
	}
	meta, err := m.Metadata()
	if m.Header.Get("Status") != "" || err != nil { // nothing there
		return 0, at, nil
	}
	return meta.Sequence.Consumer, latest(q, m.Header, meta.Timestamp), m.Respond([]byte("-NAK"))
}
