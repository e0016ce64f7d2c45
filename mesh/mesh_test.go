package mesh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exospherehost/orbit/mesh/meshtest"
	"github.com/hashicorp/memberlist"
	"github.com/rs/zerolog"
)

// orbit is a whole mesh in one bubble.
type orbit struct {
	t   *testing.T
	net *meshtest.Net
	all []*Mesh
}

// bubble runs f in a bubble, and at its end stops every mesh that f started.
func bubble(t *testing.T, f func(t *testing.T, o *orbit)) {
	synctest.Test(t, func(t *testing.T) {
		o := &orbit{t: t, net: meshtest.NewNet()}
		defer func() {
			for _, m := range o.all {
				m.Stop()
			}
			meshtest.Drain()
		}()
		f(t, o)
	})
}

func (o *orbit) start(cfg Config) *Mesh {
	o.t.Helper()
	if cfg.Role == "" {
		cfg.Role = Node
	}
	if cfg.Transport == nil {
		cfg.Transport = o.net.New()
	}
	m, err := Start(o.t.Context(), cfg)
	if err != nil {
		o.t.Fatal(err)
	}
	o.all = append(o.all, m)
	return m
}

// several starts n0 … and lets them join n0.
func (o *orbit) several(n int) []*Mesh {
	ms := []*Mesh{o.start(Config{Name: "n0"})}
	for i := 1; i < n; i++ {
		ms = append(ms, o.start(Config{Name: fmt.Sprintf("n%d", i), Join: []string{ms[0].Addr()}}))
	}
	o.within(time.Minute, "all see each other", func() bool { return allSee(ms, n-1) })
	return ms
}

func allSee(ms []*Mesh, n int) bool {
	return !slices.ContainsFunc(ms, func(m *Mesh) bool { return m.view.alive() != n })
}

// within waits in fake time.
func (o *orbit) within(limit time.Duration, what string, ok func() bool) time.Duration {
	o.t.Helper()
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if ok() {
			return time.Since(begin)
		}
		if time.Since(begin) > limit {
			for _, m := range o.all {
				o.t.Logf("%s sees %+v", m.cfg.Name, m.Peers())
			}
			o.t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

func peer(m *Mesh, name string) Peer {
	for _, p := range m.Peers() {
		if p.Name == name {
			return p
		}
	}
	return Peer{}
}

func TestNodesThatJoinOneSeedSeeEachOtherByName(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		seed := o.start(Config{Name: "g", Role: Gateway})
		a := o.start(Config{Name: "a", Join: []string{seed.Addr()}})
		b := o.start(Config{Name: "b", Join: []string{seed.Addr()}})
		o.within(10*time.Second, "three see each other", func() bool { return allSee(o.all, 2) })
		got := a.Peers()
		if len(got) != 2 || got[0].Name != "b" || got[0].Role != Node || got[0].Address != b.Addr() || got[1].Name != "g" || got[1].Role != Gateway {
			t.Errorf("a sees %+v", got)
		}
		if got[0].Digest != nil {
			t.Error("b has a digest before it has sent one")
		}
		if err := a.Joined(); err != nil {
			t.Error(err)
		}
	})
}

func TestCrashedNodeIsDeadWithinSeconds(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		ms := o.several(5)
		o.net.Cut(ms[4].Addr())
		crash := time.Now()
		took := o.within(30*time.Second, "n4 is dead for all others", func() bool { return allSee(ms[:4], 3) })
		t.Log("noticed by all after", took)
		if p := peer(ms[1], "n4"); p.State != Dead || p.Since.Before(crash) {
			t.Errorf("n1 shows %+v", p)
		}
	})
}

func TestNodeThatLeavesIsShownAsLeftNotDead(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		ms := o.several(4)
		if err := ms[3].Leave(5 * time.Second); err != nil {
			t.Fatal(err)
		}
		ms[3].Stop()
		o.within(5*time.Second, "n3 has gone for all", func() bool { return allSee(ms[:3], 2) })
		for _, m := range ms[:3] {
			if p := peer(m, "n3"); p.State != Left {
				t.Errorf("%s shows %+v", m.cfg.Name, p)
			}
		}
		if got := len(ms[0].view.snapshot(time.Now().Add(keepGone + time.Minute))); got != 2 {
			t.Errorf("an hour later %d peers are shown, not 2", got)
		}
	})
}

func TestPartitionHealsThoughBothSidesGaveEachOtherUp(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		ms := o.several(6)
		o.net.Split(ms[0].Addr(), ms[1].Addr(), ms[2].Addr())
		o.within(time.Minute, "each side sees itself only", func() bool { return allSee(ms, 2) })
		time.Sleep(2 * time.Minute) // memberlist itself has forgotten them by now
		o.net.Heal()
		t.Log("healed after", o.within(2*time.Minute, "all see each other again", func() bool { return allSee(ms, 5) }))
	})
}

func TestUpdateIsSeenByAllPeers(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		ms := o.several(5)
		for i := range 20 { // the last of several in a row counts
			ms[2].Update(Digest{Class: "gpu-80g", FreeGPU: []int{80000, 1023}, Slots: 8, Busy: i, Version: "v1"})
		}
		o.within(10*time.Second, "all have n2's digest", func() bool {
			for _, m := range append(slices.Clone(ms[:2]), ms[3:]...) {
				if d := peer(m, "n2").Digest; d == nil || d.Busy != 19 {
					return false
				}
			}
			return true
		})
		if d := peer(ms[0], "n2").Digest; d.Class != "gpu-80g" || !slices.Equal(d.FreeGPU, []int{79872, 768}) || d.Slots != 8 {
			t.Errorf("%+v", d)
		}
	})
}

func TestWrongGossipKeyIsRefusedAtTheFirstJoin(t *testing.T) {
	one, other := []byte("0123456789abcdef"), []byte("0123456789abcdef01234567")
	for _, tc := range []struct {
		name       string
		seed, ours []byte
		says       string
	}{
		{"seed has a key, we have none", one, nil, "has one and this machine has none"},
		{"we have a key, the seed has none", nil, one, "this machine has one and"},
		{"keys differ", one, other, "has another one"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, o *orbit) {
				seed := o.start(Config{Name: "seed", Key: tc.seed})
				begin := time.Now()
				m, err := Start(t.Context(), Config{Name: "n", Role: Node, Key: tc.ours, Join: []string{seed.Addr()}, Transport: o.net.New()})
				if !errors.Is(err, ErrKey) || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), seed.Addr()) || m != nil {
					t.Fatalf("got %v", err)
				}
				if took := time.Since(begin); took > time.Second {
					t.Errorf("took %s to find out", took)
				}
				if len(seed.Peers()) != 0 {
					t.Error("the seed let it in")
				}
			})
		})
	}
}

func TestSameKeyJoins(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		key := []byte("0123456789abcdef0123456789abcdef")
		seed := o.start(Config{Name: "seed", Key: key})
		m := o.start(Config{Name: "n", Key: key, Join: []string{seed.Addr()}})
		o.within(time.Second, "they see each other", func() bool { return allSee([]*Mesh{seed, m}, 1) })
	})
}

func TestSeedThatComesLaterIsFound(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		addr := o.net.Reserve()
		m := o.start(Config{Name: "n", Join: []string{addr}})
		if err := m.Joined(); !errors.Is(err, ErrNoSeed) || !strings.Contains(err.Error(), addr) {
			t.Fatalf("got %v", err)
		}
		time.Sleep(time.Minute)
		o.start(Config{Name: "seed", Transport: o.net.At(addr)})
		o.within(20*time.Second, "the seed is found", func() bool { return m.view.alive() == 1 })
		if err := m.Joined(); err != nil {
			t.Error(err)
		}
	})
}

// busy drops the first connections without an answer, as a seed does that serves 128 joins already.
type busy struct {
	memberlist.Transport
	drops atomic.Int32
}

func (b *busy) DialTimeout(addr string, d time.Duration) (net.Conn, error) {
	if b.drops.Add(-1) < 0 {
		return b.Transport.DialTimeout(addr, d)
	}
	ours, theirs := net.Pipe()
	go func() {
		_, _ = theirs.Read(make([]byte, 1))
		_ = theirs.Close()
	}()
	return ours, nil
}

func TestBusySeedIsAskedAgainAndNotTakenForAWrongKey(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		key := []byte("0123456789abcdef")
		seed := o.start(Config{Name: "seed", Key: key})
		b := &busy{Transport: o.net.New()}
		b.drops.Store(3)
		m := o.start(Config{Name: "n", Key: key, Join: []string{seed.Addr()}, Transport: b})
		if m.view.alive() != 1 {
			t.Errorf("not joined: %v", m.Joined())
		}
	})
}

func TestDeadNodeComesBackUnderItsNameAtAnotherAddress(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		ms := o.several(4)
		o.net.Cut(ms[3].Addr())
		ms[3].Stop()
		again := o.start(Config{Name: "n3", Join: []string{ms[0].Addr()}}) // before the others have noticed
		took := o.within(20*time.Second, "its new address is taken", func() bool {
			return peer(ms[1], "n3").Address == again.Addr() && peer(ms[1], "n3").State == Alive
		})
		t.Log("taken after", took)
	})
}

func TestStartAndStopArePromptThoughTheSeedNeverAnswers(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		silent := o.net.New() // nobody takes its connections
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := Start(ctx, Config{Name: "n", Role: Node, Join: []string{silent.Addr()}, Transport: o.net.New()}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("Start gave up after %s", took)
		}
		m := o.start(Config{Name: "m", Join: []string{silent.Addr()}})
		time.Sleep(alonePause * 2) // it tries again by now
		begin = time.Now()
		m.Stop()
		if took := time.Since(begin); took > 0 {
			t.Errorf("Stop took %s", took)
		}
	})
}

func TestAfterStopEveryCallIsHarmless(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		m := o.several(2)[1]
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(m.Stop)
		}
		wg.Wait()
		if err := m.Leave(time.Second); err != nil {
			t.Error(err)
		}
		m.Update(Digest{Busy: 1})
		if got := m.Peers(); len(got) != 1 {
			t.Error(got)
		}
	})
}

func TestLivingNamesakeIsReported(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		ms := o.several(3)
		var log bytes.Buffer
		twin := o.start(Config{Name: "n2", Join: []string{ms[0].Addr()}, Log: zerolog.New(&log).Level(zerolog.WarnLevel)})
		time.Sleep(2 * twinTries * twinPause)
		twin.Stop() // its goroutine has written the last line
		if !strings.Contains(log.String(), "another machine gossips under this name") {
			t.Errorf("logged %q", log.String())
		}
		if p := peer(ms[1], "n2"); p.Address != ms[2].Addr() || p.State != Alive {
			t.Errorf("the first n2 is shown as %+v", p)
		}
	})
}
