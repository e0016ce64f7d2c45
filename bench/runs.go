package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// runs submits 20,000 runs of three steps in one go. Its rate is compared with that of the bare loop at bundles of one
// item, which is what every step of such a run is.
func runs(ctx context.Context, b *bench) ([]row, error) {
	n := b.size(20_000)
	ctx, m, err := startMesh(ctx, b, "runs", 0)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	name, file := chain(3)
	if err := m.apply(ctx, name, file); err != nil {
		return nil, err
	}
	for i := range 20 {
		if _, _, err := m.succeed(ctx, name, object(i)); err != nil {
			return nil, err
		}
	}
	bare, err := runBare(ctx, b, max(20, b.size(40000)), 1)
	if err != nil {
		return nil, err
	}
	m.profile(b)
	begun, spent := time.Now(), watch(m.gateway.PID(), m.node.PID())
	ids, err := m.submitAll(ctx, name, n)
	if err != nil {
		return nil, err
	}
	accepted := time.Since(begun)
	b.say("  %d runs accepted in %s", n, accepted.Round(time.Millisecond))
	for _, id := range ids[max(0, n-clients):] { // the last of them end last, or nearly so
		if _, err := m.wait(ctx, id); err != nil {
			return nil, err
		}
	}
	m.profile(b)
	cpu := spent()
	end, err := m.allSucceeded(ctx, name, ids)
	if err != nil {
		return nil, err
	}
	took := end.Sub(begun)
	own := rate{3 * n, took, cpu}
	what := fmt.Sprintf("%s runs of three steps at once", count(float64(n)))
	return []row{
		{what, "accepted", fmt.Sprintf("%s after %s", count(float64(n)/accepted.Seconds())+" runs/s, the last", accepted.Round(time.Millisecond))},
		{what, "all ended", fmt.Sprintf("after %s: %s runs/s, %s steps/s", took.Round(time.Millisecond), count(float64(n)/took.Seconds()), count(own.perSecond()))},
		{what, "ratio", fmt.Sprintf("%.2f of the bare loop's %s bundles/s; %.0f µs of processor a step, %.2f times its %.0f µs", own.perSecond()/bare.perSecond(), count(bare.perSecond()), own.each(), own.each()/bare.each(), bare.each())},
		{what, "peak memory", fmt.Sprintf("gateway %s, node %s", memoryOf(m.gateway.PID()).peak, memoryOf(m.node.PID()).peak)},
	}, nil
}

// allSucceeded lists the runs until every one of ids has ended, and gives the time of the last end. One that did not
// succeed is an error.
func (m *mesh) allSucceeded(ctx context.Context, cluster string, ids []string) (last time.Time, err error) {
	want := make(map[string]bool, len(ids))
	for _, id := range ids {
		want[id] = true
	}
	if len(want) != len(ids) {
		return last, fmt.Errorf("%d runs were started and have only %d ids", len(ids), len(want))
	}
	for {
		open, ended := 0, 0
		for page, err := range m.api.Runs(ctx, apiclient.Query{Cluster: cluster}) {
			if err != nil {
				return last, err
			}
			for _, raw := range page {
				var run orbit.Run
				if err := json.Unmarshal(raw, &run); err != nil {
					return last, err
				}
				switch {
				case !want[run.ID]:
				case !run.State.Terminal():
					open++
				case run.State != orbit.RunSucceeded:
					return last, fmt.Errorf("run %s is %s: %s", run.ID, run.State, run.Error)
				default:
					if ended++; run.FinishedAt.After(last) {
						last = *run.FinishedAt
					}
				}
			}
		}
		if ended == len(ids) {
			return last, nil
		}
		if open+ended != len(ids) {
			return last, fmt.Errorf("%d runs were started; %d are listed", len(ids), open+ended)
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return last, fmt.Errorf("%d of %d runs have not ended: %w", open, len(ids), context.Cause(ctx))
		}
	}
}
