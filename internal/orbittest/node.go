package orbittest

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/mesh"
	"github.com/exospherehost/orbit/node"
)

// Node is a node of the mesh.
type Node struct {
	*Process
	node *node.Node
	up   atomic.Bool // the server of its model, where the node starts it

	model atomic.Pointer[orbit.ModelDoc]
}

// Switch says that the server of the node's model is up, or is not, and gives the node, to be asked about it.
func (n *Node) Switch(up bool) *node.Node {
	n.up.Store(up)
	n.node.Poke()
	return n.node
}

// Describe says how a model of the node is.
func (n *Node) Describe(m orbit.ModelDoc) { n.model.Store(&m) }

// models are what was described.
func (n *Node) models() []orbit.ModelDoc {
	if m := n.model.Load(); m != nil {
		return []orbit.ModelDoc{*m}
	}
	return nil
}

// StartNode adds a node and gives its number.
func (o *Orbit) StartNode() int {
	o.T.Helper()
	if err := o.startNode(o.nextName("node")); err != nil {
		o.T.Fatalf("start a node: %v", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.nodes) - 1
}

// RestartNode starts another node under the name of the i-th, which has crashed, and gives its number.
func (o *Orbit) RestartNode(i int) int {
	o.T.Helper()
	if err := o.startNode(o.Node(i).Name); err != nil {
		o.T.Fatalf("start a node again: %v", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.nodes) - 1
}

func (o *Orbit) startNode(name string) error {
	p, err := o.newProcess(mesh.Node, name)
	if err != nil {
		return err
	}
	n := &Node{Process: p}
	hw := orbit.Hardware{Cores: 4, Memory: 8 * orbit.GiB}
	opts := node.Options{Name: n.Name, Version: "test", Conn: n.conn, Registry: o.registry(n.Process), Hardware: func() orbit.Hardware { return hw },
		Class: "cpu", Serves: []string{"cpu"}, Pools: []string{orbit.CorePool}, Slots: o.opts.Slots, Log: o.logger, Faults: n.faults()}
	if o.opts.Models > 0 {
		pool := orbit.ModelPool("test/model")
		opts.Pools, opts.Elsewhere = append(opts.Pools, pool), map[string]int{pool: o.opts.Models}
		if o.opts.Launched {
			opts.Ready, opts.Models = map[string]func() bool{pool: n.up.Load}, n.models
		}
	}
	if n.mesh != nil {
		opts.Address, opts.Gossip = n.mesh.Addr(), n.mesh
		n.mesh.Update(mesh.Digest{Class: "cpu", Slots: o.opts.Slots})
	}
	if n.node, err = node.Start(opts); err != nil {
		p.abandon()
		return err
	}
	o.mu.Lock()
	o.nodes = append(o.nodes, n)
	o.mu.Unlock()
	p.runs(n.node.Stop)
	return nil
}

// Node is the i-th node, from 0, in the order in which they were started.
func (o *Orbit) Node(i int) *Node {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.nodes[i]
}

// Nodes are all nodes that were ever started.
func (o *Orbit) Nodes() []*Node {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.nodes)
}

// KillNode crashes a node.
func (o *Orbit) KillNode(i int) { o.Node(i).Crash() }

// StopNode stops a node at once; what it was doing is handed back.
func (o *Orbit) StopNode(i int) { n := o.Node(i); n.end(n.node.Stop) }

// DrainNode stops a node after what it has begun.
func (o *Orbit) DrainNode(i int) {
	n := o.Node(i)
	n.end(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		n.node.Drain(ctx)
	})
}
