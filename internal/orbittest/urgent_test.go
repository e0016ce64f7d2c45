package orbittest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// within is a cluster that must be done within an SLA, with a step of its own name.
func within(sla, step string) string {
	return fmt.Sprintf("version: 0.0.1b\ncluster:\n  identifier: test/%s\n  sla: %s\n  trigger: api-call\n  satellites:\n"+
		"    - {uses: test/many, identifier: a}\n    - {uses: test/single, identifier: %s}\n", step, sla, step)
}

func TestNodeWithOneSlotTakesTheUrgentRunsBundlesFirst(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Slots: 1}, func(o *orbittest.Orbit) {
		starts := &orbittest.Starts{}
		const each = 5 * time.Second
		o.Script.On("a", orbittest.FanOut(40))
		for _, step := range []string{"calm", "urgent"} {
			o.Script.On(step, starts.Of(orbittest.Sleep(each, orbittest.Pass)))
		}
		calm, urgent := o.Apply(within("24h", "calm")), o.Apply(within("1h", "urgent"))
		first := o.Run(calm, nil)
		time.Sleep(time.Minute) // longer than the server remembers what an idle node asked for
		begun := time.Now()
		o.Script.On("a", orbittest.FanOut(20))
		second := o.Run(urgent, nil)
		wantRun(t, o.Wait(second), orbit.RunSucceeded, "urgent", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
		between := 0
		for _, s := range starts.All() {
			if s.At.After(begun) && s.Item[0] == 'c' {
				between++
			}
		}
		if took := time.Since(begun); between > 5 || took > 25*each+5*time.Second {
			t.Errorf("the urgent run took %s, 20 bundles of %s, and %d bundles of the calm one came before them", took, each, between)
		}
		wantRun(t, o.Wait(first), orbit.RunSucceeded, "calm", map[orbit.ItemState]int{orbit.ItemSucceeded: 40})
	})
}

func TestCalmRunIsNotForgottenBehindUrgentOnes(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 2}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(20))
		for _, step := range []string{"calm", "urgent"} {
			o.Script.On(step, orbittest.Sleep(time.Second, orbittest.Pass))
		}
		calm, urgent := o.Apply(within("24h", "calm")), o.Apply(within("1h", "urgent"))
		runs := []string{o.Run(calm, nil)}
		for range 10 {
			runs = append(runs, o.Run(urgent, nil))
			time.Sleep(3 * time.Second)
		}
		for _, id := range runs {
			wantEnd(o, o.Wait(id), orbit.RunSucceeded)
		}
	})
}
