package orbittest_test

import (
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// ones is a chain whose second step has bundles of one item each, as long as nothing is measured.
const ones = `
version: 0.0.1b
cluster:
  identifier: test/ones
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: test/many, identifier: a}
    - {uses: test/single, identifier: b}
`

// slowSingles lets n items run in b, one a bundle and for d each, and notes when they start.
func slowSingles(o *orbittest.Orbit, n int, d time.Duration) (run string, starts *orbittest.Starts) {
	starts = &orbittest.Starts{}
	o.Script.On("a", orbittest.FanOut(n))
	o.Script.On("b", starts.Of(orbittest.Sleep(d, orbittest.Pass)))
	return o.Run(o.Apply(ones), nil), starts
}

// busiest gives the node that most items run on, and these.
func busiest(o *orbittest.Orbit, starts *orbittest.Starts) (node *orbittest.Node, items []string) {
	for _, n := range o.Nodes() {
		if len(starts.Running(n.Process)) > len(items) {
			node, items = n, starts.Running(n.Process)
		}
	}
	return node, items
}

// wantAgain fails the test unless each of the items began once more, elsewhere, within limit of t.
func wantAgain(t *testing.T, starts *orbittest.Starts, items []string, after time.Time, limit time.Duration) {
	t.Helper()
	if len(items) == 0 {
		t.Error("nothing ran there")
	}
	last := time.Duration(0)
	for _, item := range items {
		s, ok := starts.After(item, after)
		if !ok || s.At.Sub(after) > limit {
			t.Errorf("%s runs again after %s (ever: %t), which is not within %s", item, s.At.Sub(after), ok, limit)
		}
		last = max(last, s.At.Sub(after))
	}
	t.Logf("%d bundles run again after %s", len(items), last)
}

func TestWhatAKilledNodeHeldRunsAgainWithinThreeSeconds(t *testing.T) {
	for range 5 { // gossip is a game of chance
		orbittest.Test(t, orbittest.Options{Nodes: 3, Slots: 20, Gossip: true}, func(o *orbittest.Orbit) {
			run, starts := slowSingles(o, 40, 40*time.Second)
			time.Sleep(15 * time.Second)
			node, held := busiest(o, starts)
			killed := time.Now()
			node.Crash()
			wantRun(t, o.Wait(run), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 40})
			wantAgain(t, starts, held, killed, 3*time.Second)
			if n := o.Script.Total(); n != 41+len(held) {
				t.Errorf("%d executions; %d were to be repeated", n, len(held))
			}
		})
	}
}

func TestWhatWasPulledJustBeforeANodeDiedRunsAgainWithinThreeSeconds(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 20, Gossip: true}, func(o *orbittest.Orbit) {
		starts := &orbittest.Starts{}
		o.Script.On("b", starts.Of(orbittest.Sleep(40*time.Second, orbittest.Pass)))
		name := o.Apply(ones)
		o.Wait(o.Run(name, nil)) // the nodes know the plan
		run := o.Run(name, nil)
		begun := time.Now()
		for len(starts.All()) < 2 && time.Since(begun) < time.Minute {
			time.Sleep(time.Millisecond)
		}
		s := starts.All()[1]
		time.Sleep(10 * time.Millisecond)
		killed := time.Now()
		s.Node.Crash()
		wantEnd(o, o.Wait(run), orbit.RunSucceeded)
		wantAgain(t, starts, []string{s.Item}, killed, 3*time.Second)
	})
}

func TestGatewayHandsBackWhatTheOnlyNodeDiedWith(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 1, Slots: 20, Gossip: true}, func(o *orbittest.Orbit) {
		run, starts := slowSingles(o, 20, 40*time.Second)
		time.Sleep(15 * time.Second)
		held := starts.Running(o.Node(0).Process)
		killed := time.Now()
		o.KillNode(0)
		o.StartNode()
		wantRun(t, o.Wait(run), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
		wantAgain(t, starts, held, killed, 3*time.Second)
	})
}

func TestNodeThatIsStartedAgainUnderItsNameGetsItsWorkBack(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 1, Slots: 20, Gossip: true}, func(o *orbittest.Orbit) {
		run, starts := slowSingles(o, 20, 40*time.Second)
		time.Sleep(15 * time.Second)
		held := starts.Running(o.Node(0).Process)
		killed := time.Now()
		o.KillNode(0)
		time.Sleep(time.Millisecond)
		o.RestartNode(0)
		wantRun(t, o.Wait(run), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 20})
		wantAgain(t, starts, held, killed, 3*time.Second)
	})
}

func TestMachineThatVanishesIsFoundByGossipAlone(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 3, Slots: 20, Gossip: true}, func(o *orbittest.Orbit) {
		run, starts := slowSingles(o, 40, 40*time.Second)
		time.Sleep(15 * time.Second)
		node, held := busiest(o, starts)
		gone := time.Now()
		node.Vanish()
		wantRun(t, o.Wait(run), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 40})
		wantAgain(t, starts, held, gone, 10*time.Second) // the server does not know, but the machine's requests for work have ended
	})
}

// The server takes a machine that has vanished for alive, and gives its open requests what comes meanwhile. In no list of what the
// machine holds is any of that.
func TestWhatIsGivenToADeadMachineRunsElsewhereSoon(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 20, Gossip: true}, func(o *orbittest.Orbit) {
		roots, starts := &orbittest.Starts{}, &orbittest.Starts{}
		o.Script.On("a", roots.Of(orbittest.Sleep(2*time.Second, orbittest.FanOut(30))))
		o.Script.On("b", starts.Of(orbittest.Sleep(40*time.Second, orbittest.Pass)))
		run := o.Run(o.Apply(ones), nil)
		time.Sleep(time.Second)
		left, other := o.Node(0), o.Node(1)
		if len(roots.Running(left.Process)) == 0 {
			left, other = other, left
		}
		gone := time.Now()
		other.Vanish()
		time.Sleep(4 * time.Second)
		if n := len(starts.Running(left.Process)); n == 30 || n == 0 {
			t.Fatalf("%d of 30 items run on the machine that is left; some were to be given to the other", n)
		}
		wantRun(t, o.Wait(run), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 30})
		for _, s := range starts.All() {
			if late := s.At.Sub(gone); late > 12*time.Second && late < 40*time.Second { // then slots come free
				t.Errorf("%s began %s after the machine had gone", s.Item, late)
			}
		}
		if n := len(starts.All()); n != 30 {
			t.Errorf("%d executions of 30 items", n)
		}
	})
}

func TestDrainedNodeIsNotTakenForDead(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 3, Slots: 4, Gossip: true}, func(o *orbittest.Orbit) {
		id := o.Run(slowChain(o, 40, 4*time.Second), nil)
		time.Sleep(6 * time.Second)
		o.DrainNode(0)
		naks := o.Naks()
		time.Sleep(time.Minute)
		if n := naks(); n != 0 {
			t.Errorf("%d bundles were handed back after the node had gone", n)
		}
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 40})
		if n := o.Script.Total(); n != 81 {
			t.Errorf("%d executions of 81 items; a drain repeats nothing", n)
		}
	})
}

func TestNodeThatLosesItsServerForSomeSecondsKeepsItsWork(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 3, Slots: 20, Gossip: true}, func(o *orbittest.Orbit) {
		run, starts := slowSingles(o, 40, 40*time.Second)
		time.Sleep(15 * time.Second)
		naks := o.Naks()
		node, _ := busiest(o, starts)
		node.Unplug() // it answers gossip
		time.Sleep(8 * time.Second)
		node.Heal()
		wantRun(t, o.Wait(run), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 40})
		if n := naks(); n != 0 {
			t.Errorf("%d bundles were handed back", n)
		}
		if n := o.Script.Total(); n != 41 {
			t.Errorf("%d executions of 41 items", n)
		}
	})
}

func TestNodeThatGossipAloneGivesUpKeepsItsWork(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 3, Slots: 20, Gossip: true}, func(o *orbittest.Orbit) {
		run, starts := slowSingles(o, 40, 40*time.Second)
		time.Sleep(15 * time.Second)
		naks := o.Naks()
		node, _ := busiest(o, starts)
		node.CutGossip()
		wantRun(t, o.Wait(run), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 40})
		if n := naks(); n != 0 {
			t.Errorf("%d bundles were handed back", n)
		}
	})
}

func TestServerRestartHandsBackNothing(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 3, Slots: 20, Gossip: true}, func(o *orbittest.Orbit) {
		run, _ := slowSingles(o, 40, 40*time.Second)
		time.Sleep(15 * time.Second)
		naks := o.Naks()
		o.RestartServer(3 * time.Second)
		wantRun(t, o.Wait(run), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 40})
		if n := naks(); n != 0 {
			t.Errorf("%d bundles were handed back", n)
		}
	})
}

func TestNodeThatIsCutOffAndComesBackDoesNoHarm(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 3, Slots: 4, Gossip: true}, func(o *orbittest.Orbit) {
		id := o.Run(slowChain(o, 40, 3*time.Second), nil)
		for i := range 3 {
			time.Sleep(5 * time.Second)
			o.Node(i).Cut()
			time.Sleep(12 * time.Second)
			o.Node(i).Heal()
		}
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "c", map[orbit.ItemState]int{orbit.ItemSucceeded: 40})
	})
}
