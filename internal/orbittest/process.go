package orbittest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/mesh"
	"github.com/exospherehost/orbit/streams"
)

// Process is one gateway or node with its connection. It lives until it is stopped or crashes.
type Process struct {
	Name string
	Role string // mesh.Node or mesh.Gateway

	o    *Orbit
	link *link
	conn *nats.Conn
	mesh *mesh.Mesh
	dead atomic.Bool // crashed or stopped
	once sync.Once

	mu    sync.Mutex
	stop  func() // of the part itself; nil until it runs
	ended bool   // crashed before it ran
}

// nextName gives a name that no process of the mesh has had.
func (o *Orbit) nextName(role string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.names == nil {
		o.names = map[string]int{}
	}
	o.names[role]++
	return fmt.Sprintf("%s-%d", role, o.names[role]-1)
}

func (o *Orbit) newProcess(role, name string) (*Process, error) {
	p := &Process{Name: name, Role: role, o: o, link: &link{o: o}}
	var err error
	if p.conn, err = streams.Connect(context.Background(), streams.ConnectOptions{Name: name, Pipe: p.link, Wait: time.Minute, Log: o.logger}); err != nil {
		return nil, err
	}
	if o.opts.Gossip {
		cfg := mesh.Config{Name: name, Role: role, Transport: o.net.New(), Log: o.logger}
		for _, q := range o.processes() {
			if q.mesh != nil && !q.dead.Load() {
				cfg.Join = append(cfg.Join, q.mesh.Addr())
			}
		}
		if p.mesh, err = mesh.Start(context.Background(), cfg); err != nil {
			p.conn.Close()
			return nil, err
		}
	}
	return p, nil
}

// runs notes how the part is stopped, now that it runs.
func (p *Process) runs(stop func()) {
	p.mu.Lock()
	p.stop = stop
	ended := p.ended
	p.mu.Unlock()
	if ended {
		stop()
	}
}

// abandon gives up a process whose part did not start.
func (p *Process) abandon() { p.end(func() {}) }

// Crash ends the process as kill -9 does: no hand-back, no goodbye, nothing more is sent. It may be called from any
// goroutine, the process's own too; these end soon after, unheard.
func (p *Process) Crash() { p.die(p.link.pull) }

// Vanish ends the process as a machine without power does: its connection stays open for all that the server knows, and
// nobody answers on it.
func (p *Process) Vanish() { p.die(p.link.vanish) }

func (p *Process) die(cut func()) {
	p.once.Do(func() {
		p.dead.Store(true)
		cut()
		p.conn.Close()
		p.o.Logf("%s crashed", p.Name)
		p.o.wg.Go(func() {
			if p.mesh != nil {
				p.mesh.Stop()
			}
			p.mu.Lock()
			stop := p.stop
			p.ended = true
			p.mu.Unlock()
			if stop != nil {
				stop()
			}
		})
	})
}

// end stops the process in an orderly way; f is how its part is stopped.
func (p *Process) end(f func()) {
	p.once.Do(func() {
		f()
		p.dead.Store(true)
		if p.mesh != nil {
			_ = p.mesh.Leave(0)
			p.mesh.Stop()
		}
		p.conn.Close()
	})
}

// Cut takes the process off the network; it goes on, alone, until Heal.
func (p *Process) Cut() {
	p.Unplug()
	if p.mesh != nil {
		p.o.net.Cut(p.mesh.Addr())
	}
}

// Unplug takes the process off the server until Heal; it still gossips.
func (p *Process) Unplug() { p.link.pull() }

// CutGossip takes the process's gossip off the network until Heal; its connection to the server stays.
func (p *Process) CutGossip() { p.o.net.Cut(p.mesh.Addr()) }

// Heal puts the process back on the network.
func (p *Process) Heal() {
	p.link.plug()
	if p.mesh != nil {
		p.o.net.Mend(p.mesh.Addr())
	}
}

// Alive tells whether the process runs, be it cut off.
func (p *Process) Alive() bool { return !p.dead.Load() }

// faults gives the process's own injector, which asks the mesh.
func (p *Process) faults() *fault.Injector {
	return fault.New(func(_ int, point string) error { return p.o.point(p, point) })
}

func (o *Orbit) processes() []*Process {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []*Process
	for _, g := range o.gateways {
		out = append(out, g.Process)
	}
	for _, n := range o.nodes {
		out = append(out, n.Process)
	}
	return out
}

// SetFaults makes f decide at every fault point, with the number of points that any process has passed since this call.
// f is called from the process's goroutines; it may call Crash and sleep.
func (o *Orbit) SetFaults(f func(p *Process, n int, point string) error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at, o.points, o.trace = f, 0, nil
}

// Trace lists the points passed since SetFaults.
func (o *Orbit) Trace() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.trace...)
}

func (o *Orbit) point(p *Process, point string) error {
	if p.dead.Load() {
		return fault.ErrCrash
	}
	o.mu.Lock()
	n, at := o.points, o.at
	o.points++
	if len(o.trace) < 1000 {
		o.trace = append(o.trace, fmt.Sprintf("%d:%s@%s", n, point, p.Name))
	}
	o.mu.Unlock()
	if at == nil {
		return nil
	}
	return at(p, n, point)
}
