package cluster

import (
	"github.com/exospherehost/orbit"
)

// BareBundle is a child or failure bundle that a record names, with bare items.
type BareBundle struct {
	Step   *Step
	Bundle orbit.Bundle
	Due    int64 // not before, Unix milliseconds
}

// EachBare calls f for the child and failure bundles that a record names, of steps that are held (nodes do not publish
// them) or of all others, in the order of the record; n counts those of their step. like gives what all bundles of the run have
// in common.
func (p *Plan) EachBare(rec *orbit.Record, held bool, blobs Blobs, like orbit.Bundle, f func(n int, h BareBundle) error) error {
	c, err := NewCommitted(rec, blobs)
	if err != nil {
		return err
	}
	count := map[string]int{}
	return EachKid(rec, blobs, func(k orbit.Kid) error {
		s, ok := p.Step(k.Step)
		if !ok || k.Kind == orbit.KidRetry || s.Held() != held {
			return nil
		}
		h := BareBundle{Step: s, Bundle: like, Due: k.Due}
		b := &h.Bundle
		b.Run, b.Step, b.Parent, b.Ordinal = rec.Run, k.Step, rec.Bundle, k.Ordinal
		if k.Kind == orbit.KidFailure {
			at := rec.Results[k.First].Lineage
			b.ID = orbit.FailureBundleID(k.Step, rec.Bundle, orbit.ItemID(rec.Step, at))
			b.Items = []orbit.Item{{Lineage: at, Bare: true}}
		} else {
			b.ID = orbit.BundleID(k.Step, rec.Bundle, k.Ordinal)
			for i := range k.Count {
				b.Items = append(b.Items, orbit.Item{Lineage: c.lineage(k.First + i), Bare: true})
			}
		}
		n := count[k.Step]
		count[k.Step]++
		return f(n, h)
	})
}
