package gateway

import (
	"fmt"
	"slices"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// pending adds what records name and what has no record yet: children and retries that wait or run.
func (l *itemLister) pending(skip int) (next string, err error) {
	open, err := l.openBundles(func(streams.Stored, *orbit.Record) error { return nil })
	if err != nil {
		return "", err
	}
	running := l.g.nodes.runningBundles(l.doc.ID)
	at := 0
	for _, o := range open {
		state := o.state
		by, held := running[o.id]
		switch {
		case l.doc.State == orbit.RunCancelled:
			state, by = orbit.ItemCancelled, holding{}
		case held:
			state = orbit.ItemRunning
		}
		if l.state != "" && state != l.state {
			continue
		}
		for i := range o.lineage {
			if at++; at <= skip {
				continue
			}
			if l.left == 0 {
				return fmt.Sprintf("p%d", at-1), nil
			}
			l.left--
			doc := orbit.ItemDoc{ID: orbit.ItemID(o.step, o.lineage[i]), Satellite: o.step, Lineage: o.lineage[i], State: state, Attempts: o.attempt[i],
				Node: by.node, Error: o.errs[i], Outputs: []orbit.Object{}}
			if doc.Input, err = l.input(o.step, o.parent, o.lineage[i]); err != nil {
				return "", err
			}
			l.out = append(l.out, doc)
		}
	}
	return "", nil
}

// births tells the lineages of a record's objects without reading the objects.
type births struct {
	rec   *orbit.Record
	first []int // index of each result's first object
}

func newBirths(rec *orbit.Record) *births {
	b := &births{rec: rec, first: make([]int, len(rec.Results)+1)}
	for i := range rec.Results {
		b.first[i+1] = b.first[i] + rec.Results[i].Outputs
	}
	return b
}

func (b *births) lineages(first, count int) []orbit.Lineage {
	out := make([]orbit.Lineage, 0, count)
	at, _ := slices.BinarySearch(b.first, first+1)
	at--
	for i := first; i < first+count; i++ {
		for at < len(b.rec.Results) && i >= b.first[at+1] {
			at++
		}
		if at < 0 || at >= len(b.rec.Results) {
			break
		}
		out = append(out, b.rec.Results[at].Lineage.Child(i-b.first[at]))
	}
	return out
}
