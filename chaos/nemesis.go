package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// done is a fault as it was done.
type done struct {
	Fault  fault         `json:"fault"`
	Began  time.Duration `json:"began"`
	Healed time.Duration `json:"healed"`
	Note   string        `json:"note,omitempty"` // why it was not done; empty: it was
}

// nemesis does what the schedule says, each lane one thing at a time.
type nemesis struct {
	m       *mesh
	history *history

	all sync.RWMutex // held for writing by a rolling restart, which wants all others to be over

	mu    sync.Mutex
	done  []done
	wrong []string // processes that did not stop as they should
}

// run does the schedule until its end, or that of ctx. When it returns, everything is healed.
func (n *nemesis) run(ctx context.Context, schedule []fault) {
	byLane := map[string][]fault{}
	for _, f := range schedule {
		byLane[f.Lane] = append(byLane[f.Lane], f)
	}
	var wg sync.WaitGroup
	for _, faults := range byLane {
		wg.Go(func() {
			for _, f := range faults {
				sleep(ctx, f.At-n.history.now())
				n.one(ctx, f)
			}
		})
	}
	wg.Wait()
}

// one does one fault and heals it.
func (n *nemesis) one(ctx context.Context, f fault) {
	if f.Kind == rolling {
		n.all.Lock()
		defer n.all.Unlock()
	} else {
		n.all.RLock()
		defer n.all.RUnlock()
	}
	d := done{Fault: f, Note: n.m.s.allowed.missing(f.Kind)}
	if d.Note == "" && (f.Lane == "servers" || f.Kind == rolling) {
		if err := n.m.healthy(ctx, 45*time.Second); err != nil {
			d.Note = "put off for too long: " + err.Error()
		}
	}
	if ctx.Err() != nil {
		d.Note = "the load was over before its turn came"
	}
	d.Began = n.history.now()
	if d.Note == "" {
		n.m.s.say("%s", f)
		heal, err := n.inflict(ctx, f)
		if err != nil {
			d.Note = err.Error()
		} else if f.Kind != rolling {
			sleep(ctx, f.For)
		}
		if heal != nil {
			if err := heal(); err != nil {
				d.Note = "not healed: " + err.Error()
			}
		}
	}
	d.Healed = n.history.now()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.done = append(n.done, d)
}

// inflict does a fault and gives what heals it; that may be called where there is an error, too.
func (n *nemesis) inflict(ctx context.Context, f fault) (heal func() error, err error) {
	p := n.m.all[f.Target]
	switch f.Kind {
	case kill:
		p.kill()
		return p.start, nil
	case pause:
		p.signal(syscall.SIGSTOP)
		return func() error { p.signal(syscall.SIGCONT); return nil }, nil
	case stutter:
		return stutterer(p), nil
	case partition, oneWay, loss:
		return n.cut(f), nil
	case diskFull:
		return n.fill(p)
	case slowSync:
		p.say("sync 300")
		return func() error { p.say("sync 0"); return nil }, nil
	case removeConsumer:
		return nil, n.m.until(ctx, 20*time.Second, "a consumer to be removed", func(ctx context.Context) error { // there may be no leader to ask
			err := n.m.js.DeleteConsumer(ctx, "ORBIT_0", f.Target)
			if errors.Is(err, jetstream.ErrConsumerNotFound) {
				return nil // removed by the try before, or at another time and not back yet
			}
			return err
		})
	case rolling:
		return nil, n.roll(ctx)
	}
	return nil, fmt.Errorf("nobody knows how to do %s", f.Kind)
}

// stutterer stops a process for most of each quarter of a second.
func stutterer(p *process) (heal func() error) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			p.signal(syscall.SIGSTOP)
			time.Sleep(200 * time.Millisecond)
			p.signal(syscall.SIGCONT)
			select {
			case <-time.After(50 * time.Millisecond):
			case <-quit:
				return
			}
		}
	}()
	return func() error { close(quit); <-ended; return nil }
}

// cut loses packets between a process and another, or all others. The clients of the load and the webhooks stay in reach:
// what they see is what the mesh says of itself.
func (n *nemesis) cut(f fault) (heal func() error) {
	me := [][4]byte{n.m.ips[f.Target]}
	var others [][4]byte
	for _, name := range slices.Concat(servers, gateways, nodes) {
		if name != f.Target && (f.Peer == "" || f.Peer == name) {
			others = append(others, n.m.ips[name])
		}
	}
	part := 1.0
	if f.Kind == loss {
		part = f.Part
	}
	var remove []func()
	if f.Kind != oneWay || !f.Inward {
		remove = append(remove, n.m.wire.rule(me, others, part))
	}
	if f.Kind != oneWay || f.Inward {
		remove = append(remove, n.m.wire.rule(others, me, part))
	}
	return func() error {
		for _, r := range remove {
			r()
		}
		return nil
	}
}

// fill takes the last byte of a server's disk. Healed, the server is started again: what it has refused while its disk was
// full it goes on refusing.
func (n *nemesis) fill(p *process) (heal func() error, err error) {
	file := filepath.Join(n.m.s.dir, p.name, "filler")
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	for block := make([]byte, 1<<20); err == nil && len(block) > 0; {
		if _, err = f.Write(block); err != nil && len(block) > 512 {
			block, err = block[:len(block)/2], nil
		}
	}
	_ = f.Close()
	heal = func() error {
		if err := os.Remove(file); err != nil {
			return err
		}
		p.kill()
		return p.start()
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return heal, fmt.Errorf("fill the disk: %w", err)
	}
	return heal, nil
}

// roll restarts everything, one after the other, as an operator would who puts in a new version.
func (n *nemesis) roll(ctx context.Context) error {
	for _, name := range slices.Concat(servers, gateways, nodes) {
		p := n.m.all[name]
		if err := p.term(ctx); err != nil {
			n.mu.Lock()
			n.wrong = append(n.wrong, err.Error())
			n.mu.Unlock()
		}
		if err := p.start(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		var err error
		switch {
		case slices.Contains(servers, name):
			err = n.m.healthy(ctx, 30*time.Second)
		case slices.Contains(gateways, name):
			err = n.m.ready(ctx, name)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}
