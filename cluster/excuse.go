package cluster

import (
	"cmp"
	"slices"
)

// allUntold stands for more satellites than a file can name.
const allUntold = maxNodes

// excuse picks the unknown identifiers that are taken to be those of satellites whose own could not be told: as many as
// there are of these, and those that are least like any that is known. To call them unknown too would tell one mistake twice;
// the others are mistakes of their own.
func (c *compiler) excuse(s *Spec, g *graph) map[string]bool {
	if c.untold == 0 {
		return nil
	}
	unknown := unknownIdentifiers(s, g)
	if len(unknown) > c.untold {
		ids := g.identifiers(Main, Failure, Logs)
		distance := make(map[string]int, len(unknown))
		for _, name := range unknown {
			distance[name] = farOff
			if c.compared += len(ids); c.compared <= maxCompared {
				_, distance[name] = nearestBy(name, ids)
			}
		}
		slices.SortStableFunc(unknown, func(a, b string) int { return cmp.Compare(distance[b], distance[a]) })
		unknown = unknown[:c.untold]
	}
	excused := make(map[string]bool, len(unknown))
	for _, name := range unknown {
		excused[name] = true
	}
	return excused
}

// unknownIdentifiers lists those that edges, joins and expressions name and no satellite has, each once.
func unknownIdentifiers(s *Spec, g *graph) []string {
	var out []string
	seen := map[string]bool{"": true, RunScope: true}
	note := func(name string) {
		if !seen[name] && g.byID[name] == nil {
			out = append(out, name)
		}
		seen[name] = true
	}
	path := func(e *Expr) {
		if e.Path != nil {
			note(e.Path.Step)
		}
	}
	value := func(_ []string, p *Piece) { p.Expr.walk(path) }
	for _, step := range s.Steps {
		for _, w := range slices.Concat(step.Parents, step.Children) {
			note(w.Text)
		}
		if step.Unites != nil {
			note(step.Unites.Identifier.Text)
		}
		if step.If != nil {
			step.If.Expr.walk(path)
		}
		step.Config.each(nil, value)
		step.Input.each(nil, value)
	}
	note(s.FailureFrom.Text)
	return out
}
