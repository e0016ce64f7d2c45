package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// replicas compares a mesh whose three NATS servers keep a copy of everything each with one that has a single server, by turns
// on the same machine: transitions at bundles of 1, 20 and 100 items, and short runs one at a time. The servers of both are
// processes of their own. All share the processors, so what three servers cost is seen here as time.
func replicas(ctx context.Context, b *bench) ([]row, error) {
	var rows []row
	for _, size := range []struct{ items, bundles int }{{1, 20000}, {20, 8000}, {100, 4000}} {
		more, err := replicasAt(ctx, b, size.items, max(20, b.size(size.bundles)))
		rows = append(rows, more...)
		if err != nil {
			return rows, fmt.Errorf("at %d items a bundle: %w", size.items, err)
		}
	}
	return rows, nil
}

// replicated is one of the two meshes.
type replicated struct {
	name  string
	mesh  *mesh
	rates []float64
	runs  []time.Duration
}

func replicasAt(ctx context.Context, b *bench, k, bundles int) (rows []row, err error) {
	both := []*replicated{{name: "R1"}, {name: "R3"}}
	for i, r := range both {
		l := small(k)
		l.servers = 1 + 2*i
		if ctx, r.mesh, err = raiseMesh(ctx, b, fmt.Sprintf("%s-%d", r.name, k), l); err != nil {
			return nil, err
		}
		defer r.mesh.Stop()
		for _, cluster := range []func(int) (string, []byte){fanOut, chain} {
			name, file := cluster(2)
			if err := r.mesh.apply(ctx, name, file); err != nil {
				return nil, err
			}
		}
		if _, err := r.transitions(ctx, k, max(20, bundles/10)); err != nil { // caches are warm from here on
			return nil, err
		}
	}
	for range b.rounds {
		for _, r := range both {
			rate, err := r.transitions(ctx, k, bundles)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
			r.rates = append(r.rates, rate)
			if k > 1 { // a short run's bundles hold one item anyway
				continue
			}
			if err := r.latency(ctx, max(10, b.size(200))); err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
		}
		b.say("  %d items a bundle: R1 %s, R3 %s bundles/s", k, count(last(both[0].rates)), count(last(both[1].rates)))
	}
	one, three := both[0], both[1]
	what := fmt.Sprintf("copies, bundles of %d", k)
	rows = []row{
		{what, "R1, one server", fmt.Sprintf("%s bundles/s, %s items/s", count(median(one.rates)), count(median(one.rates)*float64(k)))},
		{what, "R3, three servers", fmt.Sprintf("%s bundles/s, %s items/s", count(median(three.rates)), count(median(three.rates)*float64(k)))},
		{what, "ratio", ratios(three.rates, one.rates)},
	}
	if k == 1 {
		what := fmt.Sprintf("copies, latency of %d runs of two steps, one at a time", len(one.runs))
		rows = append(rows, row{what, "R1", spread(one.runs)}, row{what, "R3", spread(three.runs)})
	}
	return rows, nil
}

func last(values []float64) float64 { return values[len(values)-1] }

// transitions makes one run of so many bundles and gives their rate.
func (r *replicated) transitions(ctx context.Context, k, bundles int) (perSecond float64, err error) {
	name, _ := fanOut(2)
	objects := bundles / 2 * k
	run, _, err := r.mesh.succeed(ctx, name, map[string]any{"count": objects})
	if err != nil {
		return 0, err
	}
	if err := r.mesh.checkFan(ctx, run, objects, objects/k*2); err != nil {
		return 0, err
	}
	took, err := r.mesh.sinceRoot(ctx, run)
	return float64(objects/k*2) / took.Seconds(), err
}

// latency makes short runs, one at a time.
func (r *replicated) latency(ctx context.Context, n int) error {
	name, _ := chain(2)
	took := make([]time.Duration, n)
	for i := range took {
		run, _, err := r.mesh.succeed(ctx, name, object(i))
		if err != nil {
			return err
		}
		took[i] = run.FinishedAt.Sub(run.CreatedAt)
	}
	r.runs = slices.Concat(r.runs, took)
	return nil
}
