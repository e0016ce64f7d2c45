package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// bareWindow is the number of bundles in flight; more gains nothing.
const bareWindow = 1024

// bare is the bare loop: for each bundle it pulls, it makes the writes that the protocol asks for (record with expected
// sequence 0, its answer, one child with a Nats-Msg-Id, its answer, ack) on the streams that a gateway makes, and nothing
// else. It decodes nothing, runs nothing and checks nothing: what a mesh does beyond it is Orbit's own cost.
type bare struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	prefix string // of the answers' subjects; a slot's number follows
	free   chan int
	slots  []bareSlot
	body   []byte
	run    string

	settled, failed atomic.Int64
	want            int64
	done            chan struct{}
}

// bareSlot is one bundle in flight. It is touched by one goroutine at a time: the puller before its record is sent, the
// one that takes answers after.
type bareSlot struct {
	msg      jetstream.Msg
	id       string
	recorded bool
}

var bareQueue, bareChildren = streams.QueuesOf("cpu", orbit.CorePool)[0], streams.QueuesOf("cpu", orbit.CorePool)[1]

// runBare moves n bundles of k items. The server is a process of its own.
func runBare(ctx context.Context, b *bench, n, k int) (rate, error) {
	dir := filepath.Join(b.dir, "bare")
	defer os.RemoveAll(dir)
	args := []string{"-data", dir}
	if b.profile != "" {
		args = append(args, "-cpuprofile", filepath.Join(b.profile, fmt.Sprintf("bare-%d-server.pprof", k)))
	}
	server, err := startChild(ctx, b, "server", args...)
	if err != nil {
		return rate{}, err
	}
	defer server.Stop()
	nc, err := nats.Connect(server.ready.NATS)
	if err != nil {
		return rate{}, err
	}
	defer nc.Close()
	l := &bare{nc: nc, prefix: nats.NewInbox() + ".", free: make(chan int, bareWindow), slots: make([]bareSlot, bareWindow), want: int64(n), done: make(chan struct{}),
		body: bytes.Repeat([]byte("x"), max(128, 64*k)), run: orbit.RandomID()}
	if err := l.prepare(ctx, n); err != nil {
		return rate{}, fmt.Errorf("bare loop: %w", err)
	}
	if b.profile != "" {
		server.Profile()
	}
	served, sent := watch(server.PID()), watch(os.Getpid())
	took, err := l.measure(ctx)
	if err != nil {
		return rate{}, fmt.Errorf("bare loop: %d of %d bundles settled, %d writes refused: %w", l.settled.Load(), n, l.failed.Load(), err)
	}
	own := rate{bundles: n, took: took, node: sent()}
	own.cpu = own.node + served()
	if b.profile != "" {
		server.Profile()
	}
	return own, nil
}

// prepare makes the streams and fills the queue.
func (l *bare) prepare(ctx context.Context, n int) (err error) {
	if l.js, err = jetstream.New(l.nc); err != nil {
		return err
	}
	topology := streams.NewTopology(l.js, 1, 1)
	if err := topology.Ensure(ctx); err != nil {
		return err
	}
	if _, err := topology.EnsureQueues(ctx, streams.QueuesOf("cpu", orbit.CorePool)); err != nil {
		return err
	}
	pub, err := streams.NewPublisher(l.nc)
	if err != nil {
		return err
	}
	defer pub.Close()
	batch := pub.NewBatch()
	for i := range n {
		m := &nats.Msg{Subject: streams.WorkSubject(bareQueue, 0, l.run), Header: nats.Header{nats.MsgIdHdr: {orbit.BundleID("root", l.run, i)}}, Data: l.body}
		if err := batch.Publish(ctx, m); err != nil {
			break
		}
	}
	return batch.Wait(ctx)
}

func (l *bare) measure(ctx context.Context) (time.Duration, error) {
	for i := range bareWindow {
		l.free <- i
	}
	sub, err := l.nc.Subscribe(l.prefix+"*", l.answer)
	if err != nil {
		return 0, err
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil { // bounded by the window
		return 0, err
	}
	consumer, err := l.js.Consumer(ctx, streams.StreamName(0), bareQueue.Consumer())
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	consuming, err := consumer.Consume(l.record, jetstream.PullMaxMessages(2000))
	if err != nil {
		return 0, err
	}
	defer consuming.Stop()
	select {
	case <-l.done:
	case <-time.After(3 * time.Minute):
		return 0, context.DeadlineExceeded
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	if err := l.nc.FlushWithContext(ctx); err != nil {
		return 0, err
	}
	took := time.Since(begun)
	return took, l.check(ctx)
}

// record begins a bundle.
func (l *bare) record(m jetstream.Msg) {
	i := <-l.free
	s := &l.slots[i]
	s.msg, s.id, s.recorded = m, m.Headers().Get(nats.MsgIdHdr), false
	l.send(i, streams.RecordSubject(0, l.run, s.id), nats.Header{nats.ExpectedLastSubjSeqHdr: {"0"}})
}

// answer takes a bundle one step on: from its record to its child, and from its child to its ack.
func (l *bare) answer(m *nats.Msg) {
	i, err := strconv.Atoi(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:])
	if err != nil || bytes.Contains(m.Data, []byte(`"error"`)) {
		l.failed.Add(1)
		return
	}
	s := &l.slots[i]
	if !s.recorded {
		s.recorded = true
		l.send(i, streams.WorkSubject(bareChildren, 0, l.run), nats.Header{nats.MsgIdHdr: {orbit.BundleID("step-1", s.id, 0)}})
		return
	}
	_ = s.msg.Ack() // sent without waiting, as a node does
	s.msg = nil
	l.free <- i
	if l.settled.Add(1) == l.want {
		close(l.done)
	}
}

func (l *bare) send(i int, subject string, h nats.Header) {
	if err := l.nc.PublishMsg(&nats.Msg{Subject: subject, Reply: l.prefix + strconv.Itoa(i), Header: h, Data: l.body}); err != nil {
		l.failed.Add(1)
	}
}

// check waits until the stream holds a record and a child of every bundle, and nothing else.
func (l *bare) check(ctx context.Context) error {
	for try := 0; ; try++ {
		s, err := l.js.Stream(ctx, streams.StreamName(0))
		if err != nil {
			return err
		}
		got := s.CachedInfo().State.Msgs
		if got == uint64(2*l.want) {
			return nil
		}
		if try == 50 {
			return fmt.Errorf("the stream holds %d messages; there must be %d", got, 2*l.want)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
