package orbittest

import (
	"fmt"
	"slices"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// kids holds the bundles that a record names against what its results imply: every object once in a bundle of every
// child, every retry once in a retry bundle.
func (c *recount) kids(rec *orbit.Record) {
	var children, retries, failed []orbit.Lineage
	for _, r := range rec.Results {
		switch r.State {
		case orbit.ItemRetrying:
			retries = append(retries, r.Lineage)
		case orbit.ItemFailed:
			failed = append(failed, r.Lineage)
		}
		for i := range r.Outputs {
			l := orbit.Lineage(fmt.Sprintf("%s.%d", r.Lineage, i))
			children = append(children, l)
			c.joins(rec.Step, l)
		}
	}
	kids, err := c.kidsOf(rec)
	if err != nil {
		c.fault("the bundles that bundle %s names: %v", rec.Bundle, err)
		return
	}
	of := map[string][]orbit.Kid{}
	for _, k := range kids {
		key := k.Step
		switch k.Kind {
		case orbit.KidRetry:
			key = "retry"
		case orbit.KidFailure:
			key = "failure " + k.Step
		}
		of[key] = append(of[key], k)
	}
	want := map[string][]orbit.Lineage{}
	if len(retries) > 0 {
		want["retry"] = retries
	}
	if step, ok := c.plan.Step(rec.Step); !ok {
		c.fault("the plan has no step %s", rec.Step)
	} else if len(children) > 0 {
		for _, child := range step.Children {
			if s, _ := c.plan.Step(child); s != nil && s.Join == nil {
				want[child] = children
			}
		}
	}
	c.failures(rec, failed, of)
	for key := range of {
		if _, ok := want[key]; !ok {
			c.fault("bundle %s names bundles of %s that nothing implies", rec.Bundle, key)
		}
	}
	for key, items := range want {
		at := 0
		for i, k := range of[key] {
			if k.First != at || k.Ordinal != i || k.Count < 1 || at+k.Count > len(items) {
				c.fault("bundle %s: bundle %d of %s begins at %d with %d items; %d were due next", rec.Bundle, k.Ordinal, key, k.First, k.Count, at)
				return
			}
			id, step := orbit.BundleID(key, rec.Bundle, k.Ordinal), key
			if key == "retry" {
				id, step = orbit.RetryBundleID(rec.Step, rec.Bundle, k.Ordinal), rec.Step
			}
			c.name(id, named{step, rec.Bundle, items[at : at+k.Count]})
			if from := c.origin[rec.Bundle]; from != "" {
				c.origin[id] = from
			}
			at += k.Count
		}
		if at != len(items) {
			c.fault("bundle %s names %d of %d items of %s", rec.Bundle, at, len(items), key)
		}
		if key == "retry" {
			continue
		}
		for _, l := range items {
			item := orbit.ItemID(key, l)
			if from := c.origin[rec.Bundle]; from != "" {
				item += " for " + from
			}
			c.born[item] = true
		}
		if !slices.Contains(rec.Born, orbit.Born{Step: key, Items: len(items)}) {
			c.fault("bundle %s gives birth to %d items of %s and says %v", rec.Bundle, len(items), key, rec.Born)
		}
	}
}

// failures holds the bundles that a record names for its failed items against those that must be: one of each failure step
// that no edge enters, where a failure of the step starts them.
func (c *recount) failures(rec *orbit.Record, failed []orbit.Lineage, of map[string][]orbit.Kid) {
	starts := false
	if step, ok := c.plan.Step(rec.Step); ok && step.Part == cluster.Main {
		starts = c.plan.FailureFrom == "" || c.below(c.plan.FailureFrom)[rec.Step]
	}
	items := 0
	for i := range c.plan.Steps {
		s := &c.plan.Steps[i]
		if s.Part != cluster.Failure || len(s.Parents) > 0 {
			continue
		}
		kids := of["failure "+s.Identifier]
		delete(of, "failure "+s.Identifier)
		if !starts {
			if len(kids) > 0 {
				c.fault("bundle %s of %s starts failure steps, which begin at %s", rec.Bundle, rec.Step, c.plan.FailureFrom)
			}
			continue
		}
		if len(kids) != len(failed) {
			c.fault("%d items of bundle %s failed, and it names %d bundles of %s", len(failed), rec.Bundle, len(kids), s.Identifier)
			continue
		}
		for n, k := range kids {
			from := orbit.ItemID(rec.Step, failed[n])
			if k.Count != 1 || k.First < 0 || k.First >= len(rec.Results) || rec.Results[k.First].Lineage != failed[n] {
				c.fault("bundle %s names a bundle of %s for its result %d; %s failed", rec.Bundle, s.Identifier, k.First, from)
			}
			id := orbit.FailureBundleID(s.Identifier, rec.Bundle, from)
			c.name(id, named{s.Identifier, rec.Bundle, failed[n : n+1]})
			c.origin[id] = fmt.Sprintf("%s in round %d", from, c.rounds)
			c.born[c.item(id, s.Identifier, failed[n])] = true
			items++
		}
	}
	if rec.FailureItems != items {
		c.fault("bundle %s starts %d failure items and says %d", rec.Bundle, items, rec.FailureItems)
	}
}

// below gives a step and all that descend from it in the graph.
func (c *recount) below(from string) map[string]bool {
	in := map[string]bool{from: true}
	for range c.plan.Steps { // as many rounds as a path can be long
		for i := range c.plan.Steps {
			for _, p := range c.plan.Steps[i].Parents {
				in[c.plan.Steps[i].Identifier] = in[c.plan.Steps[i].Identifier] || in[p]
			}
		}
	}
	return in
}

func (c *recount) kidsOf(rec *orbit.Record) ([]orbit.Kid, error) {
	if rec.Kids.Chunks == nil {
		return orbit.DecodeKids(rec.Kids.Inline)
	}
	var all []orbit.Kid
	for _, chunk := range rec.Kids.Chunks {
		data, err := c.blobs(chunk.Blob)
		if err != nil {
			return nil, err
		}
		kids, err := orbit.DecodeKids(data)
		if err != nil {
			return nil, err
		}
		all = append(all, kids...)
	}
	return all, nil
}
