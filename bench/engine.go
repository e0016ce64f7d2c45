package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A run that is over at once is made again, until this much time or so many runs have passed: one hiccup of the machine would be
// most of it otherwise.
const (
	engineTime  = 3 * time.Second
	engineTimes = 20
)

// variant is the same fan-out cluster with something more for a leader to do.
type variant struct {
	name  string // as it is told
	steps string // after the root
	fails bool   // one item of ten does, once
}

var variants = []variant{
	{"plain", `
    - {uses: bench/noop, identifier: work}
    - {uses: bench/noop, identifier: last}
`, false},
	{"a join for each object of the root", `
    - {uses: bench/noop, identifier: work}
    - {uses: bench/noop, identifier: last, unites: {identifier: root}}
`, false},
	{"10 % of the items fail once, and are tried again after 10 ms", `
    - {uses: bench/flaky, identifier: work, retries: {max: 3, strategy: fixed, delay: 10ms, jitter: none}}
    - {uses: bench/noop, identifier: last}
`, true},
	{"concurrency: 64", `
    - {uses: bench/noop, identifier: work, concurrency: 64}
    - {uses: bench/noop, identifier: last}
`, false},
}

func (v variant) cluster(i int) (identifier string, file []byte) {
	identifier = fmt.Sprintf("bench/engine-%d", i)
	return identifier, []byte(clusterHead(identifier) + "\n    - {uses: bench/emit, identifier: root}" + v.steps)
}

// engine compares a plain fan-out with one that has joins, retries or a limit, by turns on the same mesh: many items at once,
// and one item at a time.
func engine(ctx context.Context, b *bench) ([]row, error) {
	ctx, m, err := startMesh(ctx, b, "engine", 0)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	objects, runs := b.size(10_000), max(10, b.size(200))
	for i, v := range variants {
		name, file := v.cluster(i)
		if err := m.apply(ctx, name, file); err != nil {
			return nil, err
		}
		if _, _, err := m.engineRun(ctx, i, max(100, objects/20)); err != nil { // caches are warm from here on
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
	}
	m.profile(b)
	speeds, delays := make([][]float64, len(variants)), make([][]float64, len(variants))
	for range b.rounds {
		for i, v := range variants {
			var spent time.Duration
			times := 0
			for ; times == 0 || spent < engineTime && times < engineTimes; times++ {
				d, _, err := m.engineRun(ctx, i, objects)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", v.name, err)
				}
				spent += d
			}
			rate := float64(2*objects*times) / spent.Seconds()
			var took []time.Duration
			for range runs {
				_, d, err := m.engineRun(ctx, i, 1)
				if err != nil {
					return nil, fmt.Errorf("%s, one item: %w", v.name, err)
				}
				took = append(took, d)
			}
			speeds[i], delays[i] = append(speeds[i], rate), append(delays[i], float64(quantile(took, 0.5))/float64(time.Millisecond))
			b.say("  %s: %s items/s, one item %.1f ms", v.name, count(rate), delays[i][len(delays[i])-1])
		}
	}
	m.profile(b)
	var rows []row
	for i, v := range variants {
		what := fmt.Sprintf("engine, %s", v.name)
		fast, slow, alone := "", "", ""
		if v.fails {
			alone = ", it fails once"
		}
		if i > 0 {
			fast = fmt.Sprintf(", %s of plain", ratios(speeds[i], speeds[0]))
			slow = fmt.Sprintf(", %s times plain", ratios(delays[i], delays[0]))
		}
		rows = append(rows,
			row{what, fmt.Sprintf("%s items from one root, two steps", count(float64(objects))), count(median(speeds[i])) + " items/s" + fast},
			row{what, "one item at a time, created to finished" + alone, fmt.Sprintf("p50 %.1f ms", median(delays[i])) + slow})
	}
	return rows, nil
}

// ratios compares rounds with those of another, one by one. Some are small.
func ratios(of, to []float64) string {
	r, each := make([]float64, len(of)), make([]string, len(of))
	for i := range of {
		r[i] = of[i] / to[i]
	}
	for i, v := range slices.Sorted(slices.Values(r)) {
		each[i] = fmt.Sprintf("%.2g", v)
	}
	return fmt.Sprintf("%.2g (%s)", median(r), strings.Join(each, " "))
}

// engineRun runs a variant once, checks it and gives its time from when the root had returned, and that of the whole run.
func (m *mesh) engineRun(ctx context.Context, i, objects int) (since, took time.Duration, err error) {
	name, _ := variants[i].cluster(i)
	run, _, err := m.succeed(ctx, name, map[string]any{"count": objects})
	if err != nil {
		return 0, 0, err
	}
	if err := m.checkFan(ctx, run, objects, 0); err != nil {
		return 0, 0, err
	}
	l, err := readLedger(ctx, m.conn, run.ID)
	if err != nil {
		return 0, 0, err
	}
	again := 0
	if variants[i].fails {
		again = (objects + 9) / 10
	}
	if l.again != again {
		return 0, 0, fmt.Errorf("the records of run %s hold %d items that are tried again; there must be %d", run.ID, l.again, again)
	}
	since, err = m.sinceRoot(ctx, run)
	return since, run.FinishedAt.Sub(run.CreatedAt), err
}
