package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// million sends 1,000,000 objects of one root through three steps, with bundles as large as the node chooses, and then
// reads every output.
func million(ctx context.Context, b *bench) ([]row, error) {
	objects := b.size(1_000_000)
	ctx, m, err := startMesh(ctx, b, "million", 0)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	name, file := fanOut(3)
	if err := m.apply(ctx, name, file); err != nil {
		return nil, err
	}
	m.profile(b)
	run, took, err := m.succeed(ctx, name, map[string]any{"count": objects})
	if err != nil {
		return nil, err
	}
	m.profile(b)
	gateway, node := memoryOf(m.gateway.PID()), memoryOf(m.node.PID())
	l, err := readLedger(ctx, m.conn, run.ID)
	if err != nil {
		return nil, err
	}
	if err := m.checkFan(ctx, run, objects, 0); err != nil {
		return nil, err
	}
	begun := time.Now()
	if err := m.readOutputs(ctx, run.ID, objects); err != nil {
		return nil, err
	}
	reading := time.Since(begun)
	what := fmt.Sprintf("%s items, three steps", count(float64(objects)))
	return []row{
		{what, "time", took.Round(time.Millisecond).String()},
		{what, "rate", fmt.Sprintf("%s items/s, %s bundles/s (%.0f items each)", count(float64(3*objects)/took.Seconds()), count(float64(l.bundles())/took.Seconds()), float64(3*objects)/float64(l.bundles()))},
		{what, "peak memory", fmt.Sprintf("gateway %s, node %s", gateway.peak, node.peak)},
		{what, "outputs read", fmt.Sprintf("%s, each once, in %s; gateway's peak then %s", count(float64(objects)), reading.Round(time.Millisecond), memoryOf(m.gateway.PID()).peak)},
	}, nil
}

// readOutputs streams the outputs of a run, which must be the objects 0 to objects-1, each once.
func (m *mesh) readOutputs(ctx context.Context, run string, objects int) error {
	body, err := m.api.Outputs(ctx, run, "")
	if err != nil {
		return err
	}
	defer body.Close()
	seen, lines := newBitmap(objects), 0
	in := bufio.NewScanner(body)
	for ; in.Scan(); lines++ {
		var o struct{ N int }
		if err := json.Unmarshal(in.Bytes(), &o); err != nil {
			return fmt.Errorf("output %d of run %s: %w", lines, run, err)
		}
		if o.N -= firstN; !seen.add(o.N) {
			return fmt.Errorf("run %s gives object %d twice, or never should", run, o.N)
		}
	}
	if err := in.Err(); err != nil {
		return fmt.Errorf("the outputs of run %s broke off after %d: %w", run, lines, err)
	}
	if lines != objects {
		return fmt.Errorf("run %s has %d outputs; there must be %d", run, lines, objects)
	}
	return nil
}
