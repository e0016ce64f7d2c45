package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// TestRandomClustersCompileAsMeant: the compiler finds the edges, the scopes and the depths that the words of the
// language give.
func TestRandomClustersCompileAsMeant(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := randomCluster().Draw(rt, "cluster")
		r := compile(c.text())
		if r.Plan == nil {
			rt.Fatalf("it does not compile:\n%s\n%s", told(r.Diagnostics), c.text())
		}
		if err := fakeEditor().look(t, c.text()); err != nil {
			rt.Fatalf("an editor marks what compiles: %v\n%s", err, c.text())
		}
		for _, s := range append(c.main, c.failure...) {
			got, _ := r.Plan.Step(s.id)
			if diff := cmp.Diff(s.compiled(), compiledStep(r.Plan, got)); diff != "" {
				rt.Fatalf("%s: %s\n%s", s.id, diff, c.text())
			}
		}
	})
}

// TestRandomRunsAreOfAllSorts: what is checked with them is checked for all that the language has.
func TestRandomRunsAreOfAllSorts(t *testing.T) {
	seen := map[string]int{}
	for i := range 200 {
		c := randomCluster().Example(i)
		for _, s := range append(c.main, c.failure...) {
			for _, what := range append(s.sorts(), s.condition()) {
				seen[what]++
			}
		}
		r := compile(c.text())
		o := interpret(r.Plan, seeded(uint64(i)))
		seen["run: "+string(o.Verdict)]++
		seen["start of failure steps"] += len(o.Failures)
		o.Items.each(func(step string, _ orbit.Lineage, it item) {
			seen["item: "+string(it.State)]++
			s, _ := r.Plan.Step(step)
			switch {
			case it.ByMembers:
				seen["join failed by members"]++
			case s.Join != nil && it.State == orbit.ItemSkipped:
				seen["join skipped"]++
			case it.Attempts > 1:
				seen["item: "+string(it.State)+" after retries"]++
			}
		})
	}
	for _, what := range []string{"root", "chain", "join at run", "join of one parent", "join of a join", "join in a join", "scope is a parent", "scope is a join",
		"all-done", "all-done 95%", "all-done 2", "all-success", "run: succeeded", "run: partial", "run: failed", "start of failure steps",
		"item: succeeded", "item: failed", "item: skipped", "join failed by members", "join skipped", "item: succeeded after retries", "item: failed after retries",
		"if of a constant", "if of an object", "if of a length", "if of a list", "if of what failed"} {
		if seen[what] < 5 {
			t.Errorf("only %d of the sort %s", seen[what], what)
		}
	}
	t.Log(seen)
}

// compiled tells what a plan must say of the step.
func (s *drawnStep) compiled() string {
	parents := map[string]bool{}
	for _, p := range s.parents {
		parents[p.id] = true
	}
	join := ""
	if s.joins {
		join = fmt.Sprint(" ", s.scopeName(), " ", strings.TrimSpace(strings.TrimPrefix(s.strategy, "all-success")+" "+s.amount))
	}
	return fmt.Sprintf("%v depth %d%s", parents, s.depth(), join)
}

func compiledStep(p *cluster.Plan, s *cluster.Step) string {
	parents := map[string]bool{}
	for _, name := range s.Parents {
		parents[name] = true
	}
	join := ""
	if j := s.Join; j != nil {
		amount := ""
		if j.MinPercent > 0 {
			amount = fmt.Sprintf("%v%%", j.MinPercent)
		} else if j.MinCount > 0 {
			amount = fmt.Sprint(j.MinCount)
		}
		join = fmt.Sprint(" ", j.Scope, " ", strings.TrimSpace(strings.TrimPrefix(j.Strategy, "all-success")+" "+amount))
	}
	return fmt.Sprintf("%v depth %d%s", parents, s.Depth, join)
}

// depth is the number of ordinals in the lineage of the step's items.
func (s *drawnStep) depth() int { return len(s.lineage()) }

// sorts names what the step is an example of.
func (s *drawnStep) sorts() []string {
	if len(s.parents) == 0 {
		return []string{"root"}
	}
	if !s.joins {
		return []string{"chain"}
	}
	out := []string{strings.TrimSpace(s.strategy + " " + s.amount)}
	if s.scope == nil {
		out = append(out, "join at run")
	} else if s.scope.joins {
		out = append(out, "scope is a join")
	}
	if len(s.parents) == 1 {
		out = append(out, "join of one parent")
	}
	for _, p := range s.parents {
		if p == s.scope {
			out = append(out, "scope is a parent")
		}
		if p.joins && p != s.scope {
			out = append(out, "join of a join")
			if p.scope != s.scope {
				out = append(out, "join in a join")
			}
		}
	}
	return out
}

// condition names what the step's condition is about.
func (s *drawnStep) condition() string {
	for _, form := range [][2]string{{"length", "a length"}, {"contains", "a list"}, {"satellites", "an object"}, {"failure", "what failed"}, {"true", "a constant"}, {"false", "a constant"}} {
		if strings.HasPrefix(strings.TrimPrefix(s.cond, "!("), form[0]) {
			return "if of " + form[1]
		}
	}
	return "no condition"
}

// TestTheOracleKeepsThePromises: what a plan's numbers say of every run holds for the oracle, whatever happens.
func TestTheOracleKeepsThePromises(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := randomCluster().Draw(rt, "cluster")
		plan := compile(c.text()).Plan
		o := interpret(plan, seeded(randomSeed().Draw(rt, "behaviour")))
		o.Items.each(func(step string, l orbit.Lineage, it item) {
			s, _ := plan.Step(step)
			if l.Depth() != s.Depth {
				rt.Errorf("%s/%s has another depth than %d", step, l, s.Depth)
			}
			if !it.State.Terminal() || it.ByMembers && s.Join == nil || (it.Input != nil) != (s.Join != nil && it.Attempts > 0) ||
				(it.Attempts > 0) != (it.State != orbit.ItemSkipped && !it.ByMembers) || it.Attempts > 1+s.Retries.Max {
				rt.Errorf("%s/%s: %s", step, l, it)
			}
		})
		for _, s := range plan.Steps {
			want := 1
			switch {
			case s.Part != cluster.Main:
				continue
			case s.Join != nil && s.Join.Scope != "run":
				want = o.Items.objects(s.Join.Scope)
			case s.Join == nil && len(s.Parents) == 1:
				want = o.Items.objects(s.Parents[0])
			}
			if got := len(o.Items[s.Identifier]); got != want {
				rt.Errorf("%s has %d items, not %d", s.Identifier, got, want)
			}
		}
		if rt.Failed() {
			rt.Log(c.text())
		}
	})
}

// objects counts what the items of a step returned.
func (w work) objects(step string) int {
	n := 0
	for _, it := range w[step] {
		n += it.Objects
	}
	return n
}

// engineFunc is an engine.
type engineFunc func(*cluster.Plan, behaviour) *outcome

func (f engineFunc) run(p *cluster.Plan, b behaviour) *outcome { return f(p, b) }

// TestTheComparisonFindsAWrongEngine: the oracle agrees with nothing that reads a plan otherwise or forgets something.
func TestTheComparisonFindsAWrongEngine(t *testing.T) {
	for name, e := range wrongEngines() {
		t.Run(name, func(t *testing.T) {
			for i := range 500 {
				if disagreement(e, randomCluster().Example(i), uint64(i)) != "" {
					t.Log("found by cluster", i)
					return
				}
			}
			t.Error("no random cluster shows it")
		})
	}
}

func wrongEngines() map[string]engineFunc {
	misreads := func(change func(*cluster.Plan, *cluster.Step)) engineFunc {
		return func(p *cluster.Plan, b behaviour) (o *outcome) {
			p, err := cluster.ParsePlan(p.Encode())
			if err != nil {
				panic(err)
			}
			defer func() {
				if recover() != nil { // a condition reads what is above it no longer
					o = &outcome{}
				}
			}()
			for i := range p.Steps {
				change(p, &p.Steps[i])
			}
			return interpret(p, b)
		}
	}
	eachJoin := func(change func(*cluster.Step)) engineFunc {
		return misreads(func(_ *cluster.Plan, s *cluster.Step) {
			if s.Join != nil {
				change(s)
			}
		})
	}
	changes := func(change func(o *outcome, id string, it *item)) engineFunc {
		return func(p *cluster.Plan, b behaviour) *outcome {
			o := interpret(p, b)
			o.Items.each(func(step string, l orbit.Lineage, it item) {
				change(o, orbit.ItemID(step, l), &it)
				o.Items[step][l] = it
			})
			return o
		}
	}
	return map[string]engineFunc{
		"every join wants all to succeed": eachJoin(func(s *cluster.Step) { s.Join.Strategy = "all-success" }),
		"no join wants all to succeed":    eachJoin(func(s *cluster.Step) { s.Join.Strategy = "all-done" }),
		"every join is of the run":        eachJoin(func(s *cluster.Step) { s.Join.Scope = "run" }),
		"shares are not looked at":        eachJoin(func(s *cluster.Step) { s.Join.MinPercent = 0 }),
		"counts are not looked at":        eachJoin(func(s *cluster.Step) { s.Join.MinCount = 0 }),
		"joins are not joins":             eachJoin(func(s *cluster.Step) { s.Join = nil }),
		"a join takes its first parent":   eachJoin(func(s *cluster.Step) { s.Parents = s.Parents[:1] }),
		"conditions are not looked at":    misreads(func(_ *cluster.Plan, s *cluster.Step) { s.If = "" }),
		"conditions are read the other way": misreads(func(_ *cluster.Plan, s *cluster.Step) {
			if s.If != "" {
				s.If = "!(" + s.If + ")"
			}
		}),
		"nothing is retried":            misreads(func(_ *cluster.Plan, s *cluster.Step) { s.Retries.Max = 0 }),
		"all is retried once too often": misreads(func(_ *cluster.Plan, s *cluster.Step) { s.Retries.Max++ }),
		"failure.from is not looked at": misreads(func(p *cluster.Plan, _ *cluster.Step) { p.FailureFrom = "" }),
		"failure steps are left out": misreads(func(_ *cluster.Plan, s *cluster.Step) {
			if s.Part == cluster.Failure {
				s.Part = cluster.Logs
			}
		}),
		"joins that fail by members start no failure steps": changes(func(o *outcome, id string, it *item) {
			if it.ByMembers {
				delete(o.Failures, id)
			}
		}),
		"lists are in the order of letters": changes(func(_ *outcome, _ string, it *item) {
			for _, list := range it.Input {
				slices.Sort(list)
			}
		}),
		"a join that fails does not say why": changes(func(_ *outcome, _ string, it *item) { it.ByMembers = false }),
		"a run that is partial has failed": changes(func(o *outcome, _ string, _ *item) {
			if o.Verdict == orbit.RunPartial {
				o.Verdict = orbit.RunFailed
			}
		}),
	}
}
