package cluster

import (
	"cmp"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
)

// plan puts the plan of a file without errors together.
func (c *compiler) plan(s *Spec, g *graph) *Plan {
	p := &Plan{Identifier: s.Identifier.Text, Title: s.Title, Description: s.Description, SLA: s.SLA, FailureFrom: s.FailureFrom.Text}
	for _, t := range s.Triggers {
		p.Triggers = append(p.Triggers, t.Trigger)
	}
	for _, secret := range s.Secrets {
		p.Secrets = append(p.Secrets, secret.SecretSource)
	}
	p.Secrets = append(p.Secrets, c.nameSecrets(g)...)
	slices.SortFunc(p.Secrets, func(a, b SecretSource) int { return cmp.Compare(a.Name, b.Name) })
	order := g.topological()
	place := make(map[*node]int, len(order))
	for i, n := range order {
		place[n] = i
	}
	live := g.live()
	p.Steps = make([]Step, len(order))
	for i, n := range order {
		step := &p.Steps[i]
		*step = c.step(n)
		step.Parents, step.Children = names(n.parents, place), names(n.children, place)
		step.Grants = g.grants(n, place)
		step.Live = live[n]
		step.Secrets = secretsOf(step)
	}
	p.index()
	return p
}

// step compiles all of a step that does not depend on others.
func (c *compiler) step(n *node) Step {
	spec := n.Satellite
	s := Step{
		Identifier: n.Identifier.Text, Name: n.Name, Uses: spec.Name, Part: n.Part,
		Depth: n.depth, Pool: cmp.Or(spec.Pool, orbit.CorePool), Resources: resources(spec.Resources, n.Resources),
		Join: n.join, Retries: n.Retries, Timeout: cmp.Or(n.Timeout, orbit.Duration(spec.Timeout)), Delay: n.Delay,
		Concurrency: n.Concurrency, RateLimit: n.RateLimit, Config: n.Config.template(), Input: n.Input.template(),
		PrimaryText: spec.PrimaryText, BundleHint: max(spec.BundleHint, 1), Class: "cpu",
	}
	if n.If != nil {
		s.If = n.If.Source
	}
	if c.options.Classes != nil {
		s.Class, _ = c.options.Classes(s.Resources) // hardware has told what no class fits
	}
	return s
}

// resources are the satellite's, but where the step says otherwise. A class by name takes the place of all amounts.
func resources(base, own orbit.Resources) orbit.Resources {
	if own.Class != "" {
		return orbit.Resources{Class: own.Class, Model: cmp.Or(own.Model, base.Model)}
	}
	return orbit.Resources{
		GPUMemory: cmp.Or(own.GPUMemory, base.GPUMemory), CPU: cmp.Or(own.CPU, base.CPU),
		Memory: cmp.Or(own.Memory, base.Memory), Model: cmp.Or(own.Model, base.Model), Class: base.Class,
	}
}

// names gives the identifiers of steps in the plan's order.
func names(nodes []*node, place map[*node]int) []string {
	sorted := slices.Clone(nodes)
	slices.SortFunc(sorted, func(a, b *node) int { return cmp.Compare(place[a], place[b]) })
	out := make([]string, 0, len(nodes))
	for _, n := range sorted {
		out = append(out, n.Identifier.Text)
	}
	return out
}

// grants lists the secrets that a step borrows from the ancestors that gave it files, the nearest first.
func (g *graph) grants(n *node, place map[*node]int) []Grant {
	if !n.Satellite.ReadsFiles {
		return nil
	}
	distance := map[*node]int{}
	queue := []*node{n}
	distance[n] = 0
	walk := func() {
		for len(queue) > 0 {
			at := queue[0]
			queue = queue[1:]
			for _, p := range at.parents {
				if _, seen := distance[p]; !seen {
					distance[p] = distance[at] + 1
					queue = append(queue, p)
				}
			}
		}
	}
	walk()
	if n.Part == Failure && g.from != nil { // beyond its own part lie the ancestors of the satellite that failed
		beyond := len(g.nodes)
		for _, p := range g.from.parents {
			distance[p] = beyond
			queue = append(queue, p)
		}
		walk()
	}
	var lenders []*node
	for a := range distance {
		if a != n && a.Satellite.GivesFiles {
			lenders = append(lenders, a)
		}
	}
	slices.SortFunc(lenders, func(a, b *node) int {
		return cmp.Or(cmp.Compare(distance[a], distance[b]), cmp.Compare(place[a], place[b]))
	})
	var out []Grant
	for _, a := range lenders {
		if t := lendable(a.Config.Get("secrets")); t != nil {
			out = append(out, Grant{Step: a.Identifier.Text, Secrets: t})
		}
	}
	return out
}

// lendable compiles the part of config.secrets that reads nothing but secrets; nil where there is none.
func lendable(v *Value) *Template {
	if v == nil || !v.isMap {
		return nil
	}
	own := &Value{Pos: v.Pos, isMap: true}
	for _, f := range v.Fields {
		fits := true
		f.Value.each(nil, func(_ []string, p *Piece) {
			p.Expr.walk(func(e *Expr) { fits = fits && (e.Path == nil || e.Path.Root == "secrets") })
		})
		if fits {
			own.Fields = append(own.Fields, f)
		}
	}
	if len(own.Fields) == 0 {
		return nil
	}
	return own.template()
}

// secretsOf lists the secrets that a step needs opened, sorted.
func secretsOf(s *Step) []string {
	var out []string
	add := func(e *Expr) {
		if e.Path != nil && e.Path.Root == "secrets" && len(e.Path.Segments) > 0 {
			out = append(out, e.Path.Segments[0].Name)
		}
	}
	s.Config.Walk(add)
	s.Input.Walk(add)
	for _, g := range s.Grants {
		g.Secrets.Walk(add)
	}
	slices.SortFunc(out, strings.Compare)
	return slices.Compact(out)
}
