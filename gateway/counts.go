package gateway

import (
	"fmt"
	"maps"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// satellites counts the items of a run by step and state. running is the number of items that nodes hold, by step.
func satellites(p *cluster.Plan, t *cluster.Tally, running map[string]int) []orbit.RunSatellite {
	out := make([]orbit.RunSatellite, 0, len(p.Steps))
	for i := range p.Steps {
		st := &p.Steps[i]
		var items orbit.ItemCounts // in the order of orbit.ItemStates
		var used orbit.Usage
		if c := t.Steps[st.Identifier]; c != nil {
			open := c.Open()
			runs := min(running[st.Identifier], open)
			retrying := min(c.Retrying, open-runs)
			items = orbit.ItemCounts{open - runs - retrying, runs, retrying, c.Succeeded, c.Failed, c.Skipped, 0}
			used = maps.Clone(c.Usage)
		}
		out = append(out, orbit.RunSatellite{Identifier: st.Identifier, Uses: st.Uses, Part: string(st.Part), Class: st.Class, Items: items, Usage: used})
	}
	return out
}

// failures counts the items that failed for good, without those of failure and log steps.
func failures(p *cluster.Plan, t *cluster.Tally) int {
	n := 0
	for i := range p.Steps {
		if c := t.Steps[p.Steps[i].Identifier]; c != nil && p.Steps[i].Part == cluster.Main {
			n += c.Failed
		}
	}
	return n
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
