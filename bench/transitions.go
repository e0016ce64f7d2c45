package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// transitions compares a mesh with the bare loop, at bundles of 1, 20 and 100 items. A run's root returns N objects, which
// pass through two further steps: 2N/K bundles, each with a record and an ack, and a child for each but the last; those
// that have none are made up for by the root's. So a run makes the very writes of 2N/K transitions.
func transitions(ctx context.Context, b *bench) ([]row, error) {
	var rows []row
	for _, size := range []struct{ items, bundles int }{{1, 40000}, {20, 16000}, {100, 8000}} {
		more, err := transitionsAt(ctx, b, size.items, max(20, b.size(size.bundles)))
		rows = append(rows, more...)
		if err != nil {
			return rows, fmt.Errorf("at %d items a bundle: %w", size.items, err)
		}
	}
	return rows, nil
}

func transitionsAt(ctx context.Context, b *bench, k, bundles int) ([]row, error) {
	ctx, m, err := startMesh(ctx, b, fmt.Sprintf("transitions-%d", k), k)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	name, file := fanOut(2)
	if err := m.apply(ctx, name, file); err != nil {
		return nil, err
	}
	if _, _, err := m.succeed(ctx, name, map[string]any{"count": k}); err != nil { // caches are warm from here on
		return nil, err
	}
	if !b.quick {
		if _, _, err := m.succeed(ctx, name, map[string]any{"count": bundles / 20 * k}); err != nil {
			return nil, err
		}
	}
	m.profile(b)
	objects := bundles / 2 * k
	var bares, orbits []rate
	var ratios, costs []float64
	var done []*orbit.Run
	for range b.rounds {
		bare, err := runBare(ctx, b, bundles, k)
		if err != nil {
			return nil, err
		}
		served, spent := watch(m.gateway.PID()), watch(m.node.PID())
		run, _, err := m.succeed(ctx, name, map[string]any{"count": objects})
		if err != nil {
			return nil, err
		}
		own := rate{bundles: objects / k * 2, node: spent()}
		own.cpu = own.node + served()
		if own.took, err = m.sinceRoot(ctx, run); err != nil {
			return nil, err
		}
		bares, orbits, done = append(bares, bare), append(orbits, own), append(done, run)
		ratios, costs = append(ratios, own.perSecond()/bare.perSecond()), append(costs, own.each()/bare.each())
		b.say("  %d items a bundle: bare %s, orbit %s bundles/s, ratio %.2f; %s and %s µs of processor a bundle", k,
			count(bare.perSecond()), count(own.perSecond()), own.perSecond()/bare.perSecond(), bare.parts(), own.parts())
	}
	m.profile(b)
	for _, run := range done {
		if err := m.checkFan(ctx, run, objects, objects/k*2); err != nil {
			return nil, err
		}
	}
	what := fmt.Sprintf("transitions, bundles of %d", k)
	speed := median(of(orbits, rate.perSecond))
	return []row{
		{what, "bare loop", fmt.Sprintf("%s bundles/s, %.0f µs of processor each", count(median(of(bares, rate.perSecond))), median(of(bares, rate.each)))},
		{what, "orbit", fmt.Sprintf("%s bundles/s, %.0f µs of processor each, %s items/s", count(speed), median(of(orbits, rate.each)), count(speed*float64(k)))},
		{what, "ratio", fmt.Sprintf("%.2f (%s) of its rate, %.2f (%s) times its processor time", median(ratios), each(ratios), median(costs), each(costs))},
	}, nil
}

// sinceRoot is the time from when a run's root had returned its objects to the end of the run. The bare loop's work is
// made before its clock starts, too.
func (m *mesh) sinceRoot(ctx context.Context, run *orbit.Run) (time.Duration, error) {
	s, err := streams.LastRecord(ctx, m.conn, 0, run.ID, orbit.BundleID("root", run.ID, 0))
	if err != nil {
		return 0, fmt.Errorf("read the root's record: %w", err)
	}
	root, err := orbit.DecodeRecordHead(s.Data)
	if err != nil {
		return 0, err
	}
	return run.FinishedAt.Sub(root.FinishedAt()), nil
}

func each(ratios []float64) string {
	var out []string
	for _, r := range slices.Sorted(slices.Values(ratios)) {
		out = append(out, fmt.Sprintf("%.2f", r))
	}
	return strings.Join(out, " ")
}
