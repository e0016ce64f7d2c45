package orbittest

import (
	"fmt"
	"slices"

	"github.com/exospherehost/orbit"
)

// kids holds the bundles that a record names against what its results imply: every object once in a bundle of every
// child, every retry once in a retry bundle.
func (c *recount) kids(rec *orbit.Record) {
	var children, retries []orbit.Lineage
	for _, r := range rec.Results {
		if r.State == orbit.ItemRetrying {
			retries = append(retries, r.Lineage)
		}
		for i := range r.Outputs {
			children = append(children, orbit.Lineage(fmt.Sprintf("%s.%d", r.Lineage, i)))
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
		if k.Kind == orbit.KidRetry {
			key = "retry"
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
			want[child] = children
		}
	}
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
			at += k.Count
		}
		if at != len(items) {
			c.fault("bundle %s names %d of %d items of %s", rec.Bundle, at, len(items), key)
		}
		if key == "retry" {
			continue
		}
		for _, l := range items {
			c.born[orbit.ItemID(key, l)] = true
		}
		if !slices.Contains(rec.Born, orbit.Born{Step: key, Items: len(items)}) {
			c.fault("bundle %s gives birth to %d items of %s and says %v", rec.Bundle, len(items), key, rec.Born)
		}
	}
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
