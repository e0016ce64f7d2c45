package cli

import (
	"context"
	"io"
	"net/http"
)

// Deps is what the command line takes from outside, so that tests can give something else.
type Deps struct {
	Version string // of this program; empty: as the build says

	// StartMesh starts a whole mesh in this process; nil: this build has none.
	StartMesh func(ctx context.Context, o MeshOptions) (Mesh, error)

	Transport http.RoundTripper // to the gateway; nil: plain HTTP over TCP
}

// Mesh is a gateway, a NATS server and nodes that run in this process.
type Mesh interface {
	URL() string   // of the gateway's API
	Token() string // for the API; empty: none is needed
	// Stop drains the nodes, stops everything and waits for it. When ctx ends it stops waiting for work to be handed back.
	Stop(ctx context.Context)
}

// MeshOptions say what mesh to start.
type MeshOptions struct {
	Dir                string // where data is kept; empty: a temporary folder, removed at Stop
	Nodes              int
	HTTP, NATS, Gossip string    // addresses to listen on; empty: private, no fixed port
	Satellites         []string  // folders of satellites that it knows and runs beside the built-in ones
	Models             string    // the section `models` of the nodes' configuration
	Quiet              bool      // only errors are logged
	Log                io.Writer // takes log lines for people
}

// startMesh starts a mesh, or says in a sentence why there is none. Once it has started, it ends at Stop and not with
// ctx: after Ctrl-C it must still drain.
func (a *app) startMesh(ctx context.Context, o MeshOptions) (Mesh, error) {
	if a.deps.StartMesh == nil {
		return nil, failf("this build of orbit holds no mesh; start `orbit-gateway` and `orbit-node` instead, and name the gateway with --gateway")
	}
	mesh, err := a.deps.StartMesh(ctx, o)
	if err != nil {
		return nil, failf("the mesh could not be started: %w", err)
	}
	return mesh, nil
}
