package gateway

import (
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/streams"
)

// openBundle is a bundle of a run that has no record yet.
type openBundle struct {
	id      string
	step    string
	parent  string          // bundle
	state   orbit.ItemState // waiting or retrying: the ledger does not know what runs
	due     time.Time       // not before; zero: at once
	unnamed bool            // no record names it: of a join, or of an item that the round does again
	lineage []orbit.Lineage // of its items, as are the next two
	attempt []int           // made so far
	errs    []*orbit.Error  // of the last one
}

// openBundles reads from the ledger what is open of the run, in the order in which records name it; then what the latest round
// does again. Every record is shown to seen, too.
func (l *itemLister) openBundles(seen func(streams.Stored, *orbit.Record) error) (open []*openBundle, err error) {
	named := map[string]*openBundle{}
	done := map[string]bool{}
	var order []string
	add := func(o *openBundle) {
		if !done[o.id] && named[o.id] == nil && (l.satellite == "" || l.satellite == o.step) {
			named[o.id] = o
			order = append(order, o.id)
		}
	}
	single := func(id, step, parent string, at orbit.Lineage) *openBundle {
		return &openBundle{id: id, step: step, parent: parent, state: orbit.ItemWaiting, lineage: []orbit.Lineage{at}, attempt: []int{0}, errs: []*orbit.Error{nil}}
	}
	joins := func(scope string, at orbit.Lineage) {
		for _, j := range l.plan.JoinsOf(scope) {
			o := single(orbit.JoinBundleID(j.Identifier, l.doc.ID, at), j.Identifier, l.doc.ID, at)
			o.unnamed = true
			add(o)
		}
	}
	for _, s := range l.plan.Roots() {
		o := single(orbit.BundleID(s.Identifier, l.doc.ID, 0), s.Identifier, l.doc.ID, orbit.RootLineage)
		if s.Delay > 0 {
			o.due = l.doc.CreatedAt.Add(time.Duration(s.Delay))
		}
		add(o)
	}
	joins(cluster.RunScope, orbit.RootLineage)
	err = l.ledger.each(l.ctx, 1, func(m streams.Stored) error {
		rec, err := orbit.DecodeRecord(m.Data)
		if err != nil {
			return err
		}
		if err := seen(m, rec); err != nil {
			return err
		}
		if rec.Step == orbit.RetryStep {
			return nil
		}
		done[rec.Bundle] = true
		delete(named, rec.Bundle)
		if rec.Step == orbit.LogsStep {
			cut, err := rec.LogMarker()
			for _, s := range l.plan.LogFirsts() {
				add(single(orbit.LogBundleID(s.Identifier, l.doc.ID, cut.Lineage()), s.Identifier, l.doc.ID, cut.Lineage()))
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
			o := &openBundle{id: orbit.BundleID(k.Step, rec.Bundle, k.Ordinal), step: k.Step, state: orbit.ItemWaiting, parent: rec.Bundle}
			switch k.Kind {
			case orbit.KidChild:
				o.lineage = born.lineages(k.First, k.Count)
				o.attempt, o.errs = make([]int, k.Count), make([]*orbit.Error, k.Count)
			case orbit.KidRetry:
				o.id, o.state, o.parent = orbit.RetryBundleID(rec.Step, rec.Bundle, k.Ordinal), orbit.ItemRetrying, rec.Parent
				o.retries(rec, k)
			case orbit.KidFailure:
				at := rec.Results[k.First].Lineage
				o = single(orbit.FailureBundleID(k.Step, rec.Bundle, orbit.ItemID(rec.Step, at)), k.Step, rec.Bundle, at)
			}
			if k.Due > 0 {
				o.due = time.UnixMilli(k.Due).UTC()
			}
			add(o)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	for _, f := range l.round.again {
		o := single(orbit.RoundBundleID(f.Step, l.doc.ID, f.Lineage, l.doc.Round), f.Step, f.Bundle, f.Lineage)
		o.unnamed = true
		add(o)
	}
	for _, id := range order {
		if o := named[id]; o != nil {
			open = append(open, o)
		}
	}
	return open, nil
}

// retries takes the items of a retry bundle over from the record that names it.
func (o *openBundle) retries(rec *orbit.Record, k orbit.Kid) {
	at := 0
	for i := range rec.Results {
		res := &rec.Results[i]
		if res.State != orbit.ItemRetrying {
			continue
		}
		if at >= k.First && at < k.First+k.Count {
			o.lineage, o.attempt, o.errs = append(o.lineage, res.Lineage), append(o.attempt, res.Attempt), append(o.errs, res.Error)
		}
		at++
	}
}
