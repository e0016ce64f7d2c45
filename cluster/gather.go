package cluster

import (
	"errors"
	"fmt"
	"slices"

	"github.com/exospherehost/orbit"
)

// gatherBatch is the number of records that a gathering asks for at once.
const gatherBatch = 256

// Records reads the records of a run's bundles, in the order asked for. A missing one is ErrNotCommitted.
type Records func(bundles []string) ([]*Committed, error)

// ErrNotCommitted says that a bundle has no record.
var ErrNotCommitted = errors.New("the bundle has no record")

// Gather walks the ledger for what an item sees beside the object that made it, and calls emit for each object of each of the
// step's live values, in lineage order: one object of a step in the item's lineage, all objects of a step that a join lies
// between. The payload is not in the ledger; it is left out.
//
// It begins at the root and needs nothing but ids that follow from the plan and from records, so everyone who gathers gets
// the same, however often. Everything it reads is committed once the item is born, and for a join once it is released.
func (p *Plan) Gather(s *Step, run string, round int, at orbit.Lineage, records Records, blobs Blobs, emit func(live int, o orbit.Object) error) error {
	g := &gathering{plan: p, run: run, round: round, records: records, blobs: blobs}
	for i, l := range s.Live {
		if l.Step == Payload {
			continue
		}
		step, ok := p.Step(l.Step)
		if !ok {
			return fmt.Errorf("the plan has no step %s", l.Step)
		}
		g.emit = func(v orbit.Value) error {
			v, err := prune(v, l.Fields, blobs)
			if err != nil {
				return err
			}
			o, err := Load(v, blobs)
			if err != nil {
				return err
			}
			return emit(i, o)
		}
		var err error
		if l.Many {
			err = g.all(s, at, step)
		} else {
			err = g.one(step, at.Prefix(step.Depth+1))
		}
		if err != nil {
			return fmt.Errorf("gather %s for %s: %w", l.Step, orbit.ItemID(s.Identifier, at), err)
		}
	}
	return nil
}

// Incoming finds the object that made an item, given the bundle whose record, or whose retry's, names the item's.
func (p *Plan) Incoming(s *Step, parent string, at orbit.Lineage, records Records, blobs Blobs) (orbit.Object, error) {
	g := &gathering{plan: p, records: records, blobs: blobs}
	for {
		recs, err := records([]string{parent})
		if err != nil {
			return nil, err
		}
		rec := recs[0]
		if parent = rec.Parent; rec.Step == s.Identifier { // the item's own, of an attempt or a round before
			continue
		}
		i, err := rec.result(at.Parent())
		if err != nil {
			return nil, err
		}
		ordinal, err := at.Last()
		if err != nil {
			return nil, err
		}
		var made orbit.Object
		g.emit = func(v orbit.Value) error {
			made = v.Object
			return nil
		}
		return made, g.outputs(rec, rec.first[i]+ordinal, rec.first[i]+ordinal+1)
	}
}

// gathering is the walk for one live value.
type gathering struct {
	plan    *Plan
	run     string
	round   int
	records Records
	blobs   Blobs
	emit    func(orbit.Value) error
}

// all gives every object of a step below the scope object of the nearest join that counts the step: the join itself, or one
// in its lineage.
func (g *gathering) all(join *Step, at orbit.Lineage, step *Step) error {
	for join.Join == nil || !slices.Contains(join.Join.Members, step.Identifier) {
		if join = g.plan.above(join); join == nil {
			return fmt.Errorf("no join lies between")
		}
	}
	scope := g.plan.above(join)
	var path []*Step // from below the scope to the step
	for s := step; s != scope; s = g.plan.above(s) {
		if s == nil {
			return fmt.Errorf("%s is not below the scope of %s", step.Identifier, join.Identifier)
		}
		path = append(path, s)
	}
	slices.Reverse(path)
	if scope == nil {
		recs, err := g.records([]string{g.first(path[0])})
		if err != nil {
			return err
		}
		return g.items(recs[0], 0, len(recs[0].Results), path)
	}
	rec, i, ordinal, err := g.object(scope, at.Prefix(join.Depth))
	if err != nil {
		return err
	}
	return g.below(rec, rec.first[i]+ordinal, rec.first[i]+ordinal+1, path)
}

// one gives a single object, by the lineage of the items that it becomes.
func (g *gathering) one(step *Step, lineage orbit.Lineage) error {
	rec, i, ordinal, err := g.object(step, lineage)
	if err != nil {
		return err
	}
	return g.outputs(rec, rec.first[i]+ordinal, rec.first[i]+ordinal+1)
}

// first is the bundle of a step whose item no object of the run made.
func (g *gathering) first(s *Step) string {
	if s.Join != nil {
		return orbit.JoinBundleID(s.Identifier, g.run, orbit.RootLineage)
	}
	return orbit.BundleID(s.Identifier, g.run, 0)
}

// object finds the object of a step that has a lineage.
func (g *gathering) object(s *Step, lineage orbit.Lineage) (rec *Committed, result, ordinal int, err error) {
	if rec, result, err = g.item(s, lineage.Prefix(s.Depth)); err != nil {
		return nil, 0, 0, err
	}
	if ordinal, err = lineage.Last(); err == nil && ordinal >= rec.Results[result].Outputs {
		err = fmt.Errorf("%s has no object %d", orbit.ItemID(s.Identifier, rec.Results[result].Lineage), ordinal)
	}
	return rec, result, ordinal, err
}

// item finds the result with which an item has ended.
func (g *gathering) item(s *Step, lineage orbit.Lineage) (*Committed, int, error) {
	bundle := ""
	parent := g.plan.above(s)
	switch {
	case s.Part == Logs && parent == nil:
		bundle = orbit.LogBundleID(s.Identifier, g.run, lineage)
	case parent == nil:
		bundle = g.first(s)
	case s.Join != nil:
		bundle = orbit.JoinBundleID(s.Identifier, g.run, lineage)
	default:
		rec, i, ordinal, err := g.object(parent, lineage)
		if err != nil {
			return nil, 0, err
		}
		n, _, err := rec.covering(s.Identifier, rec.first[i]+ordinal)
		if err != nil {
			return nil, 0, err
		}
		bundle = orbit.BundleID(s.Identifier, rec.Bundle, n)
	}
	recs, err := g.records([]string{bundle})
	if err != nil {
		return nil, 0, err
	}
	i, err := recs[0].result(lineage)
	if err != nil {
		return nil, 0, err
	}
	return g.ended(recs[0], i)
}

// ended follows an item's retries, and the rounds that did it again, to the result with which it ended.
func (g *gathering) ended(rec *Committed, i int) (*Committed, int, error) {
	lineage, step := rec.Results[i].Lineage, rec.Step
	next := func(bundle string) error {
		recs, err := g.records([]string{bundle})
		if err != nil {
			return err
		}
		rec = recs[0]
		i, err = rec.result(lineage)
		return err
	}
	for round := 1; ; {
		for rec.Results[i].State == orbit.ItemRetrying {
			bundle, err := rec.retryOf(i)
			if err == nil {
				err = next(bundle)
			}
			if err != nil {
				return nil, 0, err
			}
		}
		if round++; rec.Results[i].State != orbit.ItemFailed || round > g.round {
			return rec, i, nil
		}
		if err := next(orbit.RoundBundleID(step, g.run, lineage, round)); err != nil && !errors.Is(err, ErrNotCommitted) {
			return nil, 0, err
		}
	}
}

// below walks from a range of a record's objects down the path.
func (g *gathering) below(rec *Committed, from, to int, path []*Step) error {
	step := path[0]
	for from < to {
		var bundles []string
		var parts [][2]int // of each bundle, which of its items
		for from < to && len(bundles) < gatherBatch {
			if step.Join != nil { // each object has an item in a bundle of its own
				bundles = append(bundles, orbit.JoinBundleID(step.Identifier, g.run, rec.lineage(from)))
				parts = append(parts, [2]int{0, 1})
				from++
				continue
			}
			n, first, err := rec.covering(step.Identifier, from)
			if err != nil {
				return err
			}
			end := rec.first[len(rec.first)-1]
			if kids := rec.kids[step.Identifier]; n+1 < len(kids) {
				end = int(kids[n+1])
			}
			end = min(end, to)
			bundles = append(bundles, orbit.BundleID(step.Identifier, rec.Bundle, n))
			parts = append(parts, [2]int{from - first, end - first})
			from = end
		}
		recs, err := g.records(bundles)
		if err != nil {
			return err
		}
		for i, r := range recs {
			if err := g.items(r, parts[i][0], parts[i][1], path); err != nil {
				return err
			}
		}
	}
	return nil
}

// items walks on from a range of a record's items, which are those of the path's first step.
func (g *gathering) items(rec *Committed, from, to int, path []*Step) error {
	if to > len(rec.Results) {
		return fmt.Errorf("the record of bundle %s has %d items, and its parent's record names %d", rec.Bundle, len(rec.Results), to)
	}
	for from < to {
		if g.open(&rec.Results[from]) {
			last, i, err := g.ended(rec, from)
			if err != nil {
				return err
			}
			if err := g.objects(last, last.first[i], last.first[i+1], path); err != nil {
				return err
			}
			from++
			continue
		}
		end := from + 1
		for end < to && !g.open(&rec.Results[end]) {
			end++
		}
		if err := g.objects(rec, rec.first[from], rec.first[end], path); err != nil {
			return err
		}
		from = end
	}
	return nil
}

// open tells whether an item may have ended with another result than this.
func (g *gathering) open(r *orbit.Result) bool {
	return r.State == orbit.ItemRetrying || r.State == orbit.ItemFailed && g.round > 1
}

// objects gives a range of a record's objects where they are the path's last, and else what lies below them.
func (g *gathering) objects(rec *Committed, from, to int, path []*Step) error {
	switch {
	case from == to:
		return nil
	case len(path) == 1:
		return g.outputs(rec, from, to)
	}
	return g.below(rec, from, to, path[1:])
}

// outputs gives a range of a record's objects.
func (g *gathering) outputs(rec *Committed, from, to int) error {
	out := newOutputs(rec.Record, g.blobs)
	if err := out.seek(from); err != nil {
		return err
	}
	for range to - from {
		v, _, _, err := out.next()
		if err != nil {
			return err
		}
		if v.Ref != nil { // it lies in the chunk at hand
			v = orbit.Value{Object: orbit.Object(out.long)}
		}
		if err := g.emit(v); err != nil {
			return err
		}
	}
	return nil
}

// above is the next step in a lineage: the parent, or a join's scope; nil at the top.
func (p *Plan) above(s *Step) *Step {
	name := ""
	switch {
	case s.Join != nil:
		name = s.Join.Scope
	case len(s.Parents) > 0:
		name = s.Parents[0]
	}
	above, _ := p.Step(name) // RunScope is no step's
	return above
}
