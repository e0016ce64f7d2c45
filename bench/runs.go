package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// runs submits 20,000 runs of three steps in one go, by a request each and in one request. Their rate is compared with that
// of the bare loop at bundles of one item, which is what every step of such a run is.
func runs(ctx context.Context, b *bench) ([]row, error) {
	n := b.size(20_000)
	var rows []row
	for _, how := range howSubmitted {
		var bares, orbits []rate
		var ratios, costs []float64
		var peak string
		for range b.rounds {
			bare, err := runBare(ctx, b, max(20, b.size(40000)), 1)
			if err != nil {
				return rows, err
			}
			own, memory, err := runsOnce(ctx, b, how, n)
			if err != nil {
				return rows, err
			}
			bares, orbits, peak = append(bares, bare), append(orbits, own), memory
			ratios, costs = append(ratios, own.perSecond()/bare.perSecond()), append(costs, own.each()/bare.each())
			b.say("  %d runs, %s: bare %s, orbit %s steps/s, ratio %.2f; %s and %s µs of processor a step", n, how.name,
				count(bare.perSecond()), count(own.perSecond()), own.perSecond()/bare.perSecond(), bare.parts(), own.parts())
		}
		what := fmt.Sprintf("%s runs of three steps, %s", count(float64(n)), how.name)
		speed := median(of(orbits, rate.perSecond))
		rows = append(rows,
			row{what, "orbit", fmt.Sprintf("%s runs/s, %s steps/s, %.0f µs of processor a step", count(speed/3), count(speed), median(of(orbits, rate.each)))},
			row{what, "ratio", fmt.Sprintf("%.2f (%s) of the bare loop's %s bundles/s, %.2f (%s) times its processor time", median(ratios), each(ratios), count(median(of(bares, rate.perSecond))), median(costs), each(costs))},
			row{what, "peak memory", peak})
	}
	return rows, nil
}

// runsOnce submits n runs to a mesh of their own and checks that all succeed.
func runsOnce(ctx context.Context, b *bench, how submission, n int) (own rate, memory string, err error) {
	ctx, m, err := startMesh(ctx, b, "runs", 0)
	if err != nil {
		return own, "", err
	}
	defer m.Stop()
	name, file := chain(3)
	if err := m.apply(ctx, name, file); err != nil {
		return own, "", err
	}
	for i := range 20 {
		if _, _, err := m.succeed(ctx, name, object(i)); err != nil {
			return own, "", err
		}
	}
	m.profile(b)
	begun, served, spent := time.Now(), watch(m.gateway.PID()), watch(m.node.PID())
	ids, err := how.submit(m, ctx, name, n)
	if err != nil {
		return own, "", err
	}
	for _, id := range ids[max(0, n-clients):] { // the last of them end last, or nearly so
		if _, err := m.wait(ctx, id); err != nil {
			return own, "", err
		}
	}
	m.profile(b)
	node := spent()
	cpu := node + served()
	end, err := m.allSucceeded(ctx, ids)
	memory = fmt.Sprintf("gateway %s, node %s", memoryOf(m.gateway.PID()).peak, memoryOf(m.node.PID()).peak)
	return rate{3 * n, end.Sub(begun), cpu, node}, memory, err
}

// allSucceeded reads the documents of the runs until every one of ids has ended, and gives the time of the last end. One
// that did not succeed is an error.
func (m *mesh) allSucceeded(ctx context.Context, ids []string) (last time.Time, err error) {
	want := make(map[string]bool, len(ids))
	for _, id := range ids {
		want[id] = true
	}
	if len(want) != len(ids) {
		return last, fmt.Errorf("%d runs were started and have only %d ids", len(ids), len(want))
	}
	for {
		open, ended := 0, 0
		err := streams.ReadAll(ctx, m.conn, "KV_"+kv.RunsBucket, "$KV."+kv.RunsBucket+".>", 1, func(s streams.Stored) error {
			var run orbit.Run
			if err := json.Unmarshal(s.Data, &run); err != nil {
				return err
			}
			switch {
			case !want[run.ID]:
			case !run.State.Terminal():
				open++
			case run.State != orbit.RunSucceeded:
				return fmt.Errorf("run %s is %s: %s", run.ID, run.State, run.Error)
			default:
				if ended++; run.FinishedAt.After(last) {
					last = *run.FinishedAt
				}
			}
			return nil
		})
		if err != nil {
			return last, err
		}
		if ended == len(ids) {
			return last, nil
		}
		if open+ended != len(ids) {
			return last, fmt.Errorf("%d runs were started; there are documents of %d", len(ids), open+ended)
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return last, fmt.Errorf("%d of %d runs have not ended: %w", open, len(ids), context.Cause(ctx))
		}
	}
}
