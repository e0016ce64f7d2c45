package cluster_test

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// The oracle says what becomes of a run by the words of the language alone: slow, without a notion of order or time. What
// is fast is checked against it.

// result is what executing an item comes to.
type result struct {
	State    orbit.ItemState // succeeded or failed; of an item, also skipped
	Objects  int             // of a succeeded one
	Setbacks int             // attempts that its surroundings spoil before that
}

// behaviour says what executing an item comes to. It is asked only about items that are executed, and answers the same
// each time. A failure item has the lineage of the item that failed, and ordinals below it.
type behaviour func(step string, l orbit.Lineage) result

// outcome is what became of a run.
type outcome struct {
	Items    work            // of the main steps
	Failures map[string]work // of the failure steps, by the id of the main item whose failure started them
	Verdict  orbit.RunState
}

// work is a set of items: step, lineage, what became of it. Steps without items may be missing.
type work map[string]map[orbit.Lineage]item

// item is what became of one item.
type item struct {
	result
	Attempts  int                        // 0: it was not executed
	ByMembers bool                       // a join that was not executed: it failed because of the items below its scope object
	Input     map[string][]orbit.Lineage // of a join that was executed: for each parent, the lineages of its objects, in order
}

// interpret says what becomes of a run of the plan.
func interpret(p *cluster.Plan, behave behaviour) *outcome {
	o := &outcome{
		Items:    (&reading{plan: p, part: cluster.Main, start: orbit.RootLineage, behave: behave}).all(),
		Failures: map[string]work{},
		Verdict:  orbit.RunSucceeded,
	}
	failed, leaf := false, false
	for name, items := range o.Items {
		s, _ := p.Step(name)
		for l, it := range items {
			leaf = leaf || it.State == orbit.ItemSucceeded && len(s.Children) == 0
			if it.State != orbit.ItemFailed {
				continue
			}
			failed = true
			if p.FailureFrom == "" || p.FailureFrom == name || descends(p, name, p.FailureFrom) {
				if chain := (&reading{plan: p, part: cluster.Failure, start: l, failed: name, behave: behave}).all(); len(chain) > 0 {
					o.Failures[orbit.ItemID(name, l)] = chain
				}
			}
		}
	}
	switch {
	case failed && leaf:
		o.Verdict = orbit.RunPartial
	case failed:
		o.Verdict = orbit.RunFailed
	}
	return o
}

// descends tells whether edges lead from the ancestor down to the step.
func descends(p *cluster.Plan, step, ancestor string) bool {
	s, _ := p.Step(step)
	return slices.ContainsFunc(s.Parents, func(parent string) bool { return parent == ancestor || descends(p, parent, ancestor) })
}

// reading is the interpretation of one part: of the main steps once a run, of the failure steps once for each item that
// starts them.
type reading struct {
	plan   *cluster.Plan
	part   cluster.Part
	start  orbit.Lineage // of the roots, and of joins at scope run
	failed string        // of failure steps: the satellite whose item has failed
	behave behaviour
	items  work
}

// all gives the items of all steps, a parent's before its children's.
func (r *reading) all() work {
	r.items = work{}
	for i := range r.plan.Steps {
		if s := &r.plan.Steps[i]; s.Part == r.part {
			r.items[s.Identifier] = r.itemsOf(s)
		}
	}
	return r.items
}

func (r *reading) itemsOf(s *cluster.Step) map[orbit.Lineage]item {
	items := map[orbit.Lineage]item{}
	switch {
	case s.Join != nil: // one for each object of the scope, or one
		between := r.between(s)
		for _, scopeObject := range r.scopeObjects(s) {
			items[scopeObject] = r.join(s, scopeObject, between)
		}
	case len(s.Parents) == 0: // one
		items[r.start] = r.item(s, r.start)
	default: // one for each object of the parent
		for _, object := range r.objects(s.Parents[0]) {
			items[object] = r.item(s, object)
		}
	}
	return items
}

// item says what becomes of an item that nothing keeps from being executed but its condition: where its surroundings spoil an
// attempt there is another, as long as it has retries.
func (r *reading) item(s *cluster.Step, l orbit.Lineage) item {
	if !r.holds(s, l) {
		return item{result: result{State: orbit.ItemSkipped}}
	}
	is := r.behave(s.Identifier, l)
	if is.Setbacks > s.Retries.Max {
		return item{result: result{State: orbit.ItemFailed}, Attempts: 1 + s.Retries.Max}
	}
	return item{result: is, Attempts: is.Setbacks + 1}
}

// objects gives the lineages of all objects that the items of a step returned, in order.
func (r *reading) objects(step string) []orbit.Lineage {
	var out []orbit.Lineage
	for l, it := range r.items[step] {
		if it.State == orbit.ItemSucceeded {
			for ordinal := range it.Objects {
				out = append(out, l.Child(ordinal))
			}
		}
	}
	slices.SortFunc(out, orbit.Lineage.Compare)
	return out
}

func (r *reading) scopeObjects(join *cluster.Step) []orbit.Lineage {
	if join.Join.Scope == "run" {
		return []orbit.Lineage{r.start}
	}
	return r.objects(join.Join.Scope)
}

// between lists the steps that lie between a join's scope and the join.
func (r *reading) between(join *cluster.Step) []string {
	var out []string
	for step := range r.items {
		if descends(r.plan, join.Identifier, step) && (join.Join.Scope == "run" || descends(r.plan, step, join.Join.Scope)) {
			out = append(out, step)
		}
	}
	return out
}

// join says what becomes of the join of one scope object.
func (r *reading) join(s *cluster.Step, scopeObject orbit.Lineage, between []string) item {
	below := func(l orbit.Lineage) bool {
		return s.Join.Scope == "run" || l == scopeObject || strings.HasPrefix(string(l), string(scopeObject)+".")
	}
	succeeded, failed := 0, 0 // of the parents; anywhere between scope object and join
	for _, step := range between {
		for l, it := range r.items[step] {
			switch {
			case !below(l):
			case it.State == orbit.ItemFailed:
				failed++
			case it.State == orbit.ItemSucceeded && slices.Contains(s.Parents, step):
				succeeded++
			}
		}
	}
	if !passes(s.Join, succeeded, failed) {
		return item{result: result{State: orbit.ItemFailed}, ByMembers: true}
	}
	is := r.item(s, scopeObject)
	if is.State == orbit.ItemSkipped {
		return is
	}
	is.Input = map[string][]orbit.Lineage{}
	for _, parent := range s.Parents {
		is.Input[parent] = nil
		for _, object := range r.objects(parent) {
			if below(object) { // of the scope itself, it is the scope object alone
				is.Input[parent] = append(is.Input[parent], object)
			}
		}
	}
	return is
}

// passes tells whether a join is executed.
func passes(j *cluster.Join, succeeded, failed int) bool {
	switch {
	case j.Strategy == "all-success":
		return failed == 0
	case succeeded+failed == 0: // 0 of 0, also where a count is asked for
		return true
	case j.MinCount > 0:
		return succeeded >= j.MinCount
	}
	wanted, _ := new(big.Rat).SetString(strconv.FormatFloat(j.MinPercent, 'f', -1, 64)) // as it is written in the file
	return big.NewRat(100*int64(succeeded), int64(succeeded+failed)).Cmp(wanted) >= 0
}
