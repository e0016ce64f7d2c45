package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
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
	m, err := startMesh(ctx, b, fmt.Sprintf("transitions-%d", k), k)
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
	var bares, orbits, ratios []float64
	for range b.rounds {
		bare, err := runBare(ctx, b, bundles, k)
		if err != nil {
			return nil, err
		}
		run, took, err := m.succeed(ctx, name, map[string]any{"count": objects})
		if err != nil {
			return nil, err
		}
		l, err := readLedger(ctx, m.conn, run.ID)
		if err != nil {
			return nil, err
		}
		if err := l.check(run, objects); err != nil {
			return nil, err
		}
		if got, want := l.bundles(), objects/k*2; got != want {
			return nil, fmt.Errorf("run %s has %d bundles; there must be %d", run.ID, got, want)
		}
		orbit := float64(l.bundles()) / took.Seconds()
		bares, orbits, ratios = append(bares, bare), append(orbits, orbit), append(ratios, orbit/bare)
		b.say("  %d items a bundle: bare %s, orbit %s bundles/s, ratio %.2f", k, count(bare), count(orbit), orbit/bare)
	}
	what := fmt.Sprintf("transitions, bundles of %d", k)
	return []row{
		{what, "bare loop", count(median(bares)) + " bundles/s"},
		{what, "orbit", fmt.Sprintf("%s bundles/s, %s items/s", count(median(orbits)), count(median(orbits)*float64(k)))},
		{what, "ratio", fmt.Sprintf("%.2f (%s)", median(ratios), each(ratios))},
	}, nil
}

func each(ratios []float64) string {
	var out []string
	for _, r := range slices.Sorted(slices.Values(ratios)) {
		out = append(out, fmt.Sprintf("%.2f", r))
	}
	return strings.Join(out, " ")
}
