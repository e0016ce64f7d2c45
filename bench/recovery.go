package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	// kills is how often each blow is struck.
	kills = 20
	// heldItems are in work when a blow falls, each a bundle of its own. They fit on two nodes of three, so that those of the
	// third can go on at once.
	heldItems, heldSlots = 12, 8
	// frozen is how long a node is stopped.
	frozen = time.Minute
	// settleTime is the rest before a blow: by then a process that came back is known to the others.
	settleTime = 2 * time.Second
	// recoveryLimit is how long a recovery may take: several times the lease of a bundle, which is the last resort.
	recoveryLimit = 2 * time.Minute
)

// blow is one way in which a mesh is hurt, and what it has recovered from then.
type blow struct {
	name   string // as it is told
	figure string // what the time is until
	strike func(context.Context, *arena) (time.Duration, error)
}

// arena is a mesh of two gateways and three nodes that is hurt again and again.
type arena struct {
	*mesh
	b     *bench
	trial int
}

const (
	freeze           = "SIGSTOP of a node"
	bundlesElsewhere = "until each of its bundles ran elsewhere"
	leaderActs       = "until a run's retries and its join were done"
)

// recovery kills and stops processes of a mesh that works, and takes the time until what they did is done by others.
func recovery(ctx context.Context, b *bench) ([]row, error) {
	var rows []row
	for _, place := range []struct {
		layout layout
		blows  []blow
	}{
		{layout{servers: 1, gateways: 2, nodes: 3}, []blow{
			{"kill -9 of a node", bundlesElsewhere, killNode},
			{freeze, bundlesElsewhere, freezeNode},
			{"kill -9 of the leading gateway", leaderActs, killLeader},
			{"kill -9 and restart of the NATS server", leaderActs, killServer},
		}},
		{layout{gateways: 2, nodes: 3}, []blow{{"kill -9 and restart of the gateway that embeds the server", leaderActs, killEmbedded}}},
	} {
		l := place.layout
		if b.quick { // it takes a minute
			place.blows = slices.DeleteFunc(place.blows, func(x blow) bool { return x.name == freeze })
		}
		l.bundle, l.slots, l.gossip = 1, heldSlots, b.gossip
		times := make([][]time.Duration, len(place.blows))
		var err error
		for round := 0; round < b.rounds && err == nil; round++ {
			err = strikeAll(ctx, b, l, place.blows, round, times)
		}
		for i, x := range place.blows {
			if len(times[i]) > 0 {
				rows = append(rows, row{fmt.Sprintf("%s, %d times", x.name, len(times[i])), x.figure, seconds(times[i])})
			}
		}
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// strikeAll brings a mesh up and strikes this round's part of all blows.
func strikeAll(ctx context.Context, b *bench, l layout, blows []blow, round int, times [][]time.Duration) error {
	part := share(b.size(kills), b.rounds, round)
	if part == 0 {
		return nil
	}
	ctx, m, err := raiseMesh(ctx, b, "recovery", l)
	if err != nil {
		return err
	}
	defer m.Stop()
	a := &arena{mesh: m, b: b}
	if err := a.applyHeld(ctx); err != nil {
		return err
	}
	for i, x := range blows {
		for range part {
			limited, cancel := context.WithTimeoutCause(ctx, recoveryLimit+frozen, fmt.Errorf("not recovered after %s", recoveryLimit))
			took, err := x.strike(limited, a)
			cancel()
			if err != nil {
				return fmt.Errorf("%s, in %s: %w", x.name, l.setting(), err)
			}
			times[i] = append(times[i], took)
			b.say("  %s: %s", x.name, took.Round(time.Millisecond))
		}
	}
	return nil
}

// share is the part of n that falls to one of so many rounds.
func share(n, rounds, round int) int { return n*(round+1)/rounds - n*round/rounds }

func seconds(d []time.Duration) string {
	return fmt.Sprintf("p50 %.2f s, max %.2f s", quantile(d, 0.5).Seconds(), quantile(d, 1).Seconds())
}

const (
	heldCluster   = "bench/held"
	settleCluster = "bench/settle"
)

// applyHeld registers two clusters. Both hold their items until a file is there. Then the items of the first succeed; those of
// the second are tried again, which a leader has to bring about, and are united, which is a leader's work, too.
func (a *arena) applyHeld(ctx context.Context) error {
	held := clusterHead(heldCluster) + `
    - {uses: bench/emit, identifier: root}
    - {uses: bench/hold, identifier: held, config: {until: "${{ trigger.payload.until }}"}}
`
	settle := clusterHead(settleCluster) + `
    - {uses: bench/emit, identifier: root}
    - uses: bench/hold
      identifier: held
      retries: {max: 3, strategy: fixed, delay: 100ms, jitter: none}
      config: {until: "${{ trigger.payload.until }}", fails: true}
    - {uses: bench/noop, identifier: united, unites: {identifier: run}}
`
	if err := a.apply(ctx, heldCluster, []byte(held)); err != nil {
		return err
	}
	return a.apply(ctx, settleCluster, []byte(settle))
}

// hold has a run whose items are all in work, and were for a moment of chance; release lets them end. Others of the same cluster
// have passed before: the mesh is at rest, and every node has read the plan.
func (a *arena) hold(ctx context.Context, cluster string) (run string, release func() error, err error) {
	for seen := map[string]bool{}; len(seen) < len(a.nodes); { // a node that has just come back may get nothing of the first
		if run, release, err = a.begin(ctx, cluster); err != nil {
			return "", nil, err
		}
		for _, b := range a.heard.of(run) {
			seen[b.Node] = true
		}
		if err := a.finish(ctx, run, release); err != nil {
			return "", nil, err
		}
	}
	if err := pause(ctx, settleTime); err != nil {
		return "", nil, err
	}
	if run, release, err = a.begin(ctx, cluster); err != nil {
		return "", nil, err
	}
	return run, release, pause(ctx, 100*time.Millisecond+rand.N(time.Second))
}

// begin starts a run and waits until all its items are in work.
func (a *arena) begin(ctx context.Context, cluster string) (run string, release func() error, err error) {
	a.heard.forget()
	a.trial++
	file := filepath.Join(a.dir, fmt.Sprintf("release-%d", a.trial))
	doc, err := a.submit(ctx, cluster, map[string]any{"count": heldItems, "until": file})
	if err != nil {
		return "", nil, err
	}
	if err := a.heard.until(ctx, doc.ID, func(all []began) bool { return len(latest(all)) == heldItems }); err != nil {
		return "", nil, fmt.Errorf("the items of run %s have not all begun: %w", doc.ID, err)
	}
	return doc.ID, func() error { return os.WriteFile(file, nil, 0o600) }, nil
}

// latest gives the last that was told of each item.
func latest(all []began) map[string]began {
	last := map[string]began{}
	for _, b := range all {
		if b.At >= last[b.Item].At {
			last[b.Item] = b
		}
	}
	return last
}
