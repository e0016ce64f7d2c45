package cluster_test

import (
	"fmt"
	"slices"

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

// carried reads what a join's item carries from what is committed.
func (m *mill) carried(join *cluster.Step, at orbit.Lineage) []orbit.Value {
	live, lists := make([]orbit.Value, len(join.Live)), make([][]orbit.Object, len(join.Live))
	err := m.plan.Gather(join, "run", 1, at, m.records, nil, func(i int, o orbit.Object) error {
		live[i], lists[i] = orbit.Value{Object: o}, append(lists[i], o)
		return nil
	})
	if err != nil {
		panic(err)
	}
	for i, l := range join.Live {
		if l.Many {
			live[i] = orbit.Value{Object: orbit.NewList(lists[i])}
		}
	}
	return live
}

// records reads what is committed.
func (m *mill) records(bundles []string) ([]*cluster.Committed, error) {
	out := make([]*cluster.Committed, len(bundles))
	for i, b := range bundles {
		if out[i] = m.ledger[b]; out[i] == nil {
			return nil, fmt.Errorf("bundle %s: %w", b, cluster.ErrNotCommitted)
		}
	}
	return out, nil
}

// gather lists the objects of a join's parents below its scope object, as the join's item gets them.
func (m *mill) gather(join *cluster.Step, at orbit.Lineage) map[string][]orbit.Lineage {
	in := map[string][]orbit.Lineage{}
	for _, parent := range join.Parents {
		in[parent] = nil
		if join.Input == nil && !slices.ContainsFunc(join.Live, func(l cluster.Live) bool { return l.Step == parent && l.Fields == nil }) {
			panic(join.Identifier + " has no input of its own and does not see all of " + parent)
		}
	}
	sees := *join
	sees.Live = nil
	for _, parent := range join.Parents { // with an input of its own it need not see them; here it does
		sees.Live = append(sees.Live, cluster.Live{Step: parent, Many: parent != join.Join.Scope})
	}
	err := m.plan.Gather(&sees, "run", 1, at, m.records, nil, func(i int, o orbit.Object) error {
		v, err := o.Value()
		if err != nil {
			return err
		}
		step := sees.Live[i].Step
		in[step] = append(in[step], orbit.Lineage(v.(map[string]any)["at"].(string)))
		return nil
	})
	if err != nil {
		panic(err)
	}
	return in
}
