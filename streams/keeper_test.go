package streams_test

import (
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit/streams"
)

// gossip is what a keeper is told of the machines.
type gossip struct {
	name string

	mu      sync.Mutex
	died    map[string]time.Time
	answers map[string]bool
}

func (g *gossip) Name() string { return g.name }

func (g *gossip) Died(name string) (time.Time, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, ok := g.died[name]
	return at, ok
}

func (g *gossip) Answers(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.answers[name]
}

func (g *gossip) dies(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.died[name] = time.Now()
}

// keep starts a keeper whom nobody answers, and gives the times of the NAKs that anybody sends.
func (b *bench) keep(name string) (*gossip, func() []time.Time) {
	b.Helper()
	g := &gossip{name: name, died: map[string]time.Time{}, answers: map[string]bool{}}
	k, err := streams.NewKeeper(b.conn, g, zerolog.Nop())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(k.Stop)
	return g, b.naks()
}

func (b *bench) naks() func() []time.Time {
	b.Helper()
	var mu sync.Mutex
	var at []time.Time
	if _, err := b.conn.Subscribe("$JS.ACK.>", func(m *nats.Msg) {
		if string(m.Data) == "-NAK" {
			mu.Lock()
			at = append(at, time.Now())
			mu.Unlock()
		}
	}); err != nil {
		b.Fatal(err)
	}
	return func() []time.Time {
		mu.Lock()
		defer mu.Unlock()
		return at
	}
}

// tell tells a keeper that the node n holds some bundles.
func (b *bench) tell(keeper string, life uint64, keepers []string, bundles int) {
	b.Helper()
	h := &streams.Holds{Node: "n", Life: life, Keepers: keepers}
	for i := range bundles {
		h.Leases = append(h.Leases, streams.Lease{Consumer: "$JS.ACK.ORBIT_0.cpu_core_6h", Delivered: 1, Seq: uint64(i + 1), Order: uint64(i + 1)})
	}
	if err := b.conn.Publish(streams.HoldsSubject(keeper), h.Encode()); err != nil {
		b.Fatal(err)
	}
}

// present lets the node n listen, as a living one does, until the returned function is called.
func (b *bench) present() (gone func()) {
	b.Helper()
	sub, err := b.conn.Subscribe(streams.HoldsSubject("n"), func(*nats.Msg) {})
	if err != nil {
		b.Fatal(err)
	}
	return func() { _ = sub.Unsubscribe() }
}

func wantNaks(b *bench, naks func() []time.Time, n int, since time.Time, from, to time.Duration) {
	b.Helper()
	got := naks()
	if len(got) != n {
		b.Fatalf("%d bundles are handed back, want %d", len(got), n)
	}
	for _, at := range got {
		if d := at.Sub(since); d < from || d > to {
			b.Errorf("handed back after %s, want from %s to %s", d, from, to)
		}
	}
}

func TestKeeperHandsBackOnceWhatANodeHeldThatNeitherListensNorAnswers(t *testing.T) {
	inBubble(t, func(b *bench) {
		_, naks := b.keep("k")
		gone := b.present()
		b.tell("k", 1, []string{"k"}, 3)
		time.Sleep(10 * time.Second)
		if len(naks()) != 0 {
			b.Fatal("the node lives")
		}
		b.tell("k", 1, []string{"k"}, 5)
		gone()
		died := time.Now()
		time.Sleep(time.Minute)
		wantNaks(b, naks, 5, died, 500*time.Millisecond, 2*time.Second)
	})
}

func TestNodeThatAnswersGossipIsNotTakenForDeadBecauseItDoesNotListen(t *testing.T) {
	inBubble(t, func(b *bench) {
		g, naks := b.keep("k")
		g.answers["n"] = true
		for range 30 {
			b.tell("k", 1, []string{"k"}, 3)
			time.Sleep(time.Second)
		}
		wantNaks(b, naks, 0, time.Now(), 0, 0)
	})
}

func TestNodeThatGossipGivesUpIsDeadUnlessItSpeaks(t *testing.T) {
	inBubble(t, func(b *bench) {
		g, naks := b.keep("k")
		b.present()
		b.tell("k", 1, []string{"k"}, 3)
		time.Sleep(time.Second)
		g.dies("n")
		for range 5 { // as a living node does
			time.Sleep(streams.HoldsAgain)
			b.tell("k", 1, []string{"k"}, 3)
		}
		time.Sleep(10 * time.Second)
		wantNaks(b, naks, 0, time.Now(), 0, 0)
		g.dies("n") // once more, and it has been silent
		died := time.Now()
		time.Sleep(time.Second)
		wantNaks(b, naks, 3, died, 0, time.Second)
	})
}

func TestLaterLifeOfANodeEndsTheOneBefore(t *testing.T) {
	inBubble(t, func(b *bench) {
		_, naks := b.keep("k")
		b.present()
		b.tell("k", 1, []string{"k"}, 4)
		time.Sleep(time.Second)
		b.tell("k", 2, []string{"k"}, 0) // it holds nothing yet
		again := time.Now()
		time.Sleep(20 * time.Second)
		wantNaks(b, naks, 4, again, 0, time.Second)
	})
}

func TestWhatANodeHoldsNoMoreIsNotHandedBack(t *testing.T) {
	inBubble(t, func(b *bench) {
		g, naks := b.keep("k")
		b.tell("k", 1, []string{"k"}, 3)
		time.Sleep(100 * time.Millisecond)
		b.tell("k", 1, []string{"k"}, 0)
		g.dies("n")
		time.Sleep(time.Minute)
		wantNaks(b, naks, 0, time.Now(), 0, 0)
	})
}

func TestSecondKeeperActsWhereTheFirstIsGoneAndOnlyThere(t *testing.T) {
	inBubble(t, func(b *bench) {
		_, naks := b.keep("second")
		b.tell("second", 1, []string{"first", "second"}, 3)
		died := time.Now()
		time.Sleep(time.Minute)
		wantNaks(b, naks, 3, died, 1500*time.Millisecond, 3*time.Second)
	})
	inBubble(t, func(b *bench) {
		_, naks := b.keep("first")
		b.keep("second")
		for _, k := range []string{"first", "second"} {
			b.tell(k, 1, []string{"first", "second"}, 3)
		}
		died := time.Now()
		time.Sleep(time.Minute)
		wantNaks(b, naks, 3, died, 500*time.Millisecond, 2*time.Second)
	})
}

func TestKeeperKeepsABoundedNumberOfLists(t *testing.T) {
	inBubble(t, func(b *bench) {
		_, naks := b.keep("k")
		for life := range uint64(1000) {
			h := &streams.Holds{Node: "n" + string(rune('a'+life%26)) + string(rune('a'+life/26)), Life: 1, Keepers: []string{"k"},
				Leases: []streams.Lease{{Consumer: "$JS.ACK.ORBIT_0.cpu_core_6h", Delivered: 1, Seq: 1, Order: 1}}}
			if err := b.conn.Publish(streams.HoldsSubject("k"), h.Encode()); err != nil {
				b.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if n := len(naks()); n == 0 || n > 256 {
			b.Errorf("%d lists were kept", n)
		}
	})
}

// The keepers' turns rest on this: the server does not look which delivery a NAK is of.
func TestANakOfAnEarlierDeliveryTakesTheLeaseOfTheNextHolder(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.queues(queue)
		b.work(0)
		p, out := b.pull()
		b.want(p, 1)
		first := came(out)[0]
		if err := first.Nak(0); err != nil {
			b.Fatal(err)
		}
		b.want(p, 1)
		if ds := came(out); len(ds) != 1 || ds[0].Delivered != 2 {
			b.Fatalf("%d deliveries", len(ds))
		}
		first.Forsake()
		for range 2 { // nothing is said of a lease that was given up
			_, _ = first.Nak(0), first.Extend()
		}
		b.want(p, 1)
		if ds := came(out); len(ds) != 0 {
			b.Fatal("a lease that was given up is handed back")
		}
		if err := b.conn.Publish(first.AckSubject(), []byte("-NAK")); err != nil {
			b.Fatal(err)
		}
		b.want(p, 1)
		if ds := came(out); len(ds) != 1 || ds[0].Delivered != 3 {
			b.Errorf("%d deliveries: the server has learned to tell deliveries apart, and a NAK twice is harmless now", len(ds))
		}
	})
}
