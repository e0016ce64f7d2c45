package kv_test

import (
	"runtime"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/exospherehost/orbit/kv"
)

// The server's clock service must run outside every bubble, or fake time stands still.
func TestMain(m *testing.M) {
	ats.Register()
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

// connect gives a connection to an embedded server of its own, with every bucket.
func connect(t *testing.T) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	// nats.go keeps timers in a pool, and one from outside a bubble must not be used in it: two rounds empty the pool.
	runtime.GC()
	runtime.GC()
	s, err := server.NewServer(&server.Options{ServerName: "test", JetStream: true, StoreDir: t.TempDir(), DontListen: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := kv.Ensure(t.Context(), js, 1); err != nil {
		t.Fatal(err)
	}
	return nc, js
}
