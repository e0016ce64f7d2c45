package mesh

import (
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func onLoopback(t *testing.T, cfg Config) *Mesh {
	t.Helper()
	if cfg.Role == "" {
		cfg.Role = Node
	}
	if cfg.Bind == "" {
		cfg.Bind = "127.0.0.1:0"
	}
	m, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	return m
}

func TestTwoMachinesMeetAndPartOverRealTCP(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	changes := make(chan Change, 16)
	key := []byte("0123456789abcdef")
	g := onLoopback(t, Config{Name: "g", Role: Gateway, Key: key, OnChange: func(_ Peer, c Change) { changes <- c }})
	n := onLoopback(t, Config{Name: "n", Key: key, Join: []string{g.Addr()}})
	if n.Peers()[0].Name != "g" || <-changes != Joined {
		t.Error("not met")
	}
	n.Update(Digest{Class: "cpu"})
	if c := <-changes; c != Updated || g.Peers()[0].Digest.Class != "cpu" {
		t.Errorf("%s, %+v", c, g.Peers())
	}
	if _, err := Start(t.Context(), Config{Name: "x", Role: Node, Bind: "127.0.0.1:0", Join: []string{g.Addr()}}); err == nil || !strings.Contains(err.Error(), "this machine has none") {
		t.Errorf("without the key: %v", err)
	}
	if err := n.Leave(10 * time.Second); err != nil {
		t.Error(err)
	}
	n.Stop()
	if c := <-changes; c != Departed {
		t.Errorf("heard %s", c)
	}
	g.Stop()
}

func TestAddressesThatCannotBeUsedAreExplained(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = udp.Close() }()
	for _, tc := range []struct{ bind, advertise, says string }{
		{taken.Addr().String(), "", "gossip address " + taken.Addr().String() + " is in use by another process; choose another with --gossip"},
		{udp.LocalAddr().String(), "", "is in use by another process"},
		{"192.0.2.1:0", "", "is not an address of this machine"},
		{"7946", "", "is not written as host:port"},
		{"127.0.0.1:70000", "", `"70000" is no port`},
		{"no.such.host.invalid:1", "", "no.such.host.invalid cannot be resolved"},
		{"127.0.0.1:0", "0.0.0.0", "is none that others can reach"},
		{"127.0.0.1:0", "127.0.0.1:x", `"x" is no port`},
	} {
		m, err := Start(t.Context(), Config{Name: "n", Role: Node, Bind: tc.bind, Advertise: tc.advertise})
		if err == nil {
			m.Stop()
		}
		if err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s, advertised as %q: %v", tc.bind, tc.advertise, err)
		}
	}
}

func TestConfigThatCannotWorkIsExplained(t *testing.T) {
	for _, tc := range []struct {
		cfg  Config
		says string
	}{
		{Config{Role: Node}, "needs a name"},
		{Config{Name: strings.Repeat("n", 200), Role: Node}, "has 200 bytes"},
		{Config{Name: "n", Role: "king"}, `"king" is neither`},
		{Config{Name: "n", Role: Node, Key: make([]byte, 12)}, "has 12 bytes; it must have 16, 24 or 32"},
	} {
		if _, err := Start(t.Context(), tc.cfg); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%+v: %v", tc.cfg, err)
		}
	}
}

func TestAdvertisedAddressMayDiffer(t *testing.T) {
	m := onLoopback(t, Config{Name: "n", Advertise: "192.0.2.7:7000"})
	if m.Addr() != "192.0.2.7:7000" {
		t.Error(m.Addr())
	}
	host, port, _ := net.SplitHostPort(onLoopback(t, Config{Name: "m", Advertise: "localhost"}).Addr())
	if host != "127.0.0.1" || port == "0" {
		t.Error(host, port)
	}
	if host, _, _ := net.SplitHostPort(onLoopback(t, Config{Name: "all", Bind: "0.0.0.0:0"}).Addr()); net.ParseIP(host).IsUnspecified() {
		t.Error("advertises", host)
	}
}

func TestWhatListensAtTheSeedIsNoGossip(t *testing.T) {
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := web.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = c.Close()
		}
	}()
	m := onLoopback(t, Config{Name: "n", Key: []byte("0123456789abcdef"), Join: []string{web.Addr().String()}})
	if err := m.Joined(); err == nil || !strings.Contains(err.Error(), "does not speak gossip") {
		t.Error(err)
	}
	_ = web.Close()
	<-done
}

func TestListensWhereTheSeedIsReached(t *testing.T) {
	for _, tc := range []struct {
		join []string
		want string
	}{
		{nil, "127.0.0.1"},
		{[]string{"127.0.0.1:7946"}, "127.0.0.1"},
		{[]string{"localhost"}, "127.0.0.1"},
		{[]string{"no.such.host.invalid:7946"}, "0.0.0.0"},
	} {
		if got := ListenFor(tc.join); got != tc.want {
			t.Errorf("%v: %s", tc.join, got)
		}
	}
	if own := ownAddress(); own != "127.0.0.1" { // our own address as a seed: reached from itself
		if got := ListenFor([]string{"127.0.0.1", own}); got != own {
			t.Errorf("seed at %s: %s", own, got)
		}
	}
}
