package gateway

import (
	"fmt"
	"slices"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

// pending adds what records name and what has no record yet: children and retries that wait or run.
func (l *itemLister) pending(skip int) (next string, err error) {
	type open struct {
		step    string
		parent  string
		state   orbit.ItemState
		lineage []orbit.Lineage
		attempt []int
		errs    []*orbit.Error
	}
	named := map[string]*open{}
	done := map[string]bool{}
	var order []string
	for _, s := range l.plan.Roots() {
		b := orbit.BundleID(s.Identifier, l.doc.ID, 0)
		named[b] = &open{step: s.Identifier, parent: l.doc.ID, state: orbit.ItemWaiting, lineage: []orbit.Lineage{orbit.RootLineage}, attempt: []int{0}, errs: []*orbit.Error{nil}}
		order = append(order, b)
	}
	wait := func(id, step, parent string, at orbit.Lineage) {
		if !done[id] && (l.satellite == "" || l.satellite == step) {
			named[id] = &open{step: step, parent: parent, state: orbit.ItemWaiting, lineage: []orbit.Lineage{at}, attempt: []int{0}, errs: []*orbit.Error{nil}}
			order = append(order, id)
		}
	}
	joins := func(scope string, at orbit.Lineage) {
		for _, j := range l.plan.JoinsOf(scope) {
			wait(orbit.JoinBundleID(j.Identifier, l.doc.ID, at), j.Identifier, l.doc.ID, at)
		}
	}
	joins(cluster.RunScope, orbit.RootLineage)
	err = l.ledger.each(l.ctx, 1, func(m streams.Stored) error {
		rec, err := orbit.DecodeRecord(m.Data)
		if err != nil {
			return err
		}
		done[rec.Bundle] = true
		delete(named, rec.Bundle)
		if rec.Step == orbit.LogsStep {
			m, err := rec.LogMarker()
			for _, s := range l.plan.LogFirsts() {
				wait(orbit.LogBundleID(s.Identifier, l.doc.ID, m.Lineage()), s.Identifier, l.doc.ID, m.Lineage())
			}
			return err
		}
		born := newBirths(rec)
		if len(l.plan.JoinsOf(rec.Step)) > 0 {
			for _, at := range born.lineages(0, born.first[len(rec.Results)]) {
				joins(rec.Step, at)
			}
		}
		return cluster.EachKid(rec, l.g.blobs(l.ctx), func(k orbit.Kid) error {
			o := &open{step: k.Step, state: orbit.ItemWaiting, parent: rec.Bundle}
			id := orbit.BundleID(k.Step, rec.Bundle, k.Ordinal)
			switch k.Kind {
			case orbit.KidChild:
				if l.satellite != "" && k.Step != l.satellite || done[id] {
					return nil
				}
				o.lineage = born.lineages(k.First, k.Count)
				o.attempt, o.errs = make([]int, k.Count), make([]*orbit.Error, k.Count)
			case orbit.KidRetry:
				id = orbit.RetryBundleID(rec.Step, rec.Bundle, k.Ordinal)
				if l.satellite != "" && k.Step != l.satellite || done[id] {
					return nil
				}
				o.state, o.parent = orbit.ItemRetrying, rec.Parent
				at := 0
				for i := range rec.Results {
					if res := &rec.Results[i]; res.State == orbit.ItemRetrying {
						if at >= k.First && at < k.First+k.Count {
							o.lineage, o.attempt, o.errs = append(o.lineage, res.Lineage), append(o.attempt, res.Attempt), append(o.errs, res.Error)
						}
						at++
					}
				}
			case orbit.KidFailure:
				at := rec.Results[k.First].Lineage
				wait(orbit.FailureBundleID(k.Step, rec.Bundle, orbit.ItemID(rec.Step, at)), k.Step, rec.Bundle, at)
				return nil
			}
			named[id] = o
			order = append(order, id)
			return nil
		})
	})
	if err != nil {
		return "", err
	}
	for _, f := range l.round.again {
		wait(orbit.RoundBundleID(f.Step, l.doc.ID, f.Lineage, l.doc.Round), f.Step, f.Bundle, f.Lineage)
	}
	running := l.g.nodes.runningBundles(l.doc.ID)
	at := 0
	for _, id := range order {
		o := named[id]
		if o == nil || l.satellite != "" && o.step != l.satellite {
			continue
		}
		node, held := running[id]
		state := o.state
		switch {
		case l.doc.State == orbit.RunCancelled:
			state, node = orbit.ItemCancelled, ""
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
				Node: node, Error: o.errs[i], Outputs: []orbit.Object{}}
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
