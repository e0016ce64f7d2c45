package main

import (
	"context"
	"fmt"
	"time"
)

// latency makes one run of three steps after the other.
func latency(ctx context.Context, b *bench) ([]row, error) {
	ctx, m, err := startMesh(ctx, b, "latency", 0)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	name, file := chain(3)
	if err := m.apply(ctx, name, file); err != nil {
		return nil, err
	}
	var run, client []time.Duration
	for i := range 50 + b.size(500) {
		if i == 50 { // warm from here on
			m.profile(b)
		}
		doc, took, err := m.succeed(ctx, name, object(i))
		if err != nil {
			return nil, err
		}
		if i >= 50 {
			run, client = append(run, doc.FinishedAt.Sub(doc.CreatedAt)), append(client, took)
		}
	}
	what := fmt.Sprintf("latency, %d runs of three steps, one at a time", len(run))
	return []row{{what, "created to finished", spread(run)}, {what, "request to answer of ?wait", spread(client)}}, nil
}

func spread(d []time.Duration) string {
	ms := func(q float64) float64 { return float64(quantile(d, q)) / float64(time.Millisecond) }
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms, max %.1f ms", ms(0.5), ms(0.99), ms(1))
}
