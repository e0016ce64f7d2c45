package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// mesh is a gateway and two nodes.
type mesh struct {
	url string
	api *client
}

// client reads what the API answers.
type client struct{ *apiclient.Client }

// Run gives a run, at its end if that comes within wait.
func (c *client) Run(ctx context.Context, id string, wait time.Duration) (*orbit.Run, error) {
	raw, err := c.Client.Run(ctx, id, wait)
	if err != nil {
		return nil, err
	}
	return orbitRun(raw)
}

func orbitRun(raw json.RawMessage) (*orbit.Run, error) {
	var run orbit.Run
	return &run, json.Unmarshal(raw, &run)
}

func startMesh(ctx context.Context, procs *processes, o Options, s *store, r *receiver, model string) (*mesh, error) {
	var addrs [3]string // HTTP, NATS, gossip
	for i := range addrs {
		var err error
		if addrs[i], err = freeAddr(); err != nil {
			return nil, err
		}
	}
	m := &mesh{url: "http://" + addrs[0]}
	if err := procs.start("gateway", filepath.Join(o.Bin, "orbit-gateway"), "--data", filepath.Join(o.Dir, "gateway"), "--http", addrs[0], "--nats-listen", addrs[1], "--gossip", addrs[2]); err != nil {
		return nil, err
	}
	if err := ready(ctx, m.url+"/readyz"); err != nil {
		return nil, err
	}
	config, err := yaml.Marshal(map[string]any{
		"nats": "nats://" + addrs[1], "join": []string{addrs[2]}, "gossip": "127.0.0.1:0",
		"endpoints": map[string]string{"s3": s.url, "new-relic": r.url, "pagerduty": r.url},
		"models":    map[string]any{"exospherehost/deepseek-r1-distrill-llama-70b": map[string]any{"url": model, "concurrency": 2, "model": os.Getenv("ORBIT_LLM_MODEL")}},
	})
	if err != nil {
		return nil, err
	}
	file := filepath.Join(o.Dir, "node.yml")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return nil, err
	}
	for i := range 2 {
		name := fmt.Sprintf("node-%d", i+1)
		if err := procs.start(name, filepath.Join(o.Bin, "orbit-node"), "--config", file, "--name", name, "--data", filepath.Join(o.Dir, name)); err != nil {
			return nil, err
		}
	}
	api, err := apiclient.New(apiclient.Options{URL: m.url})
	m.api = &client{api}
	return m, err
}

// processes are those that were started. Only they are signalled.
type processes struct {
	dir string

	mu  sync.Mutex
	all map[string]*exec.Cmd
}

// start starts a program, whose output goes to a file of its name.
func (p *processes) start(name, program string, args ...string) error {
	log, err := os.Create(filepath.Join(p.dir, name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%w; `make build versitygw` makes it", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[string]*exec.Cmd{}
	}
	p.all[name] = cmd
	return nil
}

// do runs a program to its end.
func (p *processes) do(ctx context.Context, program string, args ...string) error {
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", filepath.Base(program), args[0], err, out)
	}
	return nil
}

// kill ends one with -9.
func (p *processes) kill(name string) error {
	p.mu.Lock()
	cmd := p.all[name]
	delete(p.all, name)
	p.mu.Unlock()
	if err := cmd.Process.Kill(); err != nil {
		return err
	}
	_ = cmd.Wait() // it was killed
	return nil
}

// stop ends all of them: with SIGTERM, and what has not ended in ten seconds with SIGKILL.
func (p *processes) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	var wg sync.WaitGroup
	for _, cmd := range p.all {
		wg.Go(func() {
			_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
			late := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
			_ = cmd.Wait()
			late.Stop()
		})
	}
	wg.Wait()
	p.all = nil
}

// freeAddr gives an address of loopback that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
