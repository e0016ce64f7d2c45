package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
)

const (
	// ticksEvery is how often the clock is looked at.
	ticksEvery = 250 * time.Millisecond
	// tickGrace is how late a tick may be before it counts as missed: a change of leader takes less.
	tickGrace = time.Minute
	// maxMissed bounds how many missed ticks are caught up with; the older ones are dropped.
	maxMissed = 1000
	// maxQueue bounds how many ticks wait for a run to end; further ones are skipped.
	maxQueue = 1000
)

// keepTime makes the runs of cron triggers, until ctx ends.
func (t *triggers) keepTime(ctx context.Context) {
	rest := map[string]time.Time{} // triggers whose launch failed are left alone until then
	for {
		if pause(ctx, ticksEvery) != nil {
			return
		}
		list, states := t.all()
		for _, tr := range list {
			st, now := states[tr.key], time.Now()
			if tr.Type != "cron" || st.rev == 0 || now.Before(rest[tr.key]) || !tr.awaits(&st.Trigger, now) {
				continue
			}
			if err := t.tick(ctx, tr); err != nil && ctx.Err() == nil {
				t.g.log.Warn().Err(err).Str("trigger", tr.name).Msg("the run of a tick is not made yet; trying again")
				rest[tr.key] = now.Add(time.Second)
			}
		}
	}
}

// awaits tells whether there may be something to do, without a look at anything stored.
func (tr *trigger) awaits(st *kv.Trigger, now time.Time) bool {
	if st.Due != nil {
		return true
	}
	if st.Paused {
		return false
	}
	next := tr.ticks.Next(st.Tick)
	return len(st.Queue) > 0 || !next.IsZero() && !next.After(now)
}

// tick decides on the next tick of a trigger, if one is due, and launches its run.
func (t *triggers) tick(ctx context.Context, tr *trigger) error {
	st, err := t.change(ctx, tr, func(doc *kv.Trigger) (bool, error) {
		if doc.Due != nil || doc.Paused {
			return false, nil // decided on; its leader died
		}
		busy, err := t.busy(ctx, doc.Run)
		if err != nil {
			return false, err
		}
		return tr.decide(doc, time.Now().UTC(), busy), nil
	})
	if errors.Is(err, kv.ErrNotFound) || err == nil && st.Due == nil {
		return nil
	}
	if err != nil {
		return err
	}
	// Dying from here on: Due is stored, and the next leader comes to the same run by the same id.
	if err := t.g.opts.Faults.Point(ctx, "tick.due"); err != nil {
		return err
	}
	due := *st.Due
	id := orbit.HashID("tick", tr.id, due.Format(time.RFC3339))
	if tr.Overlap == "cancel" && st.Run != "" && st.Run != id {
		if _, err := t.g.cancelRun(ctx, st.Run); err != nil && !lasting(err) {
			return err
		}
	}
	run, err := t.g.launch(ctx, LaunchRequest{Cluster: tr.cluster, Trigger: tr.Type, Tick: &tick{id, due}})
	if err != nil && !lasting(err) {
		return err
	}
	failed := err
	if err := t.g.opts.Faults.Point(ctx, "tick.launched"); err != nil {
		return err
	}
	_, err = t.change(ctx, tr, func(doc *kv.Trigger) (bool, error) {
		if doc.Due == nil || !doc.Due.Equal(due) {
			return false, nil // another leader was faster
		}
		doc.Due, doc.LastAt, doc.Error = nil, time.Now().UTC(), ""
		if failed != nil {
			doc.Error = fmt.Sprintf("the tick of %s made no run: %s", due.Format(time.RFC3339), asProblem(failed).Detail)
		} else {
			doc.Run, doc.LastRun = run.ID, run.ID
		}
		return true, nil
	})
	if failed != nil {
		t.g.log.Error().Err(failed).Str("trigger", tr.name).Time("tick", due).Msg("a tick made no run")
	}
	return err
}

// busy tells whether a run goes on.
func (t *triggers) busy(ctx context.Context, run string) (bool, error) {
	if run == "" {
		return false, nil
	}
	doc, _, err := t.g.store.Runs.Get(ctx, run)
	if errors.Is(err, kv.ErrNotFound) {
		return false, nil
	}
	return err == nil && !doc.State.Terminal(), err
}

// decide moves a trigger on by one step: to a tick whose run is due, to one that waits or is skipped, or past ticks that were
// missed. busy tells whether the run of the last tick goes on. False: there is nothing to decide.
func (tr *trigger) decide(st *kv.Trigger, now time.Time, busy bool) (changed bool) {
	waits := busy && tr.Overlap != "allow" && tr.Overlap != "cancel"
	if len(st.Queue) > 0 && !waits {
		due := st.Queue[0]
		st.Due, st.Queue = &due, st.Queue[1:]
		return true
	}
	at := tr.next(st.Tick, now)
	if at.IsZero() {
		if late := tr.ticks.Next(st.Tick); late.IsZero() || late.After(now) {
			return false
		}
		st.Tick = now // what was missed is dropped
		return true
	}
	st.Tick = at
	missed := now.Sub(at) > tickGrace
	switch {
	case !waits && len(st.Queue) == 0:
		st.Due = &at
	case (tr.Overlap == "queue" || missed && tr.CatchUp == "all") && len(st.Queue) < maxQueue:
		st.Queue = append(st.Queue, at)
	default:
		st.Skipped++
	}
	return true
}

// next gives the tick after one that is to be decided on next, given what is to become of those that were missed; zero: none.
func (tr *trigger) next(after, now time.Time) (at time.Time) {
	var kept []time.Time // the newest that count
	for s := tr.ticks.Next(after); !s.IsZero() && !s.After(now); s = tr.ticks.Next(s) {
		if now.Sub(s) > tickGrace {
			switch tr.CatchUp {
			case "none":
				continue
			case "latest":
				kept = kept[:0]
			}
		}
		if kept = append(kept, s); len(kept) > maxMissed {
			kept = kept[1:]
		}
	}
	if len(kept) == 0 {
		return time.Time{}
	}
	return kept[0]
}
