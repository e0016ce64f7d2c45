package cluster

import (
	"github.com/exospherehost/orbit"
)

// HeldBundle is a bundle that a record names and that nodes do not publish. Its items are bare.
type HeldBundle struct {
	Step   *Step
	Bundle orbit.Bundle
	Due    int64 // not before, Unix milliseconds
}

// EachHeld calls f for the held bundles of a record, in its order; n counts those of their step. like gives what all bundles
// of the run have in common.
func (p *Plan) EachHeld(rec *orbit.Record, blobs Blobs, like orbit.Bundle, f func(n int, h HeldBundle) error) error {
	c, err := NewCommitted(rec, blobs)
	if err != nil {
		return err
	}
	count := map[string]int{}
	return EachKid(rec, blobs, func(k orbit.Kid) error {
		s, ok := p.Step(k.Step)
		if !ok || k.Kind == orbit.KidRetry || !s.Held() {
			return nil
		}
		h := HeldBundle{Step: s, Bundle: like, Due: k.Due}
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
