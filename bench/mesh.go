package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// clients is the number of HTTP connections that submit runs.
const clients = 64

// mesh is a gateway and a node, each a process of its own.
type mesh struct {
	gateway, node *child
	api           *apiclient.Client
	conn          *nats.Conn // to look at the ledger
	dir           string
	end           context.CancelCauseFunc
}

// startMesh brings a mesh up and waits until it is quiet. bundle fixes the items of a bundle; 0: as the node measures. more
// is what the children are told beside. The context that it gives ends when the mesh is stopped, or when one of its processes dies.
func startMesh(parent context.Context, b *bench, name string, bundle int, more ...string) (ctx context.Context, m *mesh, err error) {
	m = &mesh{dir: filepath.Join(b.dir, name)}
	ctx, m.end = context.WithCancelCause(parent)
	defer func() {
		if err != nil {
			m.Stop()
		}
	}()
	level := "error"
	if b.verbose {
		level = "info"
	}
	args := func(role string, own ...string) []string {
		own = append(append(own, more...), "-data", filepath.Join(m.dir, role), "-level", level)
		if b.profile != "" {
			own = append(own, "-cpuprofile", filepath.Join(b.profile, name+"-"+role+".pprof"))
		}
		return own
	}
	if m.gateway, err = startChild(ctx, b, "gateway", args("gateway")...); err != nil {
		return ctx, nil, err
	}
	up := m.gateway.ready
	if m.node, err = startChild(ctx, b, "node", args("node", "-nats", up.NATS, "-join", up.Gossip, "-bundle", fmt.Sprint(bundle), "-cache", filepath.Join(b.dir, "cache"))...); err != nil {
		return ctx, nil, err
	}
	for _, c := range []*child{m.gateway, m.node} {
		go func() { // ends with the child
			<-c.ended
			m.end(fmt.Errorf("the %s has ended: %s", c.role, c.cmd.ProcessState))
		}()
	}
	if m.conn, err = nats.Connect(up.NATS); err != nil {
		return ctx, nil, err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: clients, ResponseHeaderTimeout: time.Minute}
	if m.api, err = apiclient.New(apiclient.Options{URL: up.URL, Transport: transport}); err != nil {
		return ctx, nil, err
	}
	if !b.quick {
		quiet(ctx, m.gateway.PID(), m.node.PID())
	}
	return ctx, m, nil
}

// Stop ends both processes and removes their data.
func (m *mesh) Stop() {
	m.end(nil)
	if m.api != nil {
		m.api.Close()
	}
	if m.conn != nil {
		m.conn.Close()
	}
	for _, c := range []*child{m.node, m.gateway} {
		if c != nil {
			c.Stop()
		}
	}
	_ = os.RemoveAll(m.dir)
}

// profile begins the CPU profiles, if any are wanted; called again, it ends them.
func (m *mesh) profile(b *bench) {
	if b.profile != "" {
		m.gateway.Profile()
		m.node.Profile()
	}
}

// apply registers a cluster.
func (m *mesh) apply(ctx context.Context, identifier string, file []byte) error {
	_, _, err := m.api.Apply(ctx, identifier, file)
	return err
}

// submit starts a run and gives its document.
func (m *mesh) submit(ctx context.Context, cluster string, payload any) (*orbit.Run, error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	raw, err := m.api.Start(ctx, cluster, apiclient.Start{Payload: body})
	if err != nil {
		return nil, err
	}
	run := &orbit.Run{}
	return run, json.Unmarshal(raw, run)
}

// wait gives a run's document once it has ended.
func (m *mesh) wait(ctx context.Context, id string) (*orbit.Run, error) {
	for {
		raw, err := m.api.Run(ctx, id, 20*time.Second)
		if err != nil {
			return nil, err
		}
		run := &orbit.Run{}
		if err := json.Unmarshal(raw, run); err != nil || run.State.Terminal() {
			return run, err
		}
	}
}

// succeed runs a cluster once and gives the time from the request to its end as the client sees it. A run that does not
// succeed is an error.
func (m *mesh) succeed(ctx context.Context, cluster string, payload any) (*orbit.Run, time.Duration, error) {
	begun := time.Now()
	run, err := m.submit(ctx, cluster, payload)
	if err == nil {
		run, err = m.wait(ctx, run.ID)
	}
	took := time.Since(begun)
	if err == nil && run.State != orbit.RunSucceeded {
		err = fmt.Errorf("run %s is %s: %s", run.ID, run.State, run.Error)
	}
	return run, took, err
}
