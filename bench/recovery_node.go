package main

import (
	"context"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
)

// killNode kills the node that does most of a run.
func killNode(ctx context.Context, a *arena) (time.Duration, error) {
	run, release, err := a.hold(ctx, heldCluster)
	if err != nil {
		return 0, err
	}
	victim := a.busiest(run)
	begun := time.Now()
	victim.Kill()
	took, err := a.elsewhere(ctx, run, victim, begun)
	if err != nil {
		return 0, err
	}
	if err := a.finish(ctx, run, release); err != nil {
		return 0, err
	}
	return took, victim.Start(ctx)
}

// freezeNode stops such a node. When it wakes, long after others have done its work, it must change nothing.
func freezeNode(ctx context.Context, a *arena) (time.Duration, error) {
	run, release, err := a.hold(ctx, heldCluster)
	if err != nil {
		return 0, err
	}
	victim := a.busiest(run)
	begun := time.Now()
	victim.Freeze()
	defer victim.Thaw()
	took, err := a.elsewhere(ctx, run, victim, begun)
	if err != nil {
		return 0, err
	}
	if err := a.finish(ctx, run, release); err != nil {
		return 0, err
	}
	if err := pause(ctx, frozen-time.Since(begun)); err != nil {
		return 0, err
	}
	victim.Thaw()
	if err := pause(ctx, 3*time.Second); err != nil { // it finds its items' file and does what it was about to do
		return 0, err
	}
	return took, a.verify(ctx, run)
}

// busiest is the node that has begun most items of a run.
func (a *arena) busiest(run string) *child {
	items := map[string]int{}
	for _, b := range latest(a.heard.of(run)) {
		items[b.Node]++
	}
	best := a.nodes[0]
	for _, n := range a.nodes {
		if items[n.name] > items[best.name] {
			best = n
		}
	}
	return best
}

// elsewhere waits until each item that the victim had begun has begun on another node, and gives the time that this took.
func (a *arena) elsewhere(ctx context.Context, run string, victim *child, begun time.Time) (took time.Duration, err error) {
	limited, cancel := context.WithTimeoutCause(ctx, recoveryLimit, fmt.Errorf("not recovered after %s", recoveryLimit))
	defer cancel()
	missing := 0
	err = a.heard.until(limited, run, func(all []began) bool {
		took, missing = 0, 0
		for item, last := range latest(all) {
			for _, b := range all {
				switch {
				case b.Item != item || b.Node != victim.name || b.since(begun) > 0:
				case last.Node == victim.name:
					missing++
				default:
					took = max(took, last.since(begun))
				}
			}
		}
		return missing == 0
	})
	if err != nil {
		return 0, fmt.Errorf("%d items of run %s that %s had begun do not run elsewhere: %w", missing, run, victim.name, err)
	}
	return took, nil
}

// finish lets a run end and checks it.
func (a *arena) finish(ctx context.Context, run string, release func() error) error {
	if err := release(); err != nil {
		return err
	}
	doc, err := a.waitAnyhow(ctx, run)
	if err != nil {
		return err
	}
	if doc.State != orbit.RunSucceeded {
		return fmt.Errorf("run %s is %s: %s", run, doc.State, doc.Error)
	}
	return a.verify(ctx, run)
}

// verify reads what a run has come to, in its document and in the ledger.
func (a *arena) verify(ctx context.Context, run string) error {
	doc, err := a.waitAnyhow(ctx, run)
	if err != nil {
		return err
	}
	return a.check(ctx, doc, func(step string) int {
		if step == "held" {
			return heldItems
		}
		return 1
	})
}
