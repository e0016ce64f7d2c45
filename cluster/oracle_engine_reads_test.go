package cluster_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// holds resolves the condition of a step by what an item brings along.
func (m *mill) holds(step *cluster.Step, it *orbit.Item) bool {
	if step.If == "" {
		return true
	}
	e, err := cluster.ParseExpr(step.If)
	if err != nil {
		panic(err)
	}
	v, err := (&cluster.Template{Expr: e}).Resolve(&cluster.Scope{Plan: m.plan, Failure: step.Part == cluster.Failure, Output: func(name string) (any, error) {
		if name == step.Feeder() {
			return it.Value.Object.Value()
		}
		i := slices.IndexFunc(step.Live, func(l cluster.Live) bool { return l.Step == name })
		return it.Live[i].Object.Value()
	}})
	if err != nil {
		panic(fmt.Sprintf("%s: %v", orbit.ItemID(step.Identifier, it.Lineage), err))
	}
	return v.(bool)
}

// carried reads what a join's item carries from what is committed: the one object of its scope and of those above, and lists
// of what lies before a join.
func (m *mill) carried(join *cluster.Step, at orbit.Lineage) []orbit.Value {
	live := make([]orbit.Value, len(join.Live))
	for i, l := range join.Live {
		if l.Step == cluster.Payload {
			continue
		}
		var v any
		if of, _ := m.plan.Step(l.Step); l.Many {
			v = m.list(join, of.Identifier, at)
		} else {
			v = map[string]any{"pages": number(at.Prefix(of.Depth + 1))}
		}
		live[i] = orbit.Value{Object: orbit.MustObject(v)}
	}
	return live
}

// list reads the objects of a step below the scope object of the join, it or one that is in its lineage, whose member it is.
func (m *mill) list(join *cluster.Step, of string, at orbit.Lineage) []any {
	for join.Join == nil || !slices.Contains(join.Join.Members, of) {
		above := join.Feeder()
		if join.Join != nil {
			above = join.Join.Scope
		}
		join, _ = m.plan.Step(above)
	}
	depth := 0
	if scope, ok := m.plan.Step(join.Join.Scope); ok {
		depth = scope.Depth + 1
	}
	list := []any{}
	for _, o := range m.objects(of) {
		if depth == 0 || o.Prefix(depth) == at.Prefix(depth) {
			list = append(list, map[string]any{"pages": number(o)})
		}
	}
	return list
}

// objects lists what the items of a step have returned, in order.
func (m *mill) objects(step string) (out []orbit.Lineage) {
	for l, it := range m.out.Items[step] {
		for n := range it.Objects {
			out = append(out, l.Child(n))
		}
	}
	slices.SortFunc(out, orbit.Lineage.Compare)
	return out
}

// gather lists the objects of a join's parents below its scope object, as far as they are committed.
func (m *mill) gather(join *cluster.Step, at orbit.Lineage) map[string][]orbit.Lineage {
	in := map[string][]orbit.Lineage{}
	for _, parent := range join.Parents {
		in[parent] = nil
		for _, o := range m.objects(parent) {
			if join.Join.Scope == cluster.RunScope || o == at || strings.HasPrefix(string(o), string(at)+".") {
				in[parent] = append(in[parent], o)
			}
		}
	}
	return in
}
