package cluster

import (
	"slices"

	"github.com/exospherehost/orbit"
)

// wiring is what the plan's graph implies for counting; it is derived once and never stored.
type wiring struct {
	scoped  map[string][]*Step // joins by their scope: one item of each is born with every object of the scope
	leads   map[string][]*lead // joins that count a step's items
	starts  map[string]bool    // steps whose failure starts the failure steps
	firsts  []*Step            // failure steps that no edge enters
	logs    []*Step            // log steps that no edge enters
	members map[string]map[string]bool
	births  map[string]int  // members of a join that its scope object becomes
	holds   map[string]bool // steps whose records name bundles that the leader publishes
}

// lead says what a settled item of a step means to a join above which it lies.
type lead struct {
	join   *Step
	depth  int  // of the scope object in the item's lineage
	each   int  // members that each object of the item becomes: children, and inner joins that are born with them
	parent bool // the step is a parent of the join
}

// wire derives the wiring.
func (p *Plan) wire() *wiring {
	w := &wiring{scoped: map[string][]*Step{}, leads: map[string][]*lead{}, starts: map[string]bool{}, firsts: p.Firsts(Failure), logs: p.Firsts(Logs), members: map[string]map[string]bool{}, births: map[string]int{}, holds: map[string]bool{}}
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Join == nil {
			continue
		}
		w.scoped[s.Join.Scope] = append(w.scoped[s.Join.Scope], s)
		set := make(map[string]bool, len(s.Join.Members))
		for _, m := range s.Join.Members {
			set[m] = true
		}
		w.members[s.Identifier] = set
	}
	for i := range p.Steps {
		j := &p.Steps[i]
		if j.Join == nil {
			continue
		}
		w.births[j.Identifier] = p.members(w, j.Join.Scope, j)
		depth := 1
		if scope, ok := p.Step(j.Join.Scope); ok {
			depth = scope.Depth + 1
		}
		for _, m := range j.Join.Members {
			w.leads[m] = append(w.leads[m], &lead{join: j, depth: depth, each: p.members(w, m, j), parent: slices.Contains(j.Parents, m)})
		}
	}
	below := map[string]bool{p.FailureFrom: true}
	for i := range p.Steps { // a parent stands before its children
		s := &p.Steps[i]
		starts := p.FailureFrom == "" || below[s.Identifier] || slices.ContainsFunc(s.Parents, func(parent string) bool { return below[parent] })
		below[s.Identifier] = starts
		w.starts[s.Identifier] = starts && s.Part == Main
		w.holds[s.Identifier] = w.starts[s.Identifier] && slices.ContainsFunc(w.firsts, (*Step).Held)
	}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.Join == nil && s.Held() {
			for _, parent := range s.Parents {
				w.holds[parent] = true
			}
		}
	}
	return w
}

// members counts what one object of a step becomes that counts for a join: its children that lead there, and the inner joins
// that are born with it. scope is the step, or RunScope: then the object is the run.
func (p *Plan) members(w *wiring, scope string, j *Step) int {
	n := 0
	for i := range p.Steps {
		s := &p.Steps[i]
		if !w.members[j.Identifier][s.Identifier] {
			continue
		}
		switch {
		case s.Join != nil:
			if s.Join.Scope == scope {
				n++
			}
		case scope == RunScope && len(s.Parents) == 0, slices.Contains(s.Parents, scope):
			n++
		}
	}
	return n
}

// Births tells what committed items of a step give birth to: for each of their objects an item of each child and of each join
// scoped on the step, and for each item that has failed for good the first failure steps. It is what a record says in
// Born and FailureItems.
func (p *Plan) Births(s *Step, objects, failed int) (born []orbit.Born, failureItems int) {
	w := p.wiring()
	if objects > 0 {
		for i := range p.Steps {
			c := &p.Steps[i]
			if c.Join == nil && slices.Contains(c.Parents, s.Identifier) || c.Join != nil && c.Join.Scope == s.Identifier {
				born = append(born, orbit.Born{Step: c.Identifier, Items: objects})
			}
		}
	}
	if w.starts[s.Identifier] {
		failureItems = failed * len(w.firsts)
	}
	return born, failureItems
}

// JoinsOf gives the joins of which one item is born with every object of a step, or with the run (RunScope).
func (p *Plan) JoinsOf(scope string) []*Step { return p.wiring().scoped[scope] }

// NeedsResults tells whether folding a record of the step takes its results and the bundles that it names: joins count its
// items one by one, and held steps need what is to be published.
func (p *Plan) NeedsResults(step string) bool {
	w := p.wiring()
	return len(w.leads[step]) > 0 || len(w.scoped[step]) > 0 || w.holds[step]
}

// Holds tells whether records of the step name bundles that the leader publishes.
func (p *Plan) Holds(step string) bool { return p.wiring().holds[step] }
