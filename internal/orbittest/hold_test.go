package orbittest_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// limited is a cluster whose middle step is limited, as LIMIT says.
const limited = `
version: 0.0.1b
cluster:
  identifier: test/limited
  sla: 6h
  trigger: api-call
  retries: {max: 1, delay: 5s, jitter: none}
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/many, identifier: b, LIMIT}
    - {uses: test/many, identifier: c, config: {note: "${{ satellites.a.output.n }}"}}
`

func limitedTo(limit string) string { return strings.Replace(limited, "LIMIT", limit, 1) }

// meter counts how many items run at once.
type meter struct {
	mu        sync.Mutex
	now, most int
	starts    []time.Time
}

func (m *meter) through(then orbittest.Behaviour) orbittest.Behaviour {
	return func(c ctx, x *orbittest.Execution) error {
		m.mu.Lock()
		m.now++
		m.most = max(m.most, m.now)
		m.starts = append(m.starts, time.Now())
		m.mu.Unlock()
		err := then(c, x)
		m.mu.Lock()
		m.now--
		m.mu.Unlock()
		return err
	}
}

func TestNoMoreItemsRunAtOnceThanTheLimitSays(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 3, Slots: 8}, func(o *orbittest.Orbit) {
		m := &meter{}
		o.Script.On("a", orbittest.FanOut(30))
		o.Script.On("b", m.through(orbittest.Sleep(2*time.Second, orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.3": orbittest.FailForGood, "0.5": orbittest.FailFirst(1)}))))
		begun := time.Now()
		run := o.Wait(o.Run(o.Apply(limitedTo("concurrency: 5")), nil))
		wantRun(t, run, orbit.RunPartial, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 29, orbit.ItemFailed: 1})
		wantRun(t, run, orbit.RunPartial, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 29})
		if m.most != 5 {
			t.Errorf("at most %d items ran at once; the limit is 5 and there was room for it", m.most)
		}
		if took := time.Since(begun); took > 25*time.Second {
			t.Errorf("30 items of 2 s, five at once, took %s", took)
		}
	})
}

func TestLimitHoldsOverTheDeathOfALeader(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 8}, func(o *orbittest.Orbit) {
		m := &meter{}
		o.Script.On("a", orbittest.FanOut(40))
		o.Script.On("b", m.through(orbittest.Sleep(3*time.Second, orbittest.Pass)))
		id := o.Run(o.Apply(limitedTo("concurrency: 4")), nil)
		for i := range 3 {
			time.Sleep(5 * time.Second)
			o.KillGateway(i)
			o.StartGateway()
		}
		run := o.Wait(id)
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 40})
		if m.most > 4 {
			t.Errorf("%d items ran at once; the limit is 4", m.most)
		}
	})
}

func TestJoinsAndFailureStepsKeepTheirLimits(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 8}, func(o *orbittest.Orbit) {
		joins, alarms := &meter{}, &meter{}
		o.Script.On("a", orbittest.FanOut(12))
		o.Script.On("b", func(c ctx, x *orbittest.Execution) error {
			if last, _ := x.Lineage.Last(); last%2 == 0 {
				return orbittest.FailForGood(c, x)
			}
			return orbittest.Pass(c, x)
		})
		o.Script.On("each", joins.through(orbittest.Sleep(time.Second, orbittest.Pass)))
		var mu sync.Mutex
		var told []string
		o.Script.On("tell", alarms.through(orbittest.Sleep(time.Second, orbittest.FanOut(1))))
		o.Script.On("log", func(c ctx, x *orbittest.Execution) error {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, x.Config["note"].(string))
			return nil
		})
		run := o.Wait(o.Run(o.Apply(`
version: 0.0.1b
cluster:
  identifier: test/both
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/few, identifier: b}
    - {uses: test/few, identifier: each, unites: {identifier: a, strategy: all-done}, concurrency: 3}
  failure:
    satellites:
      - {uses: test/few, identifier: tell, concurrency: 2}
      - {uses: test/few, identifier: log, delay: 10s, config: {note: "${{ failure.item }} ${{ satellites.a.output?.n? }} ${{ satellites.tell.output.n }} ${{ failure.code }}"}}
`), nil))
		wantRun(t, run, orbit.RunPartial, "each", map[orbit.ItemState]int{orbit.ItemSucceeded: 12})
		wantRun(t, run, orbit.RunPartial, "log", map[orbit.ItemState]int{orbit.ItemSucceeded: 6})
		if joins.most != 3 || alarms.most != 2 {
			t.Errorf("%d joins and %d failure items ran at once; the limits are 3 and 2", joins.most, alarms.most)
		}
		for i := range 6 {
			if want := fmt.Sprintf("b/0.%d %d 0 invalid_input", 2*i, 2*i); !strings.Contains(strings.Join(told, "\n"), want) {
				t.Errorf("told %q; %q is missing", told, want)
			}
		}
	})
}

func TestItemsWaitForTheDelayOfTheirStep(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		m := &meter{}
		o.Script.On("a", orbittest.FanOut(10))
		o.Script.On("b", m.through(orbittest.FailFirst(1)))
		begun := time.Now()
		run := o.Wait(o.Run(o.Apply(limitedTo("delay: 2m")), nil))
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 10})
		if first := m.starts[0].Sub(begun); first < 2*time.Minute || first > 125*time.Second {
			t.Errorf("the first item ran after %s; the delay is 2m", first)
		}
		if last := m.starts[len(m.starts)-1].Sub(m.starts[0]); last < 5*time.Second || last > 15*time.Second {
			t.Errorf("the last retry came %s after the first attempt; the delay is no part of a retry", last)
		}
	})
}

func TestDelaySurvivesARestartOfEverything(t *testing.T) {
	orbittest.Test(t, orbittest.Options{}, func(o *orbittest.Orbit) {
		m := &meter{}
		o.Script.On("a", orbittest.FanOut(3))
		o.Script.On("b", m.through(orbittest.Pass))
		begun := time.Now()
		id := o.Run(o.Apply(limitedTo("delay: 10m, concurrency: 2")), nil)
		time.Sleep(time.Minute)
		o.KillNode(0)
		o.KillGateway(0)
		o.RestartServer(10 * time.Second)
		o.StartGateway()
		o.StartNode()
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 3})
		if first := m.starts[0].Sub(begun); first < 10*time.Minute || first > 11*time.Minute {
			t.Errorf("the first item ran after %s; the delay is 10m", first)
		}
		if m.most > 2 {
			t.Errorf("%d items ran at once", m.most)
		}
	})
}

func TestAttemptsKeepTheRateOfTheirStep(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Gateways: 2, Nodes: 3, Slots: 8}, func(o *orbittest.Orbit) {
		m := &meter{}
		o.Script.On("a", orbittest.FanOut(60))
		o.Script.On("b", m.through(orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{"0.3": orbittest.FailFirst(1), "0.7": orbittest.FailFirst(1)})))
		id := o.Run(o.Apply(limitedTo("rate-limit: 2/s")), nil)
		time.Sleep(10 * time.Second)
		o.KillGateway(0) // another one leads, and knows nothing of what was permitted
		run := o.Wait(id)
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 60})
		if len(m.starts) != 62 {
			t.Errorf("%d attempts, want 62", len(m.starts))
		}
		for i := 1; i < len(m.starts); i++ {
			if gap := m.starts[i].Sub(m.starts[i-1]); gap < 490*time.Millisecond {
				t.Errorf("attempt %d began %s after the one before; the rate is 2/s", i, gap)
			}
		}
		if took := m.starts[61].Sub(m.starts[0]); took > 55*time.Second {
			t.Errorf("62 attempts at 2/s took %s", took)
		}
	})
}

func TestSlowRateIsKeptWhenTheLeaderChanges(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Gateways: 2, Nodes: 2, Slots: 8}, func(o *orbittest.Orbit) {
		m := &meter{}
		o.Script.On("a", orbittest.FanOut(8))
		o.Script.On("b", m.through(orbittest.FailFirst(1)))
		id := o.Run(o.Apply(limitedTo("rate-limit: 2/m")), nil)
		time.Sleep(2 * time.Second)
		o.KillGateway(0) // while the next attempt of what has just failed is due
		o.StartGateway()
		time.Sleep(60 * time.Second)
		o.StopGateway(1) // an orderly end gives the lease up, and the next leader begins at once
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 8})
		for i := 1; i < len(m.starts); i++ {
			if gap := m.starts[i].Sub(m.starts[i-1]); gap < 29900*time.Millisecond {
				t.Errorf("attempt %d began %s after the one before; the rate is 2/m", i, gap)
			}
		}
	})
}

func TestSlowRateKeepsNoSlot(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Slots: 2}, func(o *orbittest.Orbit) {
		m := &meter{}
		o.Script.On("a", orbittest.FanOut(8))
		o.Script.On("b", m.through(orbittest.Pass))
		slow := o.Run(o.Apply(limitedTo("rate-limit: 6/h")), nil)
		time.Sleep(time.Minute)
		begun := time.Now()
		o.Wait(o.Run(o.Apply(chain), nil))
		if took := time.Since(begun); took > 30*time.Second {
			t.Errorf("another run took %s beside one that waits for its rate", took)
		}
		run := o.Wait(slow)
		wantRun(t, run, orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 8})
		if took := m.starts[len(m.starts)-1].Sub(m.starts[0]); took < 70*time.Minute || took > 80*time.Minute {
			t.Errorf("8 attempts at 6/h took %s", took)
		}
	})
}
