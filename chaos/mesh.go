package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// crampedMiB is the disk of the cramped server: many times what a run of some minutes stores.
const crampedMiB = 512

// mesh is the processes, and the ways between them.
type mesh struct {
	s     *settings
	wire  *wire
	ips   map[string][4]byte
	all   map[string]*process
	http  map[string]string // of gateways
	nats  string            // URLs of all servers
	token string
	conn  *nats.Conn // of the checker
	js    jetstream.JetStream

	mu    sync.Mutex
	ended []string // processes that ended by themselves

}

// address is the i-th on the wire.
func address(i byte) [4]byte { return [4]byte{10, 77, 0, i} }

func dotted(ip [4]byte) string { return net.IP(ip[:]).String() }

// newMesh lays everything out; nothing runs yet.
func newMesh(s *settings) (*mesh, error) {
	m := &mesh{s: s, wire: newWire(s.seed), ips: map[string][4]byte{}, all: map[string]*process{}, http: map[string]string{}, token: "chaos-token"}
	names := slices.Concat(servers, gateways, nodes)
	host := func(string) string { return "127.0.0.1" }
	ports := map[string]string{}
	ends := map[string]*end{}
	if s.allowed.net {
		if err := m.wire.hub(address(1)); err != nil {
			return nil, err
		}
		host = func(name string) string { return dotted(m.ips[name]) }
	}
	for i, name := range names {
		var err error
		if s.allowed.net {
			m.ips[name] = address(byte(10 + i))
			if ends[name], err = m.wire.plug(m.ips[name]); err != nil {
				return nil, err
			}
		} else if ends[name], err = newEnd(nil); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		for _, use := range []string{"nats", "cluster", "http", "gossip"} {
			p, err := freePort(host(name), s.allowed.net, use)
			if err != nil {
				return nil, err
			}
			ports[name+" "+use] = net.JoinHostPort(host(name), p)
		}
	}
	list := func(of []string, use, prefix, but string) string {
		var out []string
		for _, name := range of {
			if name != but {
				out = append(out, prefix+ports[name+" "+use])
			}
		}
		return strings.Join(out, ",")
	}
	m.nats = list(servers, "nats", "nats://", "")
	tokenFile, keyFile := filepath.Join(s.dir, "token"), filepath.Join(s.dir, "secrets.key")
	if err := os.WriteFile(tokenFile, []byte(m.token+"\n"), 0o600); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		data := filepath.Join(s.dir, name)
		if err := os.MkdirAll(data, 0o700); err != nil {
			return nil, err
		}
		p := &process{name: name, end: ends[name], log: filepath.Join(s.dir, name+".log"), tell: m.told}
		switch {
		case slices.Contains(servers, name):
			p.argv = []string{self, roleWord, "server", "-name", name, "-listen", ports[name+" nats"], "-cluster", ports[name+" cluster"],
				"-routes", list(servers, "cluster", "nats://", name), "-data", data}
			if name == syncing {
				p.argv = append(p.argv, "-sync")
				if s.allowed.slow {
					p.argv = append(p.argv, "-slow")
				}
			}
			if name == cramped && s.allowed.disk {
				if err := mountSmall(data, crampedMiB); err != nil {
					return nil, err
				}
			}
		case slices.Contains(gateways, name):
			m.http[name] = "http://" + ports[name+" http"]
			p.argv = []string{filepath.Join(s.bin, "orbit-gateway"), "--name", name, "--data", data, "--http", ports[name+" http"], "--nats", m.nats,
				"--gossip", ports[name+" gossip"], "--join", list(gateways, "gossip", "", name), "--token-file", tokenFile, "--key-file", keyFile,
				"--replicas", "3", "--log-level", "debug"}
		default:
			p.argv = []string{filepath.Join(s.bin, "orbit-node"), "--name", name, "--data", data, "--nats", m.nats, "--gossip", ports[name+" gossip"],
				"--join", list(gateways, "gossip", "", ""), "--cache", filepath.Join(s.dir, "cache"), "--slots", "4", "--drain-timeout", "10s", "--log-level", "debug"}
		}
		m.all[name] = p
	}
	return m, nil
}

// The ports of the wire, where every process has an address of its own.
var wirePorts = map[string]string{"nats": "4222", "cluster": "6222", "http": "7070", "gossip": "7946"}

// Ports of loopback come from below the range out of which the kernel gives them to outgoing connections.
var nextPort = 20000 + os.Getpid()*37%10000

func freePort(host string, own bool, use string) (string, error) {
	if own {
		return wirePorts[use], nil
	}
	for range 10000 {
		if nextPort++; nextPort > 31000 {
			nextPort = 20000
		}
		addr := fmt.Sprintf("%s:%d", host, nextPort)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		_ = l.Close()
		u, err := net.ListenPacket("udp", addr)
		if err != nil {
			continue
		}
		_ = u.Close()
		return fmt.Sprint(nextPort), nil
	}
	return "", errors.New("no port is free")
}

// told notes that a process has ended by itself.
func (m *mesh) told(name, how string) {
	m.s.say("%s has ended by itself: %s", name, how)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = append(m.ended, name+": "+how)
}

// up starts everything, in the order in which a machine room is filled.
func (m *mesh) up(ctx context.Context) error {
	for _, name := range servers {
		if err := m.all[name].start(); err != nil {
			return err
		}
	}
	err := m.until(ctx, time.Minute, "three NATS servers to form a cluster", func(ctx context.Context) error {
		if m.conn == nil {
			nc, err := nats.Connect(m.nats, nats.Name("chaos"), nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond), nats.PingInterval(5*time.Second), nats.Timeout(2*time.Second))
			if err != nil {
				return err
			}
			m.conn = nc
			if m.js, err = jetstream.New(nc); err != nil {
				return err
			}
		}
		_, err := m.js.AccountInfo(ctx)
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range gateways { // one after the other: the second finds what the first has made
		if err := m.all[name].start(); err != nil {
			return err
		}
		if err := m.ready(ctx, name); err != nil {
			return err
		}
	}
	for _, name := range nodes {
		if err := m.all[name].start(); err != nil {
			return err
		}
	}
	return nil
}

// ready waits until a gateway answers.
func (m *mesh) ready(ctx context.Context, name string) error {
	return m.until(ctx, time.Minute, name+" to be ready", func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.http[name]+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	})
}

// healthy waits until every stream has a leader and all its copies are current: only then may another server fall.
func (m *mesh) healthy(ctx context.Context, limit time.Duration) error {
	return m.until(ctx, limit, "all copies of all streams to be current", func(ctx context.Context) error {
		list := m.js.ListStreams(ctx)
		n := 0
		for info := range list.Info() {
			n++
			c := info.Cluster
			if c == nil || c.Leader == "" || len(c.Replicas) != len(servers)-1 {
				return fmt.Errorf("stream %s has no leader", info.Config.Name)
			}
			for _, r := range c.Replicas {
				if !r.Current || r.Offline {
					return fmt.Errorf("the copy of %s on %s is not current", info.Config.Name, r.Name)
				}
			}
		}
		if err := list.Err(); err != nil {
			return err
		}
		if n == 0 {
			return errors.New("there are no streams")
		}
		return nil
	})
}

// until tries until it works, for a while.
func (m *mesh) until(ctx context.Context, limit time.Duration, what string, try func(context.Context) error) error {
	limited, stop := context.WithTimeout(ctx, limit)
	defer stop()
	for {
		once, stop := context.WithTimeout(limited, 3*time.Second)
		err := try(once)
		stop()
		if err == nil {
			return nil
		}
		if limited.Err() != nil {
			return fmt.Errorf("waited %s in vain for %s: %w", limit, what, err)
		}
		sleep(limited, 300*time.Millisecond)
	}
}

// rest waits until no work waits or runs: leases of the dead have run out, and what they held was taken up.
func (m *mesh) rest(ctx context.Context, limit time.Duration) error {
	return m.until(ctx, limit, "the queues to be empty", func(ctx context.Context) error {
		for stream, filter := range map[string]string{"ORBIT_0": "orbit.work.>", "ORBIT_LATER": ">"} {
			s, err := m.js.Stream(ctx, stream)
			if err != nil {
				return err
			}
			info, err := s.Info(ctx, jetstream.WithSubjectFilter(filter))
			if err != nil {
				return err
			}
			if n := len(info.State.Subjects); n > 0 {
				return fmt.Errorf("%d subjects of %s hold messages", n, stream)
			}
		}
		return nil
	})
}

// drain stops nodes and gateways as an operator would, and gives what went wrong with it.
func (m *mesh) drain(ctx context.Context) (wrong []string) {
	for _, group := range [][]string{nodes, gateways} {
		errs := make([]error, len(group))
		var wg sync.WaitGroup
		for i, name := range group {
			wg.Go(func() { errs[i] = m.all[name].term(ctx) })
		}
		wg.Wait()
		for _, err := range errs {
			if err != nil {
				wrong = append(wrong, err.Error())
			}
		}
	}
	return wrong
}

// down ends everything that still runs. It may be called at any time, and twice.
func (m *mesh) down() {
	if m.conn != nil {
		m.conn.Close()
	}
	var wg sync.WaitGroup
	for _, p := range m.all {
		wg.Go(p.kill)
	}
	wg.Wait()
}

// crashesIn looks for crashes of Go programs in all logs.
func (m *mesh) crashesIn() (wrong []string) {
	for _, name := range slices.Concat(servers, gateways, nodes) {
		if line, ok := crashed(m.all[name].log); ok {
			wrong = append(wrong, name+" crashed: "+line)
		}
	}
	return wrong
}
