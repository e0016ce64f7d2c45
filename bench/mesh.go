package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit/internal/apiclient"
	"github.com/exospherehost/orbit/kv"
)

// clients is the number of HTTP connections that submit runs.
const clients = 64

// tokenFile holds the word that a gateway asks for where it gossips beyond loopback.
const tokenFile, token = "token", "bench"

// mesh is servers, gateways and nodes, each a process of its own.
type mesh struct {
	servers, gateways, nodes []*child
	gateway, node            *child // the first of each
	api                      *apiclient.Client
	apis                     []*apiclient.Client // one a gateway
	conn                     *nats.Conn          // to look at the ledger
	js                       jetstream.JetStream
	nats                     string // URLs of the servers
	dir                      string
	heard                    *heard
	end                      context.CancelCauseFunc
}

// startMesh brings a gateway with an embedded server and a node up. more is what both are told beside.
func startMesh(parent context.Context, b *bench, name string, bundle int, more ...string) (ctx context.Context, m *mesh, err error) {
	l := small(bundle)
	l.more = more
	return raiseMesh(parent, b, name, l)
}

// raiseMesh brings a mesh up and waits until it is quiet. The context that it gives ends when the mesh is stopped, or when one
// of its processes dies by itself.
func raiseMesh(parent context.Context, b *bench, name string, l layout) (ctx context.Context, m *mesh, err error) {
	m = &mesh{dir: filepath.Join(b.dir, name), heard: newHeard()}
	ctx, m.end = context.WithCancelCause(parent)
	defer func() {
		if err != nil {
			m.Stop()
		}
	}()
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return ctx, nil, err
	}
	if err := os.WriteFile(filepath.Join(m.dir, tokenFile), []byte(token+"\n"), 0o600); err != nil {
		return ctx, nil, err
	}
	if err := m.lay(b, name, l); err != nil {
		return ctx, nil, err
	}
	if err := startAll(ctx, m.servers); err != nil {
		return ctx, nil, err
	}
	for i, c := range m.gateways { // one after the other: the second finds what the first has made
		if i == 0 && len(m.servers) > 0 {
			if err := m.connect(ctx); err != nil {
				return ctx, nil, err
			}
		}
		if err := c.Start(ctx); err != nil {
			return ctx, nil, err
		}
		transport := &http.Transport{MaxIdleConnsPerHost: clients, ResponseHeaderTimeout: time.Minute}
		api, err := apiclient.New(apiclient.Options{URL: c.ready.URL, Token: token, Transport: transport})
		if err != nil {
			return ctx, nil, err
		}
		m.apis = append(m.apis, api)
	}
	m.api = m.apis[0]
	if m.conn == nil {
		if err := m.connect(ctx); err != nil {
			return ctx, nil, err
		}
	}
	if err := startAll(ctx, m.nodes); err != nil {
		return ctx, nil, err
	}
	if !b.quick {
		quiet(ctx, m.pids()...)
	}
	return ctx, m, nil
}

// startAll starts processes side by side.
func startAll(ctx context.Context, all []*child) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, c := range all {
		wg.Go(func() { errs[i] = c.Start(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// connect connects to the servers, once they store what they are given: several must agree on a leader first.
func (m *mesh) connect(ctx context.Context) (err error) {
	if m.conn, err = nats.Connect(m.nats, nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond), nats.ReconnectJitter(0, 0)); err != nil {
		return err
	}
	if m.js, err = jetstream.New(m.conn); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		once, cancel := context.WithTimeout(limited, 2*time.Second)
		_, err := m.js.AccountInfo(once)
		cancel()
		if err == nil {
			return nil
		}
		if pause(limited, 100*time.Millisecond) != nil {
			return fmt.Errorf("the NATS servers at %s do not store anything: %w", m.nats, err)
		}
	}
}

// Stop ends all processes and removes their data.
func (m *mesh) Stop() {
	m.end(nil)
	for _, api := range m.apis {
		api.Close()
	}
	if m.conn != nil {
		m.conn.Close()
	}
	for _, group := range [][]*child{m.nodes, m.gateways, m.servers} {
		var wg sync.WaitGroup
		for _, c := range group {
			wg.Go(c.Stop)
		}
		wg.Wait()
	}
	_ = os.RemoveAll(m.dir)
}

// pids are the processes.
func (m *mesh) pids() (all []int) {
	for _, group := range [][]*child{m.servers, m.gateways, m.nodes} {
		for _, c := range group {
			all = append(all, c.PID())
		}
	}
	return all
}

// profile begins the CPU profiles, if any are wanted; called again, it ends them.
func (m *mesh) profile(b *bench) {
	if b.profile != "" {
		m.gateway.Profile()
		m.node.Profile()
	}
}

// leader gives the gateway that leads, by its number.
func (m *mesh) leader(ctx context.Context) (int, error) {
	type lease struct {
		Owner string `json:"owner"`
	}
	doc, _, err := kv.Open[lease](m.conn, m.js, kv.CheckpointsBucket).Get(ctx, "lease.0")
	if err != nil {
		return 0, fmt.Errorf("read who leads: %w", err)
	}
	for i, c := range m.gateways {
		if c.name == doc.Owner {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%q leads, which is no gateway of ours", doc.Owner)
}
