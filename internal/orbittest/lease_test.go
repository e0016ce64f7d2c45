package orbittest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
	"github.com/exospherehost/orbit/streams"
)

func TestItemOfALimitedStepNeverRunsTwiceAtOnceThoughItsNodeIsCutOff(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 20, Gossip: true}, func(o *orbittest.Orbit) {
		starts := &orbittest.Starts{}
		o.Script.On("a", orbittest.FanOut(20))
		o.Script.On("b", starts.Of(orbittest.Sleep(55*time.Second, orbittest.Pass)))
		name := o.Apply(strings.Replace(ones, "identifier: b}", "identifier: b, concurrency: 20}", 1))
		run := o.Run(name, nil)
		time.Sleep(12 * time.Second)
		node, held := busiest(o, starts)
		cut := time.Now()
		node.Cut()
		time.Sleep(2 * time.Minute)
		node.Heal()
		wantRun(t, o.Wait(run), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
		ends := map[string]time.Time{}
		for _, s := range starts.All() {
			if last, again := ends[s.Item]; again && s.At.Before(last) {
				t.Errorf("%s began on %s, and ran elsewhere for %s more", s.Item, s.Node.Name, last.Sub(s.At))
			}
			ends[s.Item] = s.End
			if s.Node == node.Process && s.At.Before(cut) && s.End.Sub(cut) > streams.AckWait*2/3+time.Second {
				t.Errorf("%s went on for %s after its node was cut off", s.Item, s.End.Sub(cut))
			}
		}
		wantAgain(t, starts, held, cut, streams.AckWait+2*time.Second)
	})
}

func TestItemOfAnyOtherStepGoesOnThoughItsNodeIsCutOff(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 1, Slots: 20}, func(o *orbittest.Orbit) {
		run, starts := slowSingles(o, 20, 55*time.Second)
		time.Sleep(12 * time.Second)
		o.Node(0).Cut()
		time.Sleep(50 * time.Second)
		o.Node(0).Heal()
		wantRun(t, o.Wait(run), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
		for _, s := range starts.All() {
			if took := s.End.Sub(s.At); took < 55*time.Second {
				t.Errorf("%s was stopped after %s", s.Item, took)
			}
		}
	})
}

func TestItemOfALimitedStepRunsForAsLongAsItTakesOnAHealthyNode(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 2}, func(o *orbittest.Orbit) {
		starts := &orbittest.Starts{}
		o.Script.On("a", orbittest.FanOut(12))
		o.Script.On("b", starts.Of(orbittest.Sleep(55*time.Second, orbittest.Pass)))
		name := o.Apply(strings.Replace(ones, "identifier: b}", "identifier: b, concurrency: 20}", 1))
		wantRun(t, o.Wait(o.Run(name, nil)), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 12})
		if n := len(starts.All()); n != 12 {
			t.Errorf("%d executions of 12 items", n)
		}
	})
}
