package orbittest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// happened gives events as "kind item attempt".
func happened(events []orbit.RunEvent) (out []string) {
	for _, ev := range events {
		text := string(ev.Kind)
		if ev.Item != "" {
			text += fmt.Sprintf(" %s %d", ev.Item, ev.Attempt)
		} else if ev.State != "" {
			text += " " + string(ev.State)
		}
		out = append(out, text)
	}
	return out
}

func TestEventsTellWhatWasCommittedEachOnceThroughACrash(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 2}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(8))
		o.Script.On("b", orbittest.Sleep(3*time.Second, orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.1": orbittest.FailForGood, "0.3": orbittest.FailFirst(2), "0.6": orbittest.FailFirst(1)})))
		id := o.Run(o.Apply(chain), nil)
		time.Sleep(5 * time.Second)
		o.KillNode(0)
		run := o.Wait(id)
		wantRun(t, run, orbit.RunPartial, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 7, orbit.ItemFailed: 1})
		events := o.Events(id)
		got := happened(events)
		want := []string{"accepted pending", "ended partial", "item-failed b/0.1 1", "item-retrying b/0.3 1", "item-retrying b/0.3 2", "item-retrying b/0.6 1", "running running"}
		if sorted := slices.Sorted(slices.Values(got)); !slices.Equal(sorted, want) {
			t.Errorf("events %q, want, in some order, %q", got, want)
		}
		if got[0] != "accepted pending" || got[1] != "running running" || got[len(got)-1] != "ended partial" {
			t.Errorf("events %q", got)
		}
		for _, ev := range events {
			if ev.Time.IsZero() || ev.Kind == orbit.EventRetrying && (ev.Due == nil || !ev.Due.After(run.CreatedAt) || ev.Error == nil) || ev.Item != "" && ev.Node == "" {
				t.Errorf("%+v", ev)
			}
		}
	})
}

func TestMissedDeadlineIsToldBeforeWhatCameAfterIt(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.Sleep(30*time.Second, orbittest.FailFirst(1)))
		o.Script.On("b", orbittest.Sleep(40*time.Second, orbittest.FailFirst(1)))
		id := o.Run(o.Apply(strings.ReplaceAll(chain, "sla: 6h", "sla: 1m")), nil)
		wantEnd(o, o.Wait(id), orbit.RunSucceeded)
		want := []string{"accepted pending", "running running", "item-retrying a/0 1", "deadline-missed", "item-retrying b/0.0 1", "ended succeeded"}
		if got := happened(o.Events(id)); !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}

func TestCancelIsTheLastEvent(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.Sleep(time.Hour, orbittest.Pass))
		id := o.Run(o.Apply(chain), nil)
		time.Sleep(10 * time.Second)
		o.Cancel(id)
		want := []string{"accepted pending", "running running", "cancelled cancelled"}
		if got := happened(o.Events(id)); !slices.Equal(got, want) {
			t.Errorf("events %q, want %q", got, want)
		}
	})
}
