package streams

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// AckWait is the lease of a delivered bundle: long enough that a node extends it calmly at a third, short enough that a
// dead node's work is done again soon.
const AckWait = 30 * time.Second

// duplicates is the window in which a work message with a known id is stored once. The record's CAS is what keeps things
// right; this only saves work.
const duplicates = 10 * time.Minute

// maxConsumers a stream: past about a hundred, acks slow down tenfold (measured).
const maxConsumers = 100

// Topology is the shape of Orbit on a JetStream server. Only gateways hold one: they alone create streams and consumers.
type Topology struct {
	Partitions int
	Replicas   int

	js    jetstream.JetStream
	mu    sync.Mutex
	known map[Queue]bool
}

// NewTopology describes a server with the given number of partitions and replicas (1, 3 or 5).
func NewTopology(js jetstream.JetStream, partitions, replicas int) *Topology {
	return &Topology{Partitions: max(1, partitions), Replicas: max(1, replicas), js: js, known: map[Queue]bool{}}
}

// Ensure creates what is missing and leaves the rest as it is; dying half-way is mended by the next call.
func (t *Topology) Ensure(ctx context.Context) error {
	for p := range t.Partitions {
		part := strconv.Itoa(p)
		err := t.stream(ctx, jetstream.StreamConfig{Name: StreamName(p), Retention: jetstream.WorkQueuePolicy,
			Description: "Exosphere Orbit: work and records of partition " + part,
			Subjects:    []string{"orbit.work.*.*.*." + part + ".>", "orbit.record." + part + ".>", "orbit.parked." + part + ".>", "orbit.dead." + part + ".>"},
			Storage:     jetstream.FileStorage, Replicas: t.Replicas, Discard: jetstream.DiscardNew, Duplicates: duplicates,
			AllowDirect: true, AllowAtomicPublish: true, AllowMsgTTL: true})
		if err != nil {
			return err
		}
	}
	if err := t.stream(ctx, jetstream.StreamConfig{Name: LaterStream, Retention: jetstream.WorkQueuePolicy,
		Description: "Exosphere Orbit: bundles that wait for their time",
		Subjects:    []string{"orbit.later.>", "orbit.due.>"}, Storage: jetstream.FileStorage, Replicas: t.Replicas,
		Discard:     jetstream.DiscardOld, // the server refuses schedules with discard new; without limits nothing is ever discarded
		AllowDirect: true, AllowMsgSchedules: true, AllowMsgTTL: true}); err != nil {
		return err
	}
	for p := range t.Partitions {
		_, err := t.js.CreateOrUpdateConsumer(ctx, LaterStream, jetstream.ConsumerConfig{Durable: dueConsumer(p), FilterSubject: fmt.Sprintf("orbit.due.%d.>", p),
			AckPolicy: jetstream.AckExplicitPolicy, AckWait: AckWait, MaxDeliver: -1, MaxAckPending: -1})
		if err != nil {
			return fmt.Errorf("create the consumer of due bundles: %w", err)
		}
	}
	return t.ensureLogs(ctx)
}

// EnsureQueues creates the consumers of the given queues in every partition, and tells which of them are new.
func (t *Topology) EnsureQueues(ctx context.Context, qs []Queue) (fresh []Queue, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range qs {
		if t.known[q] {
			continue
		}
		if len(t.known) >= maxConsumers {
			return fresh, fmt.Errorf("%w: no more than %d (classes × pools × tiers) fit one stream, and %s would be one more; use fewer models, fewer hardware classes, or fewer projects with satellites of their own",
				ErrQueues, maxConsumers, q.Consumer())
		}
		for p := range t.Partitions {
			if err := t.consumer(ctx, q, p); err != nil {
				return fresh, err
			}
		}
		t.known[q] = true
		fresh = append(fresh, q)
	}
	return fresh, nil
}

// Queues lists the queues whose consumers this gateway has made or found.
func (t *Topology) Queues() []Queue {
	t.mu.Lock()
	defer t.mu.Unlock()
	qs := make([]Queue, 0, len(t.known))
	for q := range t.known {
		qs = append(qs, q)
	}
	return qs
}

// Discover learns the queues that exist on the server, made by other gateways or before a restart.
func (t *Topology) Discover(ctx context.Context) error {
	s, err := t.js.Stream(ctx, StreamName(0))
	if err != nil {
		return err
	}
	names := s.ConsumerNames(ctx)
	var found []Queue
	for name := range names.Name() {
		if q, ok := queueNamed(name); ok {
			found = append(found, q)
		}
	}
	if err := names.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, q := range found {
		t.known[q] = true
	}
	return nil
}

func (t *Topology) consumer(ctx context.Context, q Queue, p int) error {
	_, err := t.js.CreateOrUpdateConsumer(ctx, StreamName(p), jetstream.ConsumerConfig{Durable: q.Consumer(), FilterSubject: q.Filter(p),
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: AckWait,
		MaxDeliver:    -1, // a limit would leave the message in the stream, invisible; deliveries are counted by us
		MaxAckPending: -1, // nodes bound themselves by their free slots
	})
	if err != nil {
		return fmt.Errorf("create the consumer %s: %w", q.Consumer(), err)
	}
	return nil
}

func (t *Topology) stream(ctx context.Context, cfg jetstream.StreamConfig) error {
	s, err := t.js.Stream(ctx, cfg.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		_, err = t.js.CreateStream(ctx, cfg)
	} else if err == nil {
		if got := s.CachedInfo().Config; got.Retention != cfg.Retention || !got.AllowDirect || got.AllowMsgSchedules != cfg.AllowMsgSchedules {
			return fmt.Errorf("the stream %s exists with other settings; use another NATS account, or remove it if it is not needed", cfg.Name)
		}
	}
	if err != nil {
		return fmt.Errorf("create the stream %s: %w", cfg.Name, err)
	}
	return nil
}

func dueConsumer(p int) string { return "due_" + strconv.Itoa(p) }

// Stuck tells whether a queue holds work while its consumer says that there is nothing to deliver and nothing out.
func (t *Topology) Stuck(ctx context.Context, q Queue, p int) (bool, error) {
	c, err := t.js.Consumer(ctx, StreamName(p), q.Consumer())
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if i := c.CachedInfo(); i.NumPending > 0 || i.NumAckPending > 0 {
		return false, nil
	}
	s, err := t.js.Stream(ctx, StreamName(p))
	if err != nil {
		return false, err
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter(q.Filter(p)))
	if err != nil {
		return false, err
	}
	return len(info.State.Subjects) > 0, nil
}

// Renew makes a queue's consumer anew. Everything in the queue is delivered again.
func (t *Topology) Renew(ctx context.Context, q Queue, p int) error {
	// Dying between the two: the next look finds no consumer and comes here again.
	if err := t.js.DeleteConsumer(ctx, StreamName(p), q.Consumer()); err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("remove the consumer %s: %w", q.Consumer(), err)
	}
	return t.consumer(ctx, q, p)
}

// Forget forgets which consumers there are, because streams were made anew: each is created again when it is asked for.
func (t *Topology) Forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.known)
}
