package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/exospherehost/orbit"
)

const (
	// soakKills is about how many kills a run is made long enough for, where nothing else is asked for.
	soakKills = 13
	// soakSlots is the number of bundles that a node runs at once: it decides, with the length of an item, how long a run takes.
	soakSlots = 4
	// soakMemory is what each process is asked to stay under (GOMEMLIMIT). Without it a NATS server takes what its store grows by, and
	// gives it back when the machine wants it.
	soakMemory = "256MiB"
	// soakStill is how long a run may stand still: ten times the lease of a bundle.
	soakStill = 5 * time.Minute
)

var soakLayout = layout{servers: 1, gateways: 2, nodes: 3, slots: soakSlots}

// soak sends a million items through three steps while, again and again, one process is killed and started again: a node, a
// gateway or the server. Then every item must be there, once.
func soak(ctx context.Context, b *bench) (rows []row, err error) {
	for round := range b.rounds {
		more, err := soakOnce(ctx, b, b.seed+uint64(round))
		rows = append(rows, more...)
		if err != nil {
			return rows, fmt.Errorf("seed %d: %w", b.seed+uint64(round), err)
		}
	}
	return rows, nil
}

func soakOnce(ctx context.Context, b *bench, seed uint64) ([]row, error) {
	items, every, nap := b.size(b.items), b.every, b.nap
	if b.quick {
		every /= 10
	}
	if nap == 0 {
		nap = soakKills * every * time.Duration(soakLayout.nodes*soakSlots) / time.Duration(3*items)
	}
	if os.Getenv("GOMEMLIMIT") == "" { // the children get it
		if err := os.Setenv("GOMEMLIMIT", soakMemory); err != nil {
			return nil, err
		}
		defer func() { _ = os.Unsetenv("GOMEMLIMIT") }()
	}
	ctx, m, err := raiseMesh(ctx, b, "soak", soakLayout)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	const name = "bench/soak"
	file := clusterHead(name) + "\n    - {uses: bench/emit, identifier: root}\n"
	for i := range 3 {
		file += fmt.Sprintf("    - {uses: bench/nap, identifier: step-%d, config: {for: %s}}\n", i+1, nap)
	}
	if err := m.apply(ctx, name, []byte(file)); err != nil {
		return nil, err
	}
	run, err := m.submit(ctx, name, map[string]any{"count": items})
	if err != nil {
		return nil, err
	}
	during, over := context.WithCancel(ctx)
	defer over()
	k := &killer{m: m, b: b, rand: rand.New(rand.NewPCG(seed, 0)), every: every, of: map[string]int{}, longest: map[string]time.Duration{}}
	memories := trace(during, m)
	killed := make(chan error, 1)
	go func() { killed <- k.run(ctx, during) }()
	doc, err := m.follow(ctx, b, run.ID, 3*items)
	over()
	if killErr := <-killed; err == nil {
		err = killErr
	}
	thirds := <-memories
	if err != nil {
		return nil, err
	}
	took := doc.FinishedAt.Sub(doc.CreatedAt)
	what := fmt.Sprintf("soak, %s items through three steps, a kill -9 each %s (seed %d)", count(float64(items)), every, seed)
	rows := []row{
		{what, "time", fmt.Sprintf("%s, items of %s, %s items/s", took.Round(time.Second), nap, count(float64(3*items)/took.Seconds()))},
		{what, "killed and restarted", k.String()},
		{what, "memory, peak of each third", thirds},
	}
	records, err := m.recount(ctx, doc, items)
	if err != nil {
		return rows, err
	}
	if err := m.readOutputs(ctx, doc.ID, items); err != nil {
		return rows, err
	}
	return append(rows,
		row{what, "ledger", fmt.Sprintf("%s records; each of the %s items of each step once, none failed", count(float64(records)), count(float64(items)))},
		row{what, "outputs read through the API", fmt.Sprintf("%s, none twice, none missing", count(float64(items)))}), nil
}

// follow waits for the end of a run that goes through kills, and tells how far it is. One that stands still for too long is an
// error, and so is one that does not succeed.
func (m *mesh) follow(ctx context.Context, b *bench, id string, items int) (*orbit.Run, error) {
	done, moved, told := 0, time.Now(), time.Now()
	for i := 0; ; i++ {
		once, cancel := context.WithTimeout(ctx, 5*time.Second)
		raw, err := m.apis[i%len(m.apis)].Run(once, id, time.Second)
		cancel()
		run := &orbit.Run{}
		if err == nil {
			err = json.Unmarshal(raw, run)
		}
		if err == nil {
			if run.State == orbit.RunSucceeded {
				return run, nil
			}
			if run.State.Terminal() {
				return nil, fmt.Errorf("run %s is %s: %s", id, run.State, run.Error)
			}
			now := 0
			for _, s := range run.Satellites {
				now += s.Items.Of(orbit.ItemSucceeded)
			}
			if now > done {
				done, moved = now, time.Now()
			}
		} else if pause(ctx, 100*time.Millisecond) != nil {
			return nil, fmt.Errorf("run %s has not ended: %w (%w)", id, context.Cause(ctx), err)
		}
		if time.Since(moved) > soakStill {
			return nil, fmt.Errorf("run %s stands still for %s, with %d of %d items done: %v", id, soakStill, done, items, err)
		}
		if time.Since(told) > 10*time.Second {
			told = time.Now()
			b.say("  %s of %s items", count(float64(done)), count(float64(items)))
		}
	}
}
