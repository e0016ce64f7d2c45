package orbittest

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit/streams"
)

// Pick gives one of the living processes, the n-th by some count; nil where there is none.
func (o *Orbit) Pick(n int) *Process {
	var alive []*Process
	for _, p := range o.processes() {
		if p.Alive() {
			alive = append(alive, p)
		}
	}
	if len(alive) == 0 {
		return nil
	}
	return alive[n%len(alive)]
}

// Calm puts every cable back and waits until all have noticed.
func (o *Orbit) Calm() {
	for _, p := range o.processes() {
		p.Heal()
	}
	time.Sleep(10 * time.Second)
}

// Publish puts a message on a subject, as a stranger would.
func (o *Orbit) Publish(subject string, data []byte) {
	o.T.Helper()
	if err := o.conn.PublishMsg(&nats.Msg{Subject: subject, Data: data}); err != nil {
		o.T.Fatal(err)
	}
}

// PublishMsg publishes a message with its headers.
func (o *Orbit) PublishMsg(m *nats.Msg) {
	o.T.Helper()
	if err := o.conn.PublishMsg(m); err != nil {
		o.T.Fatal(err)
	}
}

// Duplicate stores up to n messages of work a second time, as a publisher that never got its answer would after the
// window in which the server knows it. It gives the number of those that there were.
func (o *Orbit) Duplicate(n int) (done int) {
	all, err := o.read()
	if err != nil {
		return 0 // the server is busy, or on its way up
	}
	for _, m := range all.under("orbit.work.") {
		if done == n {
			break
		}
		if o.conn.PublishMsg(&nats.Msg{Subject: m.Subject, Data: m.Data}) == nil {
			done++
		}
	}
	return done
}

// DropStream removes a stream from the server, as an operator may.
func (o *Orbit) DropStream(name string) {
	o.T.Helper()
	js, err := jetstream.New(o.conn)
	if err == nil {
		err = js.DeleteStream(o.T.Context(), name)
	}
	if err != nil {
		o.T.Fatal(err)
	}
}

// Lose removes what waits of a run from every queue, as an operator may, and tells how much that was.
func (o *Orbit) Lose(run string) (n uint64) {
	o.T.Helper()
	js, err := jetstream.New(o.conn)
	if err != nil {
		o.T.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	o.lost = true
	for _, f := range streams.OfRun(streams.Partition(run, o.opts.Partitions), run) {
		s, err := js.Stream(ctx, f.Stream)
		if err != nil {
			o.T.Fatal(err)
		}
		before := s.CachedInfo().State.Msgs
		if err := s.Purge(ctx, jetstream.WithPurgeSubject(f.Subject)); err != nil {
			o.T.Fatal(err)
		}
		after, err := s.Info(ctx)
		if err != nil {
			o.T.Fatal(err)
		}
		n += before - after.State.Msgs
	}
	return n
}
