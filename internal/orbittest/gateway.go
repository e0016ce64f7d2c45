package orbittest

import (
	"context"

	"github.com/exospherehost/orbit/gateway"
	"github.com/exospherehost/orbit/mesh"
	"github.com/exospherehost/orbit/placement"
)

// Gateway is a gateway of the mesh.
type Gateway struct {
	*Process
	gateway *gateway.Gateway
}

// StartGateway adds a gateway and gives its number. In a mesh of one gateway it takes the place of one that crashed; in a
// mesh of several it is another one, which waits for its turn.
func (o *Orbit) StartGateway() int {
	o.T.Helper()
	if err := o.startGateway(); err != nil {
		o.T.Fatalf("start a gateway: %v", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.gateways) - 1
}

func (o *Orbit) startGateway() error {
	p, err := o.newProcess(mesh.Gateway, o.nextName("gateway"))
	if err != nil {
		return err
	}
	g := &Gateway{Process: p}
	opts := gateway.Options{Name: g.Name, Version: "0.0.0", Conn: g.conn, Registry: o.registry(nil), Classes: placement.DefaultClasses(), Vault: o.vault,
		ArchiveAfter: o.opts.ArchiveAfter, KeepRuns: o.opts.KeepRuns, Partitions: o.opts.Partitions, CheckpointFrom: o.opts.CheckpointFrom, Fill: o.opts.Gauge.fill, Log: o.logger, Faults: g.faults()}
	if o.opts.Gateways == 1 {
		opts.Name, opts.Alone = "gateway", true
	}
	if g.mesh != nil {
		opts.Peers, opts.Witness = g.mesh.Peers, g.mesh
	}
	if g.gateway, err = gateway.Start(context.Background(), opts); err != nil {
		p.abandon()
		return err
	}
	o.mu.Lock()
	o.gateways = append(o.gateways, g)
	o.mu.Unlock()
	p.runs(g.gateway.Stop)
	return nil
}

// Gateway is the i-th gateway, from 0, in the order in which they were started.
func (o *Orbit) Gateway(i int) *Gateway {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.gateways[i]
}

// KillGateway crashes a gateway.
func (o *Orbit) KillGateway(i int) { o.Gateway(i).Crash() }

// StopGateway stops a gateway in an orderly way.
func (o *Orbit) StopGateway(i int) { g := o.Gateway(i); g.end(g.gateway.Stop) }
