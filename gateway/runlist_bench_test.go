package gateway

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// BenchmarkListingRuns reads the first page of fifty, of 20,000 runs that have ended, while others go on ending.
func BenchmarkListingRuns(b *testing.B) {
	server, err := streams.StartServer(streams.ServerOptions{Name: "bench", Dir: filepath.Join(b.TempDir(), "data"), Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Stop()
	conn, err := streams.Connect(b.Context(), streams.ConnectOptions{Name: "bench", Server: server, Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		b.Fatal(err)
	}
	g := &Gateway{opts: Options{Conn: conn}, js: js, store: kv.NewStore(conn, js), log: zerolog.Nop(), topology: streams.NewTopology(js, 1, 1)}
	g.list.g = g
	g.settlers = []*settler{newSettler(g, 0)}
	if err := kv.Ensure(b.Context(), js, 1); err != nil {
		b.Fatal(err)
	}
	pub, err := streams.NewPublisher(conn)
	if err != nil {
		b.Fatal(err)
	}
	defer pub.Close()
	made := time.Now()
	write := func(n int) {
		batch := pub.NewBatch()
		for range n {
			made = made.Add(time.Millisecond)
			doc := &kv.Run{Run: orbit.Run{ID: orbit.RandomID(), Cluster: "acme/documents", Version: "0123456789ab", State: orbit.RunSucceeded, Round: 1, CreatedAt: made,
				StartedAt: &made, FinishedAt: &made, Deadline: made, Satellites: make([]orbit.RunSatellite, 4)}, Plan: "0123456789ab"}
			m, err := g.store.Runs.Message(doc.ID, doc, 0)
			if err == nil {
				err = batch.Publish(b.Context(), m)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		if err := batch.Wait(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	write(20_000)
	for b.Loop() {
		write(10)
		w := httptest.NewRecorder()
		if err := g.getRuns(w, httptest.NewRequest("GET", "/v1/runs?limit=50", nil)); err != nil || w.Code != http.StatusOK {
			b.Fatalf("%d: %v", w.Code, err)
		}
	}
}
