package gateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// group is what is open of one satellite, by the kind of reason.
type group struct {
	step  *cluster.Step
	items map[orbit.WhyCode]int
	first map[orbit.WhyCode]*openBundle // that goes on first
	total int
}

// summary tells the main reason of each satellite with open items, the most blocking first, and after them the satellites
// that have none yet. satellite narrows it to one; empty: all.
func (w *whyTeller) summary(satellite string) ([]orbit.WhyReason, error) {
	groups := map[string]*group{}
	for _, b := range w.open {
		s, ok := w.plan.Step(b.step)
		if !ok || satellite != "" && b.step != satellite {
			continue
		}
		g := groups[b.step]
		if g == nil {
			g = &group{s, map[orbit.WhyCode]int{}, map[orbit.WhyCode]*openBundle{}, 0}
			groups[b.step] = g
		}
		code := w.code(s, b)
		g.items[code] += len(b.lineage)
		g.total += len(b.lineage)
		if f := g.first[code]; f == nil || w.due(s, b).Before(w.due(s, f)) {
			g.first[code] = b
		}
	}
	var out []orbit.WhyReason
	for i := range w.plan.Steps {
		s := &w.plan.Steps[i]
		if satellite != "" && s.Identifier != satellite {
			continue
		}
		if g := groups[s.Identifier]; g != nil {
			r, err := w.main(g)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		} else if r, ok := w.depends(s); ok {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b orbit.WhyReason) int {
		return slices.Index(orbit.WhyCodes[:], a.Code) - slices.Index(orbit.WhyCodes[:], b.Code)
	})
	return out, nil
}

// main tells the reason for which most of a group wait.
func (w *whyTeller) main(g *group) (orbit.WhyReason, error) {
	code := orbit.WhyEnded
	for _, c := range orbit.WhyCodes {
		if g.items[c] > g.items[code] {
			code = c
		}
	}
	r, err := w.reason(code, g.step, g.first[code], 0)
	if err != nil || g.total == 1 {
		return r, err
	}
	switch code {
	case orbit.WhyRetry, orbit.WhyDelay, orbit.WhyRunning, orbit.WhyJoin, orbit.WhyQueued:
		if g.items[code] > 1 {
			r.Reason = fmt.Sprintf("the first of them, %s, %s", *r.Item, r.Reason)
		} else {
			r.Reason = fmt.Sprintf("%s %s", *r.Item, r.Reason)
		}
	}
	var others []string
	for _, c := range orbit.WhyCodes {
		if n := g.items[c]; n > 0 && c != code {
			others = append(others, fmt.Sprintf("%d %s", n, c))
		}
	}
	if len(others) > 0 {
		r.Reason += "; the others: " + strings.Join(others, ", ")
	}
	r.Item, r.Items = nil, g.total
	return r, nil
}

// depends tells which satellites a satellite without an item waits for; not ok where none may come any more, or some have come.
func (w *whyTeller) depends(s *cluster.Step) (r orbit.WhyReason, ok bool) {
	if t := w.tally.Steps[s.Identifier]; s.Part != cluster.Main || t != nil && t.Born > 0 {
		return r, false
	}
	at := w.working(s)
	if len(at) == 0 {
		return r, false
	}
	names := make([]string, 0, maxNamed)
	for _, p := range at[:min(len(at), maxNamed)] {
		names = append(names, fmt.Sprintf("%s (%s open)", p.Identifier, plural(w.tally.Steps[p.Identifier].Open(), "item")))
	}
	hint := fmt.Sprintf("`orbit why %s %s` tells what %s waits for", w.doc.ID, at[0].Identifier, at[0].Identifier)
	return orbit.WhyReason{Satellite: s.Identifier, Code: orbit.WhyDependency, Hint: hint,
		Reason: "has no items yet, for they come from what is before it: " + strings.Join(names, ", ")}, true
}

// working gives the nearest satellites above one that have open items.
func (w *whyTeller) working(s *cluster.Step) (at []*cluster.Step) {
	level, seen := []*cluster.Step{s}, map[string]bool{}
	for len(level) > 0 && len(at) == 0 {
		var next []*cluster.Step
		for _, c := range level {
			for _, name := range c.Parents {
				p, ok := w.plan.Step(name)
				if !ok || seen[name] {
					continue
				}
				seen[name] = true
				next = append(next, p)
				if t := w.tally.Steps[name]; t != nil && t.Open() > 0 {
					at = append(at, p)
				}
			}
		}
		level = next
	}
	return at
}

// one tells the reason of the item that is asked for.
func (w *whyTeller) one(item string) (orbit.WhyReason, error) {
	step, lineage, ok := orbit.ParseItemID(item)
	if !ok {
		return orbit.WhyReason{}, badRequest("%q is no item; an item is written like parse-pdf/0.17", item)
	}
	s, ok := w.plan.Step(step)
	if !ok {
		return orbit.WhyReason{}, notFound("run %s has no satellite %s", w.doc.ID, step)
	}
	for _, b := range w.open {
		if i := slices.Index(b.lineage, lineage); b.step == step && i >= 0 {
			if w.doc.State.Terminal() {
				return w.ended(step, &item), nil
			}
			return w.reason(w.code(s, b), s, b, i)
		}
	}
	if w.settled != nil {
		return w.result(item), nil
	}
	if at := w.working(s); len(at) > 0 && !w.doc.State.Terminal() {
		return orbit.WhyReason{Satellite: step, Item: &item, Code: orbit.WhyDependency,
			Reason: fmt.Sprintf("there is no item %s yet, and whether there will be one depends on %s (%s open)", item, at[0].Identifier, plural(w.tally.Steps[at[0].Identifier].Open(), "item")),
			Hint:   fmt.Sprintf("`orbit why %s %s` tells what %s waits for", w.doc.ID, at[0].Identifier, at[0].Identifier)}, nil
	}
	return orbit.WhyReason{}, notFound("run %s has no item %s; `orbit items %s --satellite %s` lists those there are", w.doc.ID, item, w.doc.ID, step)
}
