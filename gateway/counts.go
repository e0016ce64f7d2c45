package gateway

import (
	"fmt"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// satellites counts the items of a run by step and state. running is the number of items that nodes hold, by step.
func satellites(p *cluster.Plan, t *cluster.Tally, running map[string]int) []orbit.RunSatellite {
	out := make([]orbit.RunSatellite, 0, len(p.Steps))
	for i := range p.Steps {
		st := &p.Steps[i]
		items := make(map[orbit.ItemState]int, len(orbit.ItemStates))
		for _, state := range orbit.ItemStates {
			items[state] = 0
		}
		if c := t.Steps[st.Identifier]; c != nil {
			open := c.Open()
			items[orbit.ItemSucceeded], items[orbit.ItemFailed], items[orbit.ItemSkipped] = c.Succeeded, c.Failed, c.Skipped
			items[orbit.ItemRunning] = min(running[st.Identifier], open)
			items[orbit.ItemRetrying] = min(c.Retrying, open-items[orbit.ItemRunning])
			items[orbit.ItemWaiting] = open - items[orbit.ItemRunning] - items[orbit.ItemRetrying]
		}
		out = append(out, orbit.RunSatellite{Identifier: st.Identifier, Uses: st.Uses, Part: string(st.Part), Class: st.Class, Items: items})
	}
	return out
}

func failures(t *cluster.Tally) int {
	n := 0
	for _, c := range t.Steps {
		n += c.Failed
	}
	return n
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
