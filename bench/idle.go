package main

import (
	"context"
	"fmt"
	"time"
)

// idle leaves a mesh alone.
func idle(ctx context.Context, b *bench) ([]row, error) {
	ctx, m, err := startMesh(ctx, b, "idle", 0)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	watch := 20 * time.Second
	if b.quick {
		watch = time.Second
	}
	m.profile(b)
	pids := []int{m.gateway.PID(), m.node.PID()}
	before, begun := []time.Duration{cpuOf(pids[0]), cpuOf(pids[1])}, time.Now()
	select {
	case <-time.After(watch):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	took := time.Since(begun)
	var rows []row
	for i, who := range []string{"gateway with server", "node"} {
		rows = append(rows, row{fmt.Sprintf("idle for %s", watch), who, fmt.Sprintf("%.1f %% of a core, %s resident", 100*float64(cpuOf(pids[i])-before[i])/float64(took), memoryOf(pids[i]).now)})
	}
	return rows, nil
}
