package streams

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
)

const (
	// pullExpiry is how long the server keeps a request for work that is not there. It is less than gossip takes to give a silent
	// machine up: the server, who takes it for alive, would answer its old requests with what is handed back for it, and that would
	// wait for one more lease. An idle node asks that often for each of its queues.
	pullExpiry = 5 * time.Second
	// pullGrace is how long past its expiry a request without any answer is believed in; then it is asked anew.
	pullGrace = 5 * time.Second
	// glanceEvery is how often a partition that may hold nothing is asked while others are known to hold something.
	glanceEvery = time.Second
	// absentWait is how long a queue without a consumer is left alone.
	absentWait = time.Second
)

// Puller asks for work and passes on what comes. It holds no more requests than its caller asked for; the caller bounds
// them by its free slots. One subscription serves all queues.
type Puller struct {
	nc     *nats.Conn
	prefix string
	out    chan<- *Delivery
	lapsed func()
	stop   chan struct{}
	once   sync.Once
	sub    *nats.Subscription

	mu      sync.Mutex
	next    uint64
	asked   map[asked][]*request // oldest first
	absent  map[asked]time.Time  // the queue had no consumer then
	behind  map[asked]bool       // more waits behind what came last
	turn    int                  // of the partitions that may hold nothing
	glanced map[Queue]time.Time  // when one of those was asked last
}

type asked struct {
	q Queue
	p int
}

type request struct {
	id      uint64
	left    int
	expires time.Time
}

// NewPuller delivers to out, and calls lapsed when the server has given up a request, so that the caller may ask again at once:
// until then it gets nothing of that queue. lapsed must not block. What comes after Stop is left to its lease.
func NewPuller(nc *nats.Conn, out chan<- *Delivery, lapsed func()) (*Puller, error) {
	p := &Puller{nc: nc, prefix: nats.NewInbox() + ".", out: out, lapsed: lapsed, stop: make(chan struct{}), asked: map[asked][]*request{}, absent: map[asked]time.Time{},
		behind: map[asked]bool{}, glanced: map[Queue]time.Time{}}
	sub, err := nc.Subscribe(p.prefix+">", p.receive)
	if err != nil {
		return nil, fmt.Errorf("subscribe to deliveries: %w", err)
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil { // bounded by what is asked for
		return nil, err
	}
	p.sub = sub
	return p, nil
}

// Want asks for more of a queue until about n bundles are under way. It asks again only when half has come, so that a
// busy queue takes few requests.
//
// Of several partitions, those that are known to hold more share the n. Of each of the others it asks for one, where none is known
// to hold any; else of one of them in a second, to learn what they hold. So no more than n come while the slots are in use, but for
// those few.
func (p *Puller) Want(q Queue, partitions, n int) error {
	now := time.Now()
	p.mu.Lock()
	var holding, others []int
	under := 0
	for i := range partitions {
		key := asked{q, i}
		if t, ok := p.absent[key]; ok && now.Sub(t) < absentWait {
			continue
		}
		if u := p.underWay(key, now); p.behind[key] || partitions == 1 {
			holding, under = append(holding, i), under+u
		} else if u == 0 {
			others = append(others, i)
		}
	}
	var asks []ask
	if under <= n/2 {
		for k, i := range holding {
			share := (n - under + len(holding) - k - 1) / (len(holding) - k)
			if share <= 0 {
				continue
			}
			asks = append(asks, p.ask(asked{q, i}, share, now))
			under += share
		}
	}
	if len(holding) > 0 && len(others) > 0 {
		if now.Sub(p.glanced[q]) < glanceEvery {
			others = nil
		} else {
			p.glanced[q] = now
			p.turn++
			others = []int{others[p.turn%len(others)]}
		}
	}
	for _, i := range others {
		asks = append(asks, p.ask(asked{q, i}, 1, now))
	}
	p.mu.Unlock()

	for _, a := range asks {
		body, err := json.Marshal(map[string]any{"batch": a.batch, "expires": pullExpiry.Nanoseconds()})
		if err != nil {
			return err
		}
		reply := p.prefix + q.Consumer() + "." + strconv.Itoa(a.p) + "." + strconv.FormatUint(a.id, 10)
		if err := p.nc.PublishRequest("$JS.API.CONSUMER.MSG.NEXT."+StreamName(a.p)+"."+q.Consumer(), reply, body); err != nil {
			return err
		}
	}
	return nil
}

// ask is one request to be sent.
type ask struct {
	id       uint64
	p, batch int
}

// ask notes a request; p.mu is held.
func (p *Puller) ask(key asked, batch int, now time.Time) ask {
	p.next++
	p.asked[key] = append(p.asked[key], &request{id: p.next, left: batch, expires: now.Add(pullExpiry)})
	return ask{p.next, key.p, batch}
}

// underWay is what has been asked for of a queue and has not come; p.mu is held.
func (p *Puller) underWay(key asked, now time.Time) (n int) {
	reqs := p.asked[key]
	reqs = slices.DeleteFunc(reqs, func(r *request) bool { return now.After(r.expires.Add(pullGrace)) }) // its answer was lost
	p.asked[key] = reqs
	for _, r := range reqs {
		n += r.left
	}
	return n
}

// Forget drops all requests under way: after a reconnect the server knows none of them.
func (p *Puller) Forget() {
	p.mu.Lock()
	clear(p.asked)
	clear(p.absent)
	clear(p.behind)
	p.mu.Unlock()
}

// stopTime bounds the wait for deliveries that are on their way when the puller stops.
const stopTime = 2 * time.Second

// Stop ends the subscription. What is on its way still comes: to out, or back to its queue. It returns when nothing more
// will be delivered.
func (p *Puller) Stop() {
	p.once.Do(func() {
		ended := make(chan struct{})
		p.sub.SetClosedHandler(func(string) { close(ended) })
		close(p.stop)
		if p.sub.Drain() != nil { // not connected: the leases end by themselves
			_ = p.sub.Unsubscribe()
			return
		}
		select {
		case <-ended:
		case <-time.After(stopTime):
		}
	})
}

func (p *Puller) receive(m *nats.Msg) {
	if strings.HasPrefix(m.Subject, p.prefix) { // a status about a request
		p.status(m)
		return
	}
	d, ok := newDelivery(m)
	if !ok {
		return
	}
	p.took(asked{d.Queue, d.Partition}, d.Behind > 0)
	select {
	case p.out <- d:
	case <-p.stop:
		_ = d.Nak(0) // lost: the lease ends by itself
	}
}

func (p *Puller) took(key asked, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if more {
		p.behind[key] = true
	} else {
		delete(p.behind, key)
	}
	reqs := p.asked[key]
	if len(reqs) == 0 {
		return
	}
	if reqs[0].left--; reqs[0].left <= 0 {
		p.asked[key] = reqs[1:]
	}
}

func (p *Puller) status(m *nats.Msg) {
	code := m.Header.Get("Status")
	if code == "" || code == "100" {
		return
	}
	t := strings.Split(m.Subject[len(p.prefix):], ".")
	if len(t) != 3 {
		return
	}
	q, ok := queueNamed(t[0])
	partition, err := strconv.Atoi(t[1])
	id, err2 := strconv.ParseUint(t[2], 10, 64)
	if !ok || err != nil || err2 != nil {
		return
	}
	key := asked{q, partition}
	p.mu.Lock()
	defer p.mu.Unlock()
	if code == "503" { // nobody listens: the consumer or its stream is not there
		p.absent[key] = time.Now()
	}
	reqs := p.asked[key]
	for i := range reqs {
		if reqs[i].id == id {
			p.asked[key] = append(reqs[:i:i], reqs[i+1:]...)
			delete(p.behind, key)
			if code == "408" { // of others the reason may last: they wait for the caller's own time
				p.lapsed()
			}
			return
		}
	}
}

func newDelivery(m *nats.Msg) (*Delivery, bool) {
	q, part, run, ok := queueOf(m.Subject)
	if !ok {
		return nil, false
	}
	_, n, ok := ackOf(m.Reply)
	if !ok {
		return nil, false
	}
	d := &Delivery{Queue: q, Partition: part, Run: run, Data: m.Data, Delivered: int(n[0]), Stored: time.Unix(0, int64(n[3])), Arrived: time.Now(),
		Behind: int(min(n[4], math.MaxInt32)), msg: m}
	d.Bundle, d.BundleErr = orbit.DecodeBundle(m.Data)
	if d.BundleErr == nil && d.Bundle.Run != run {
		d.Bundle, d.BundleErr = nil, fmt.Errorf("%w: a bundle of run %s on a subject of run %s", orbit.ErrFrame, d.Bundle.Run, run)
	}
	return d, true
}
