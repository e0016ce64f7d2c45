package mesh

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"
)

func TestChangesAreHeardInOrderByOneGoroutine(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		heard := make(chan string, 100)
		watch := o.start(Config{Name: "watch", OnChange: func(p Peer, c Change) { heard <- fmt.Sprint(p.Name, " ", c, " ", p.State) }})
		next := func(want string) {
			t.Helper()
			select {
			case got := <-heard:
				if got != want {
					t.Errorf("heard %q, want %q", got, want)
				}
			case <-time.After(time.Minute):
				t.Fatalf("did not hear %q", want)
			}
		}
		a := o.start(Config{Name: "a", Join: []string{watch.Addr()}})
		next("a joined alive")
		a.Update(Digest{Busy: 1})
		next("a updated alive")
		o.net.Cut(a.Addr())
		next("a died dead")
		o.net.Heal()
		next("a joined alive")
		o.within(time.Minute, "a knows whom to say goodbye", func() bool { return a.view.alive() == 1 })
		if err := a.Leave(5 * time.Second); err != nil {
			t.Fatal(err)
		}
		next("a departed left")
	})
}

func TestSlowListenerHearsEachPeerOnceWithItsLastState(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		v := newView("me")
		meta := func(busy int) []byte { return encodeMeta(Node, &Digest{Busy: busy}) }
		for i := range 1000 {
			v.saw(&memberlist.Node{Name: "a", Meta: meta(i)}, i == 0)
			v.saw(&memberlist.Node{Name: "b", Meta: meta(i)}, i == 0)
		}
		v.lost("b")
		var heard []string
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			v.deliver(ctx, func(p Peer, c Change) { heard = append(heard, fmt.Sprint(p.Name, c, p.Digest.Busy)) })
		}()
		time.Sleep(time.Second)
		stop()
		<-done
		if !slices.Equal(heard, []string{"ajoined999", "bdied999"}) {
			t.Errorf("heard %v", heard)
		}
	})
}

func TestGoodbyeThatComesAfterTheLossStillCounts(t *testing.T) {
	v := newView("me")
	v.saw(&memberlist.Node{Name: "a"}, true)
	v.lost("a")
	if v.peers["a"].State != Dead {
		t.Error("not dead")
	}
	v.farewell("a")
	v.farewell("stranger")
	if v.peers["a"].State != Left || len(v.peers) != 1 || len(v.leaving) != 0 {
		t.Errorf("%+v", v)
	}
}

func TestPeerWithUnreadableMetadataIsShownWithoutDigest(t *testing.T) {
	bubble(t, func(t *testing.T, o *orbit) {
		m := o.start(Config{Name: "m"})
		mc := memberlist.DefaultLANConfig()
		mc.Name, mc.Transport, mc.Delegate, mc.Logger = "foreign", o.net.New(), junk{}, adapt(m.cfg.Log)
		ml, err := memberlist.Create(mc)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ml.Shutdown() }()
		if _, err := ml.Join([]string{m.Addr()}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if p := peer(m, "foreign"); p.State != Alive || p.Digest != nil || p.Role != "" {
			t.Errorf("%+v", p)
		}
	})
}

type junk struct{ *delegate }

func (junk) NodeMeta(int) []byte { return []byte("\xff\xffnot ours") }
