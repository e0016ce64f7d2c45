package cluster_test

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// drawnCluster is a random cluster, as it is meant to be compiled.
type drawnCluster struct {
	main, failure []*drawnStep // as they stand in the file
	from          string
}

// drawnStep is a step of one. Its edges stand in the parents of this step, in the children of the other, or in both.
type drawnStep struct {
	id       string
	kind     string // how the satellite is used, from its name to its input
	parents  []*drawnStep
	up, down []string // what the file says of its edges
	implicit bool     // follows the step before it in the file, which nothing says
	unites   string   // in the file; empty: not there
	scope    *drawnStep
	strategy string
	amount   string // of min-success
	joins    bool
	cond     string // of if; empty: none
	retries  string // empty: not there
}

// lineage lists the steps in whose lineage s is, by the words of the language: itself, then its parent's, or where it is
// a join its scope's.
func (s *drawnStep) lineage() []*drawnStep {
	switch {
	case s.joins && s.scope == nil, len(s.parents) == 0:
		return []*drawnStep{s}
	case s.joins:
		return append([]*drawnStep{s}, s.scope.lineage()...)
	}
	return append([]*drawnStep{s}, s.parents[0].lineage()...)
}

// common lists the steps in the lineage of every parent, the nearest first.
func (s *drawnStep) common() []*drawnStep {
	out := s.parents[0].lineage()
	for _, p := range s.parents[1:] {
		other := p.lineage()
		out = slices.DeleteFunc(out, func(a *drawnStep) bool { return !slices.Contains(other, a) })
	}
	return out
}

// scopeName is the scope as a plan names it.
func (s *drawnStep) scopeName() string {
	if s.scope == nil {
		return "run"
	}
	return s.scope.id
}

// above tells whether edges lead from a down to s.
func (s *drawnStep) above(a *drawnStep) bool {
	return slices.ContainsFunc(s.parents, func(p *drawnStep) bool { return p == a || p.above(a) })
}

// randomCluster draws clusters that compile: with several roots, chains, fan-out, and joins of all sorts.
func randomCluster() *rapid.Generator[*drawnCluster] {
	return rapid.Custom(func(t *rapid.T) *drawnCluster {
		c := &drawnCluster{main: randomSteps(t, "s", 1+evenly(t, 12, "main steps"))}
		c.failure = randomSteps(t, "f", evenly(t, 5, "failure steps"))
		if len(c.failure) > 0 && rapid.Bool().Draw(t, "has from") {
			c.from = rapid.SampledFrom(c.main).Draw(t, "from").id
		}
		return c
	})
}

func randomSteps(t *rapid.T, prefix string, count int) []*drawnStep {
	var steps []*drawnStep
	for i := range count {
		s := &drawnStep{id: fmt.Sprint(prefix, i), kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
		s.parents = randomParents(t, steps)
		if prefix == "f" { // failure steps cannot be joined
			s.parents = s.parents[:min(len(s.parents), 1)]
		} else {
			randomJoin(t, s)
		}
		if len(s.parents) > 0 && evenly(t, 6, "reads") == 5 {
			above := slices.DeleteFunc(slices.Clone(steps), func(a *drawnStep) bool { return !s.above(a) })
			s.kind = fmt.Sprintf("uses: exospherehost/jq, config: {query: .}, input: {x: \"${{ satellites.%s.output.x? }}\"}", rapid.SampledFrom(above).Draw(t, "read").id)
		}
		if evenly(t, 5, "has a condition") == 4 {
			s.cond = randomCondition(t, s, steps)
		}
		if rapid.Bool().Draw(t, "has retries") {
			s.retries = fmt.Sprint(evenly(t, 4, "retries"))
		}
		steps = append(steps, s)
	}
	if count > 1 && rapid.Bool().Draw(t, "in another order") {
		steps = rapid.Permutation(steps).Draw(t, "order")
	}
	for i, s := range steps {
		randomEdges(t, s, steps[max(i-1, 0)])
	}
	return steps
}

// kinds are uses of satellites of the test catalog that need nothing else.
var kinds = []string{
	"uses: exospherehost/jq, config: {query: .}",
	"uses: satellite/exospherehost/parse-pdf",
	"uses: exospherehost/move-file",
	"uses: exospherehost/call-webhook, config: {url: http://x}",
	"uses: exospherehost/gemma, input: {prompt: x}",
}

// randomParents draws none (a root), one, or several of the steps so far.
func randomParents(t *rapid.T, steps []*drawnStep) []*drawnStep {
	if len(steps) == 0 {
		return nil
	}
	count := min(len(steps), []int{1, 1, 1, 1, 2, 2, 2, 3, 0}[evenly(t, 9, "parents")])
	var parents []*drawnStep
	for len(parents) < count {
		back := 1 + evenly(t, len(steps), "parent")
		if rapid.Bool().Draw(t, "near") {
			back = min(back, 3)
		}
		p := steps[len(steps)-back]
		for slices.Contains(parents, p) { // the next one round
			p = steps[(slices.Index(steps, p)+1)%len(steps)]
		}
		parents = append(parents, p)
	}
	return parents
}

// randomJoin makes a join of a step with several parents, and of some with one.
func randomJoin(t *rapid.T, s *drawnStep) {
	s.joins = len(s.parents) > 1 || len(s.parents) == 1 && evenly(t, 4, "unites") == 3
	if !s.joins {
		return
	}
	scopes := s.common()
	if len(scopes) > 0 {
		s.scope = scopes[0]
	}
	if len(s.parents) == 1 || rapid.Bool().Draw(t, "names its scope") {
		scopes = append(scopes, nil) // the run
		s.scope = scopes[evenly(t, len(scopes), "scope")]
		s.unites = "identifier: " + s.scopeName()
	}
	s.strategy = []string{"", "all-success", "all-done", "all-done"}[evenly(t, 4, "strategy")]
	if s.strategy == "all-done" {
		s.amount = amounts[evenly(t, len(amounts), "min-success")]
	}
	for _, f := range [][2]string{{"strategy", s.strategy}, {"min-success", s.amount}} {
		if f[1] != "" {
			s.unites += ", " + f[0] + ": " + f[1]
		}
	}
	s.unites = strings.TrimPrefix(s.unites, ", ")
}

// randomCondition draws one about the objects of a step above: the one in the lineage, or the list where a join lies between;
// of a failure step, also about what has failed.
func randomCondition(t *rapid.T, s *drawnStep, steps []*drawnStep) string {
	cond := rapid.SampledFrom([]string{"true", "!(false)", "!(false)"}).Draw(t, "constant")
	above := slices.DeleteFunc(slices.Clone(steps), func(a *drawnStep) bool { return !s.above(a) })
	n := evenly(t, 4, "number")
	switch {
	case s.id[0] == 'f' && rapid.Bool().Draw(t, "about what failed"):
		cond = fmt.Sprintf("failure.satellite == 's%d'", n)
	case len(above) > 0:
		a := rapid.SampledFrom(above).Draw(t, "read by the condition")
		cond = fmt.Sprintf("satellites.%s.output.pages > %d", a.id, n)
		if !slices.Contains(s.lineage(), a) {
			cond = []string{fmt.Sprintf("length(satellites.%s.output) > %d", a.id, n), fmt.Sprintf("contains(satellites.%s.output.pages, %d)", a.id, n)}[evenly(t, 2, "form")]
		}
	}
	if rapid.Bool().Draw(t, "not") {
		cond = "!(" + cond + ")"
	}
	return cond
}

// amounts of min-success.
var amounts = []string{"", "", "50%", "95%", "29%", "33.3%", "66.7%", "100%", "1", "2", "5"}

// randomEdges draws where the file says what the parents of a step are; before is the step before it in the file.
func randomEdges(t *rapid.T, s, before *drawnStep) {
	if s.implicit = len(s.parents) == 1 && s.parents[0] == before && rapid.Bool().Draw(t, "implicit"); s.implicit {
		return
	}
	for _, p := range s.parents {
		where := evenly(t, 3, "edge")
		if where <= 1 {
			s.up = append(s.up, p.id)
		}
		if where >= 1 {
			p.down = append(p.down, s.id)
		}
	}
}

// GoString is the file, for the report of a draw.
func (c *drawnCluster) GoString() string { return "\n" + c.text() }

// text is the file.
func (c *drawnCluster) text() string {
	var b strings.Builder
	b.WriteString(head)
	for i, s := range c.main {
		b.WriteString("    - " + s.text(i == 0))
	}
	if len(c.failure) > 0 {
		b.WriteString("  failure:\n")
		if c.from != "" {
			b.WriteString("    from: " + c.from + "\n")
		}
		b.WriteString("    satellites:\n")
		for i, s := range c.failure {
			b.WriteString("      - " + s.text(i == 0))
		}
	}
	return b.String()
}

func (s *drawnStep) text(first bool) string {
	text := "identifier: " + s.id + ", " + s.kind
	if len(s.up) > 0 || len(s.parents) == 0 && !first {
		text += ", parents: [" + strings.Join(s.up, ", ") + "]"
	}
	if len(s.down) > 0 {
		text += ", children: [" + strings.Join(s.down, ", ") + "]"
	}
	if s.unites != "" {
		text += ", unites: {" + s.unites + "}"
	}
	if s.cond != "" {
		text += ", if: \"${{ " + s.cond + " }}\""
	}
	if s.retries != "" {
		text += ", retries: " + s.retries
	}
	return "{" + text + "}\n"
}

// evenly draws a number below n; rapid's own ranges prefer the small ones.
func evenly(t *rapid.T, n int, label string) int {
	return rapid.Custom(func(t *rapid.T) int {
		v := 0
		for bit := 1; bit < 4*n; bit *= 2 {
			if v *= 2; rapid.Bool().Draw(t, "bit") {
				v++
			}
		}
		return v % n
	}).Draw(t, label)
}
