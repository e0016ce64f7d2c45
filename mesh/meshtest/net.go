// Package meshtest is a network in memory for memberlist, so that a whole mesh runs in one testing/synctest bubble. It
// delivers at once and in order, and drops what is cut off, closed or too much, as a real network does.
//
//	net := meshtest.NewNet()
//	m, err := mesh.Start(ctx, mesh.Config{Name: "a", Role: mesh.Node, Transport: net.New()})
//	net.Cut(m.Addr())    // as if its cable were pulled
//	net.Split(a, b)      // a and b here, everybody else there
//	net.Heal()
//
// Make the Net inside the bubble. At the end of it stop every mesh and call Drain: memberlist does not wait for a probe
// that is in flight.
package meshtest

import (
	"fmt"
	"sync"
	"time"
)

// Drain sleeps for as long as memberlist's last probes may take. Only for use in a bubble, where it takes no time.
func Drain() { time.Sleep(30 * time.Second) }

// Net connects transports.
type Net struct {
	mu    sync.Mutex
	hosts map[string]*Transport
	cut   map[string]bool
	side  map[string]bool // set: on the one side of a split
	next  int
}

// NewNet makes a network without hosts.
func NewNet() *Net { return &Net{hosts: map[string]*Transport{}} }

// New gives a transport at an address of its own.
func (n *Net) New() *Transport { return n.At(n.Reserve()) }

// Reserve gives an address where nobody listens yet, for At.
func (n *Net) Reserve() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.next++
	return fmt.Sprintf("10.0.%d.%d:7946", n.next/250, n.next%250+1)
}

// At gives a transport at addr, "ip:port": one that was reserved, or where a transport was closed.
func (n *Net) At(addr string) *Transport {
	t := newTransport(n, addr)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[addr] = t
	return t
}

// Cut takes hosts off the network, in both directions.
func (n *Net) Cut(addrs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cut == nil {
		n.cut = map[string]bool{}
	}
	for _, a := range addrs {
		n.cut[a] = true
	}
}

// Split parts the hosts named from all others. It replaces an earlier split.
func (n *Net) Split(addrs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.side = map[string]bool{}
	for _, a := range addrs {
		n.side[a] = true
	}
}

// Mend undoes the Cut of some hosts.
func (n *Net) Mend(addrs ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, a := range addrs {
		delete(n.cut, a)
	}
}

// Heal undoes every Cut and Split.
func (n *Net) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut, n.side = nil, nil
}

// route gives the host at an address, or nil where it cannot be reached.
func (n *Net) route(from, to string) *Transport {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cut[from] || n.cut[to] || n.side[from] != n.side[to] {
		return nil
	}
	t := n.hosts[to]
	if t == nil {
		return nil
	}
	select {
	case <-t.closed:
		return nil
	default:
		return t
	}
}
