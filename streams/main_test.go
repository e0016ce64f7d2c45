package streams_test

import (
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// The server's clock service must run outside every bubble, or fake time stands still.
func TestMain(m *testing.M) {
	ats.Register()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

// bench is an embedded server with Orbit's streams, in a bubble of fake time.
type bench struct {
	*testing.T
	conn *nats.Conn
	js   jetstream.JetStream
	top  *streams.Topology
	pub  *streams.Publisher
}

// queue is the queue that most tests use.
var queue = streams.Queue{Class: "cpu", Pool: "core", Tier: "6h"}

func inBubble(t *testing.T, f func(b *bench)) {
	t.Helper()
	// nats.go keeps timers in a pool, and one of an earlier bubble must not be used in this: two rounds empty the pool.
	runtime.GC()
	runtime.GC()
	synctest.Test(t, func(t *testing.T) {
		server, err := streams.StartServer(streams.ServerOptions{Name: "test", Dir: filepath.Join(t.TempDir(), "data"), Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		defer server.Stop()
		conn, err := streams.Connect(t.Context(), streams.ConnectOptions{Name: "test", Server: server, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		js, err := jetstream.New(conn)
		if err != nil {
			t.Fatal(err)
		}
		top := streams.NewTopology(js, 1, 1)
		if err := top.Ensure(t.Context()); err != nil {
			t.Fatal(err)
		}
		pub, err := streams.NewPublisher(conn)
		if err != nil {
			t.Fatal(err)
		}
		defer pub.Close()
		f(&bench{T: t, conn: conn, js: js, top: top, pub: pub})
	})
}

// queues makes the consumer of the queue.
func (b *bench) queues(qs ...streams.Queue) {
	b.Helper()
	if _, err := b.top.EnsureQueues(b.Context(), qs); err != nil {
		b.Fatal(err)
	}
}

var run = orbit.HashID("run")

// bundle is a small bundle that tests tell by its ordinal.
func bundle(n int) *orbit.Bundle {
	return &orbit.Bundle{ID: orbit.BundleID("s", run, n), Run: run, Step: "s", Parent: run, Ordinal: n, Items: []orbit.Item{{Lineage: "0"}}}
}

// do publishes a message that must be stored.
func (b *bench) do(m *nats.Msg) streams.PubAck {
	b.Helper()
	ack, err := b.pub.Do(b.Context(), m)
	if err != nil {
		b.Fatalf("%s: %v", m.Subject, err)
	}
	return ack
}

// work queues a bundle.
func (b *bench) work(n int) streams.PubAck {
	b.Helper()
	return b.do(streams.WorkMessage(queue, 0, bundle(n), ""))
}

// stored counts the messages on the subjects that filter matches.
func (b *bench) stored(stream, filter string) int {
	b.Helper()
	n := 0
	if err := streams.ReadAll(b.Context(), b.conn, stream, filter, 1, func(streams.Stored) error { n++; return nil }); err != nil {
		b.Fatal(err)
	}
	return n
}
