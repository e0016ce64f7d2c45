package cli

import (
	"context"
	"path/filepath"
	"time"
)

// devCommand is `orbit dev`.
type devCommand struct {
	Data  string `placeholder:"DIR" default:"orbit-data/dev" help:"Where runs, records and files are kept. They are there again after the next start. Default: ${default}."`
	Nodes int    `placeholder:"N" default:"1" help:"How many nodes to run. Default: ${default}."`
	ownSatellites

	// The defaults are those that gateways, nodes and this program look for where none are given.
	HTTP       string `name:"http" placeholder:"ADDR" default:"127.0.0.1:7070" help:"Address of the API. Default: ${default}."`
	NATSListen string `name:"nats-listen" placeholder:"ADDR" default:"127.0.0.1:4222" help:"Address of the NATS server. Default: ${default}."`
	Gossip     string `placeholder:"ADDR" default:"127.0.0.1:7946" help:"Address to gossip on. Default: ${default}."`
}

// Help is the long help.
func (*devCommand) Help() string {
	return "Starts a NATS server, a gateway and nodes in this process. They listen on loopback, at the usual addresses where no others are given. " +
		"Ctrl-C drains the nodes and stops; what is under way goes on after the next start."
}

// drainLimit bounds the wait for nodes to hand back their work; a supervisor kills after 90 s or later.
const drainLimit = time.Minute

// Run starts a mesh and keeps it until it is told to stop: that is its end, and no interruption.
func (c *devCommand) Run(ctx context.Context, a *app) error {
	if c.Nodes < 1 {
		return &misuse{"--nodes must be 1 at least", "dev"}
	}
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		return failf("the folder %s cannot be used: %s", c.Data, cause(err))
	}
	models, _, err := c.models(a)
	if err != nil {
		return err
	}
	mesh, err := a.startMesh(ctx, MeshOptions{Dir: dir, Nodes: c.Nodes, Satellites: c.Satellites, Models: models, HTTP: c.HTTP, NATS: c.NATSListen, Gossip: c.Gossip, Log: a.stderr})
	if err != nil {
		return err
	}
	a.say("Orbit is up: a gateway, a NATS server and %s in this process.", one(c.Nodes, "node"))
	a.say("")
	a.say("  API   %s", mesh.URL())
	a.say("  NATS  nats://%s", c.NATSListen)
	a.say("  data  %s", dir)
	a.say("")
	a.say("In another terminal:")
	a.say("")
	a.say("  orbit run FILE --wait    run a cluster and see its outputs")
	a.say("  orbit runs               list the runs")
	a.say("  orbit satellites         what a cluster can use")
	a.say("")
	a.say("Ctrl-C stops it; what is under way goes on after the next start.")
	<-ctx.Done()
	a.say("stopping: the nodes finish or hand back what they hold; once more Ctrl-C quits at once")
	stop(ctx, mesh)
	return nil
}

// stop drains a mesh although ctx has ended.
func stop(ctx context.Context, mesh Mesh) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
	defer cancel()
	mesh.Stop(ctx)
}
