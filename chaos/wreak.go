package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// Bounds of what comes after the load. A healthy mesh needs a part of them.
const (
	endLimit  = 3 * time.Minute // for every accepted run to end, from when all is healed
	restLimit = 2 * time.Minute // for the leases of the dead to run out: four times as long as one
	readLimit = 90 * time.Second
)

// wreak makes the experiment: mesh up, load and faults, heal, wait, stop, read everything, check.
func wreak(ctx context.Context, s *settings) (*report, error) {
	files, err := loadFiles()
	if err != nil {
		return nil, err
	}
	m, err := newMesh(s)
	if err != nil {
		return nil, err
	}
	defer m.down()
	host := "127.0.0.1"
	if s.allowed.net {
		host = dotted(address(1))
	}
	world, err := startHooks(host)
	if err != nil {
		return nil, err
	}
	defer world.stop()
	s.say("starting three NATS servers, two gateways and four nodes in %s", s.dir)
	if err := m.up(ctx); err != nil {
		return nil, err
	}
	h := &history{}
	ears := &heard{}
	l := &load{seed: s.seed, hook: world.url(), outputs: map[string]int{}, items: map[string]int{}}
	for _, name := range gateways {
		c, err := newClient(name, m.http[name], m.token, h, ears)
		if err != nil {
			return nil, err
		}
		defer c.api.Close()
		l.clients = append(l.clients, c)
	}
	r := newReport(s)
	if err := apply(ctx, l, files, r); err != nil {
		return nil, err
	}
	o := newObserver()
	if err := o.listen(ctx, m.conn, m.js); err != nil {
		return nil, err
	}
	if err := m.healthy(ctx, time.Minute); err != nil {
		return nil, err
	}

	s.say("load and faults for %s", s.length)
	h.begun = time.Now()
	r.Begun = h.begun
	during, over := context.WithTimeout(ctx, s.length)
	defer over()
	watching, enough := context.WithCancel(ctx)
	defer enough()
	n := &nemesis{m: m, history: h}
	calm := make(chan struct{})
	go func() {
		defer close(calm)
		if !s.quiet {
			n.run(during, draw(s.seed, s.length))
		}
	}()
	l.run(during, watching)
	<-calm
	r.Load = h.now()

	s.say("all is healed; waiting for every accepted run to end")
	unhealed := m.healthy(ctx, time.Minute)
	timer := time.AfterFunc(endLimit, enough)
	l.wait()
	timer.Stop()
	s.say("waiting for rest")
	restless := m.rest(ctx, restLimit)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	s.say("stopping nodes and gateways, reading everything")
	stops := append(m.drain(ctx), n.wrong...)
	store, err := readAll(ctx, m)
	if err != nil {
		return nil, err
	}
	e := &evidence{store: store, ops: h.all(), moves: o, effects: world.effects, outputs: l.outputs, items: l.items, begun: h.begun, ended: h.begun.Add(r.Load)}
	r.Violations = check(e, r)
	for _, more := range [][]string{l.wrong, ears.wrong, world.keysOf(), stops, m.crashesIn()} {
		r.Violations = append(r.Violations, more...)
	}
	for what, err := range map[string]error{"the NATS servers did not heal": unhealed, "the mesh does not come to rest": restless} {
		if err != nil {
			r.Violations = append(r.Violations, what+": "+err.Error())
		}
	}
	m.down()
	r.Violations = append(r.Violations, leaks(s.dir)...)
	r.Faults, r.Ended, r.Calls, r.Answers, r.Heard = n.done, m.ended, world.answers, ears.answers, o.heard
	for name, p := range m.all {
		r.Starts[name] = p.started()
	}
	r.Carried, r.Dropped = m.wire.counts()
	r.gaps(e)
	if len(r.Violations) > 0 || s.keep {
		r.keep(s, m, h)
	}
	return r, nil
}

// apply registers the clusters. One that this version cannot run is left out.
func apply(ctx context.Context, l *load, files []clusterFile, r *report) error {
	for _, f := range files {
		_, _, err := l.clients[0].api.Apply(ctx, f.identifier, f.text)
		var refused *orbit.Problem
		switch {
		case errors.As(err, &refused) && refused.Status == 422:
			r.Refused = append(r.Refused, f.name+": "+refused.Error())
		case err != nil:
			return fmt.Errorf("apply %s: %w", f.name, err)
		default:
			l.files = append(l.files, f)
		}
	}
	if len(l.files) == 0 {
		return errors.New("no cluster of the load was accepted")
	}
	return nil
}

// readAll reads everything until nothing is missing: a replica that lags answers with less than the stream has.
func readAll(ctx context.Context, m *mesh) (store *orbittest.Store, err error) {
	limited, stop := context.WithTimeout(ctx, readLimit)
	defer stop()
	for {
		if store, err = orbittest.ReadStore(limited, m.conn); err == nil {
			return store, nil
		}
		if limited.Err() != nil {
			return nil, fmt.Errorf("what is stored cannot be read whole, so nothing is known: %w", err)
		}
		sleep(limited, time.Second)
	}
}

// leaks looks for secrets in everything that was left on disk, logs included.
func leaks(dir string) (wrong []string) {
	wrong = orbittest.SecretsIn(dir)
	for i := range wrong {
		if len(wrong[i]) > 300 {
			wrong[i] = wrong[i][:300]
		}
	}
	return wrong
}

// keep leaves behind what explains the result.
func (r *report) keep(s *settings, m *mesh, h *history) {
	_ = h.save(filepath.Join(s.dir, "history.jsonl"))
	if text, err := json.MarshalIndent(r, "", "  "); err == nil {
		_ = os.WriteFile(filepath.Join(s.dir, "report.json"), text, 0o600)
	}
	if s.allowed.disk { // the small file system ends with this program
		_ = os.CopyFS(filepath.Join(s.dir, cramped+"-kept"), os.DirFS(filepath.Join(s.dir, cramped)))
	}
}
