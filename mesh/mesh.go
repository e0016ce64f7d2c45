// Package mesh lets the machines of an orbit find each other. It owns the gossip: who is there, what each machine says
// about itself in a Digest of at most 512 bytes, and who has gone. It wraps hashicorp/memberlist.
//
//	Update(Digest) ──► our metadata ──gossip──► every other machine's view ──► Peers, OnChange
//
// Gossip is a hint: it places work, shows machines and speeds up failover. The package refuses to be more than that: it
// grants no lease, carries no work and decides nothing. A view may be seconds old, and anyone who has the key can speak
// in another's name.
package mesh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/rs/zerolog"
)

// DefaultPort is where a gateway gossips, and the port of a seed that is written without one.
const DefaultPort = 7946

// Roles of a machine.
const (
	Node    = "node"
	Gateway = "gateway"
)

// Config says who we are and where to gossip.
type Config struct {
	Name      string   // unique in the orbit
	Role      string   // Node or Gateway
	Bind      string   // "host:port"; port 0 is any free one; empty: ListenFor(Join) and any free port
	Advertise string   // "host" or "host:port" under which others reach us; empty: where we listen
	Join      []string // seeds, "host" or "host:port"; one that answers is enough
	Key       []byte   // 16, 24 or 32 bytes shared by the orbit; empty: gossip is in the clear

	OnChange  func(Peer, Change)   // called by one goroutine, one call at a time; must not call Stop
	Log       zerolog.Logger       // the zero Logger is silent
	Transport memberlist.Transport // instead of TCP and UDP; Bind and Advertise are then not looked at
}

// Mesh is our end of the gossip. Its methods may be called from any goroutine.
type Mesh struct {
	cfg  Config
	addr string
	ml   *memberlist.Memberlist
	wire *wire
	view *view
	self *self

	joining context.CancelFunc // ends the search for seeds
	quit    context.CancelFunc // ends everything else
	wg      sync.WaitGroup

	life    sync.Mutex // held through Leave and Stop, which must not overlap
	left    bool
	stopped bool

	doubled atomic.Bool // others knew our name at another address when we last joined

	joinMu  sync.Mutex
	joinErr error
}

// Start listens, joins and returns. It fails if the address cannot be listened on, and with ErrKey where a seed has
// another key. A seed that cannot be reached is no failure: it may come later, and is tried until then; Joined tells.
// A seed that swallows what it is sent costs up to 10 seconds. ctx bounds Start alone.
func Start(ctx context.Context, cfg Config) (*Mesh, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Bind == "" {
		cfg.Bind = net.JoinHostPort(ListenFor(cfg.Join), "0")
	}
	mc := cfg.timings()
	transport := cfg.Transport
	if transport == nil {
		var err error
		if transport, err = listen(ctx, cfg, mc); err != nil {
			return nil, err
		}
	}
	m := &Mesh{cfg: cfg, wire: newWire(transport), view: newView(cfg.Name), self: newSelf(cfg.Role)}
	mc.Transport = m.wire
	mc.Delegate, mc.Events, mc.Merge = &delegate{m}, events{m.view}, merge{m}
	ip, port, err := transport.FinalAdvertiseAddr(mc.AdvertiseAddr, mc.AdvertisePort)
	if err == nil {
		m.addr = net.JoinHostPort(ip.String(), strconv.Itoa(port))
		m.ml, err = memberlist.Create(mc)
	}
	if err != nil {
		_ = m.wire.Shutdown()
		return nil, fmt.Errorf("start gossip as %s: %w", cfg.Name, err)
	}
	search, joining := context.WithCancel(context.Background())
	run, quit := context.WithCancel(context.Background())
	m.joining, m.quit = joining, quit
	m.wg.Go(func() { m.view.deliver(run, cfg.OnChange) })
	m.wg.Go(func() { m.self.publish(run, m.ml) })

	abort := context.AfterFunc(ctx, func() { _ = m.ml.Shutdown() }) // a silent seed must not hold a caller who gave up
	err = m.joinAtStart(ctx)
	aborted := !abort()
	if aborted {
		err = context.Cause(ctx)
	}
	if aborted || errors.Is(err, ErrKey) {
		m.Stop()
		return nil, err
	}
	m.wg.Go(func() { m.keepJoined(search) })
	return m, nil
}

// Addr gives the host:port under which others reach us.
func (m *Mesh) Addr() string { return m.addr }

// Update replaces what we say about ourselves, and gossips it. It never blocks; of several calls in a row the last one
// counts, and one that changes nothing sends nothing.
func (m *Mesh) Update(d Digest) { m.self.set(d) }

// Peers gives all other machines that we know of, by name: the living, and those that went within the last hour.
func (m *Mesh) Peers() []Peer { return m.view.snapshot(time.Now()) }

// Joined gives nil once we have met another machine or have no seed to ask, and else why not: it matches ErrNoSeed or
// ErrKey.
func (m *Mesh) Joined() error {
	if m.view.alive() > 0 {
		return nil
	}
	m.joinMu.Lock()
	defer m.joinMu.Unlock()
	return m.joinErr
}

// Leave tells the others that we go, so that they show us as Left rather than Dead, and waits until one has heard it or
// the timeout has passed. Call Stop after it. After Stop it does nothing.
func (m *Mesh) Leave(timeout time.Duration) error {
	m.life.Lock()
	defer m.life.Unlock()
	if m.left || m.stopped {
		return nil
	}
	m.left = true
	m.joining()
	m.sayGoodbye()
	if err := m.ml.Leave(timeout); err != nil {
		return fmt.Errorf("leave the gossip as %s: no peer has confirmed it within %s", m.cfg.Name, timeout)
	}
	return nil
}

// Stop ends the gossip without a word (see Leave), and returns when the sockets are closed and our goroutines are gone.
// A probe of memberlist's own that is still in flight ends by itself within seconds. Stop may be called again.
func (m *Mesh) Stop() {
	m.life.Lock()
	defer m.life.Unlock()
	if m.stopped {
		return
	}
	m.stopped = true
	m.joining()
	m.quit()
	if err := m.ml.Shutdown(); err != nil {
		m.cfg.Log.Debug().Err(err).Msg("gossip shutdown")
	}
	m.wg.Wait()
}
