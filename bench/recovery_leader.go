package main

import (
	"context"
	"time"
)

// killLeader kills the gateway that leads, and starts it again when the other one has done what a leader does.
func killLeader(ctx context.Context, a *arena) (time.Duration, error) {
	return a.settle(ctx, func(ctx context.Context) (*child, func(context.Context) error, error) {
		i, err := a.leader(ctx)
		if err != nil {
			return nil, nil, err
		}
		return a.gateways[i], nil, nil
	})
}

// killServer kills the server and starts it again at once.
func killServer(ctx context.Context, a *arena) (time.Duration, error) {
	return a.settle(ctx, func(context.Context) (*child, func(context.Context) error, error) {
		return a.servers[0], a.servers[0].Start, nil
	})
}

// killEmbedded kills the gateway that has the server within it, and starts it again at once.
func killEmbedded(ctx context.Context, a *arena) (time.Duration, error) {
	return a.settle(ctx, func(context.Context) (*child, func(context.Context) error, error) {
		return a.gateways[0], a.gateways[0].Start, nil
	})
}

// settle kills while items are in work that a leader has to do something about as soon as they end, and lets them end at that
// moment. It gives the time from the kill to the end of their run. at tells whom to kill, and how it comes back at once; where
// it does not, it comes back when the run has ended.
func (a *arena) settle(ctx context.Context, at func(context.Context) (victim *child, again func(context.Context) error, err error)) (time.Duration, error) {
	run, release, err := a.hold(ctx, settleCluster)
	if err != nil {
		return 0, err
	}
	victim, again, err := at(ctx)
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	victim.Kill()
	if err := release(); err != nil {
		return 0, err
	}
	later := victim.Start
	if again != nil {
		if err := again(ctx); err != nil {
			return 0, err
		}
		later = nil
	}
	doc, err := a.waitAnyhow(ctx, run)
	if err != nil {
		return 0, err
	}
	if err := a.finish(ctx, run, release); err != nil {
		return 0, err
	}
	if later != nil {
		if err := later(ctx); err != nil {
			return 0, err
		}
	}
	return doc.FinishedAt.Sub(begun), nil
}
