package main

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
)

// layout is what a mesh consists of: each a process of its own.
type layout struct {
	servers  int // NATS servers, which keep a copy of everything each; 0: the first gateway embeds one
	gateways int
	nodes    int
	bundle   int      // items of a bundle; 0: as the nodes measure
	slots    int      // bundles that a node runs at once; 0: as it chooses
	more     []string // what gateways and nodes are told beside
	gossip   string   // address of this machine to gossip on; "": loopback
}

// small is the layout of most measurements.
func small(bundle int) layout { return layout{gateways: 1, nodes: 1, bundle: bundle} }

// setting says it in words.
func (l layout) setting() string {
	server := "embedded in the first gateway"
	if l.servers > 0 {
		server = fmt.Sprintf("%d external", l.servers)
	}
	return fmt.Sprintf("NATS server %s, %d gateways, %d nodes", server, l.gateways, l.nodes)
}

// addresses are where the processes of a mesh listen, each time they are started.
type addresses struct {
	nats, routes []string // of servers
	http, gossip []string // of gateways
	embedded     string
}

func (l layout) addresses() (a addresses, err error) {
	p := newPorts()
	take := func(host string, n int) (all []string) {
		for range n {
			addr, failed := p.addr(host)
			if failed != nil {
				err = failed
			}
			all = append(all, addr)
		}
		return all
	}
	const loopback = "127.0.0.1"
	gossip := loopback
	if l.gossip != "" {
		gossip = l.gossip
	}
	a = addresses{nats: take(loopback, l.servers), routes: take(loopback, l.servers), http: take(loopback, l.gateways), gossip: take(gossip, l.gateways)}
	if l.servers == 0 {
		a.embedded = take(loopback, 1)[0]
		a.nats = []string{a.embedded}
	}
	return a, err
}

// natsURL names all servers.
func (a addresses) natsURL() string { return "nats://" + strings.Join(a.nats, ",nats://") }

// lay makes the children of a layout. None is started.
func (m *mesh) lay(b *bench, name string, l layout) error {
	a, err := l.addresses()
	if err != nil {
		return err
	}
	m.nats = a.natsURL()
	level := "error"
	if b.verbose {
		level = "info"
	}
	child := func(role string, i int, args ...string) *child {
		who := fmt.Sprintf("%s-%d", role, i+1)
		args = append(args, "-data", filepath.Join(m.dir, who), "-level", level)
		if b.profile != "" {
			args = append(args, "-cpuprofile", filepath.Join(b.profile, name+"-"+who+".pprof"))
		}
		c := newChild(b, role, who, args...)
		c.died, c.hear = func(err error) { m.end(err) }, m.heard.hear
		return c
	}
	for i := range l.servers {
		args := []string{"-listen", a.nats[i]}
		if l.servers > 1 {
			others := append(append([]string{}, a.routes[:i]...), a.routes[i+1:]...)
			args = append(args, "-cluster", a.routes[i], "-routes", "nats://"+strings.Join(others, ",nats://"))
		}
		m.servers = append(m.servers, child("server", i, args...))
	}
	for i := range l.gateways {
		args := []string{"-http", a.http[i], "-gossip", a.gossip[i], "-join", strings.Join(a.gossip, ","), "-replicas", fmt.Sprint(max(1, l.servers)), "-key", filepath.Join(m.dir, "secrets.key")}
		if l.gossip != "" && !net.ParseIP(l.gossip).IsLoopback() {
			args = append(args, "-token", filepath.Join(m.dir, tokenFile))
		}
		if l.servers == 0 && i == 0 {
			args = append(args, "-listen", a.embedded)
		} else {
			args = append(args, "-nats", m.nats)
		}
		m.gateways = append(m.gateways, child("gateway", i, append(args, l.more...)...))
	}
	for i := range l.nodes {
		host, _, _ := net.SplitHostPort(a.gossip[0])
		m.nodes = append(m.nodes, child("node", i, append([]string{"-nats", m.nats, "-gossip", net.JoinHostPort(host, "0"), "-join", strings.Join(a.gossip, ","), "-bundle", fmt.Sprint(l.bundle),
			"-slots", fmt.Sprint(l.slots), "-cache", filepath.Join(b.dir, "cache")}, l.more...)...))
	}
	m.gateway, m.node = m.gateways[0], m.nodes[0]
	return nil
}
