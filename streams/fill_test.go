package streams_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit/streams"
)

func TestFillIsThatOfTheFullestPlaceWithALimit(t *testing.T) {
	inBubble(t, func(b *bench) {
		before, err := b.top.Fill(b.Context(), "the store", 0)
		if err != nil || before.Share() != 0 || before.Limit != 0 {
			b.Errorf("without a limit: %+v, %v", before, err)
		}
		for n := range 10 {
			b.work(n)
		}
		all, err := b.top.Fill(b.Context(), "the store", 100_000)
		if err != nil || all.Used <= before.Used || all.Limit != 100_000 || all.Place != "the store" {
			b.Errorf("beside a limit of its own: %+v, %v; empty it was %d", all, err, before.Used)
		}
		s, err := b.js.Stream(b.Context(), "ORBIT_0")
		if err != nil {
			b.Fatal(err)
		}
		config := s.CachedInfo().Config
		config.MaxBytes = 2 * int64(s.CachedInfo().State.Bytes) // what an operator may do
		if _, err := b.js.UpdateStream(b.Context(), config); err != nil {
			b.Fatal(err)
		}
		one, err := b.top.Fill(b.Context(), "the store", 1<<40)
		if err != nil || one.Place != "the stream ORBIT_0" || one.Share() != 0.5 || !strings.Contains(one.String(), "the stream ORBIT_0 is 50 % full") {
			b.Errorf("beside the limit of a stream: %s (%+v), %v", one, one, err)
		}
		if _, err := b.js.CreateStream(b.Context(), jetstream.StreamConfig{Name: "ROLLS", Subjects: []string{"rolls"}, MaxBytes: 1000, Discard: jetstream.DiscardOld}); err != nil {
			b.Fatal(err)
		}
		for range 100 {
			if _, err := b.js.Publish(b.Context(), "rolls", make([]byte, 100)); err != nil {
				b.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if f, err := b.top.Fill(b.Context(), "the store", 1<<40); err != nil || f.Place != "the stream ORBIT_0" {
			b.Errorf("beside a stream that throws away its oldest: %s, %v", f, err)
		}
	})
}

func TestAServerSaysHowMuchItMayStore(t *testing.T) {
	for limit, ok := range map[int64]func(n int64) bool{0: func(n int64) bool { return n > 1<<20 }, 64 << 20: func(n int64) bool { return n == 64<<20 }} {
		s, err := streams.StartServer(streams.ServerOptions{Name: "test", Dir: filepath.Join(t.TempDir(), "data"), Limit: limit, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		if n := s.Limit(); !ok(n) {
			t.Errorf("started with %d, it says %d", limit, n)
		}
		s.Stop()
	}
}
