package cluster_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// fast is the engine that runs: bundles in any order, records, Births, Next and the Tally, as nodes and a leader do it with
// streams in between.
type fast struct{ seed uint64 }

func TestRunsComeToWhatTheLanguageSays(t *testing.T) {
	agreesWithTheOracle(t, fast{1})
}

func (f fast) run(p *cluster.Plan, behave behaviour) *outcome {
	plan, err := cluster.ParsePlan(p.Encode())
	if err != nil {
		panic(err)
	}
	m := &mill{plan: plan, behave: behave, tally: plan.NewTally(), random: rand.New(rand.NewPCG(f.seed, 7)), origin: map[string]string{},
		ledger: map[string]*cluster.Committed{},
		out:    &outcome{Items: work{}, Failures: map[string]work{}}}
	for _, s := range plan.Roots() {
		m.queue = append(m.queue, &orbit.Bundle{ID: orbit.BundleID(s.Identifier, "run", 0), Run: "run", Step: s.Identifier, Parent: "run",
			Items: []orbit.Item{{Lineage: orbit.RootLineage, Live: make([]orbit.Value, len(s.Live))}}})
	}
	for len(m.queue) > 0 {
		if m.tally.Outstanding <= 0 {
			panic(fmt.Sprintf("%d items are outstanding and %d bundles are queued", m.tally.Outstanding, len(m.queue)))
		}
		i := m.random.IntN(len(m.queue))
		b := m.queue[i]
		m.queue = slices.Delete(m.queue, i, i+1)
		m.do(b)
	}
	verdict, over := m.tally.Settle(plan)
	if !over {
		panic(fmt.Sprintf("nothing is queued, and %d items are outstanding; open joins: %v", m.tally.Outstanding, m.tally.Joins))
	}
	m.out.Verdict = verdict
	return m.out
}

// mill is one run.
type mill struct {
	plan   *cluster.Plan
	behave behaviour
	tally  *cluster.Tally
	random *rand.Rand
	queue  []*orbit.Bundle
	origin map[string]string // of failure bundles: the main item that started them
	byJoin map[string]string // bundles of joins that fail because of their members: the sentence
	ledger map[string]*cluster.Committed
	out    *outcome
}

// do runs a bundle, commits its record, publishes what it names and folds it.
func (m *mill) do(b *orbit.Bundle) {
	step, _ := m.plan.Step(b.Step)
	rec := &orbit.Record{Bundle: b.ID, Run: b.Run, Step: b.Step, Parent: b.Parent}
	var sizes []int
	for _, it := range b.Items {
		is := item{}
		if why, byMembers := m.byJoin[b.ID]; byMembers {
			is = item{result: result{State: orbit.ItemFailed}, ByMembers: why != ""}
		} else if is.result = m.behave(b.Step, it.Lineage); step.Join != nil {
			is.Input = m.gather(step, it.Lineage)
		}
		r := orbit.Result{Lineage: it.Lineage, State: is.State, Attempt: 1, Outputs: is.Objects}
		switch is.State {
		case orbit.ItemSucceeded:
			rec.Counts.Succeeded++
		case orbit.ItemFailed:
			rec.Counts.Failed++
			r.Error = orbit.Permanent(orbit.CodeInternal, "it failed")
		case orbit.ItemSkipped:
			rec.Counts.Skipped++
		}
		for n := range is.Objects {
			o := orbit.MustObject(map[string]any{"x": 1, "at": string(it.Lineage.Child(n))})
			rec.Outputs.Inline = orbit.AppendOutput(rec.Outputs.Inline, o)
			sizes = append(sizes, len(o))
		}
		rec.Results = append(rec.Results, r)
		into := m.out.Items
		if from, ok := m.origin[b.ID]; ok {
			if m.out.Failures[from] == nil {
				m.out.Failures[from] = work{}
			}
			into = m.out.Failures[from]
		}
		if into[b.Step] == nil {
			into[b.Step] = map[orbit.Lineage]item{}
		}
		if _, twice := into[b.Step][it.Lineage]; twice {
			panic("executed twice: " + orbit.ItemID(b.Step, it.Lineage))
		}
		into[b.Step][it.Lineage] = is
	}
	rec.Born, rec.FailureItems = m.plan.Births(step, len(sizes), rec.Counts.Failed)
	for _, born := range rec.Born {
		if child, _ := m.plan.Step(born.Step); child.Join == nil {
			for _, k := range cluster.Group(born.Step, sizes, 1+m.random.IntN(3)) {
				rec.Kids.Inline = orbit.AppendKid(rec.Kids.Inline, k)
			}
		}
	}
	for _, k := range m.plan.FailureKids(step, rec.Results) {
		rec.Kids.Inline = orbit.AppendKid(rec.Kids.Inline, k)
	}
	m.commit(b, rec)
}

func (m *mill) commit(b *orbit.Bundle, rec *orbit.Record) {
	rec, err := orbit.DecodeRecord(rec.Encode())
	if err != nil {
		panic(err)
	}
	if m.ledger[rec.Bundle], err = cluster.NewCommitted(rec, nil); err != nil {
		panic(err)
	}
	err = m.plan.Next(b, rec, nil, func(s *cluster.Step, nb *orbit.Bundle) error {
		if from, ok := m.origin[b.ID]; ok {
			m.origin[nb.ID] = from
		} else if s.Part == cluster.Failure {
			v, err := nb.Items[0].Value.Object.Value()
			if err != nil {
				return err
			}
			m.origin[nb.ID] = v.(map[string]any)["item"].(string)
		}
		m.queue = append(m.queue, nb)
		return nil
	})
	if err != nil {
		panic(err)
	}
	if m.random.IntN(4) == 0 { // a leader begins from a checkpoint
		text, err := json.Marshal(m.tally)
		m.tally = &cluster.Tally{}
		if err != nil || json.Unmarshal(text, m.tally) != nil {
			panic("the tally does not come back from JSON")
		}
	}
	head := *rec
	if !m.plan.NeedsResults(rec.Step) {
		head.Results = nil
	}
	for _, r := range m.tally.Fold(m.plan, &head) {
		nb := &orbit.Bundle{ID: orbit.JoinBundleID(r.Join.Identifier, "run", r.Lineage), Run: "run", Step: r.Join.Identifier, Parent: "run",
			Items: []orbit.Item{{Lineage: r.Lineage, Live: make([]orbit.Value, len(r.Join.Live))}}}
		if r.Failed != "" {
			if m.byJoin == nil {
				m.byJoin = map[string]string{}
			}
			m.byJoin[nb.ID] = r.Failed
		}
		m.queue = append(m.queue, nb)
	}
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
	if join.Input != nil { // it need not see its parents; here it does
		sees := *join
		sees.Live = nil
		for _, parent := range join.Parents {
			sees.Live = append(sees.Live, cluster.Live{Step: parent, Many: parent != join.Join.Scope})
		}
		join = &sees
	}
	records := func(bundles []string) ([]*cluster.Committed, error) {
		out := make([]*cluster.Committed, len(bundles))
		for i, b := range bundles {
			if out[i] = m.ledger[b]; out[i] == nil {
				return nil, fmt.Errorf("bundle %s: %w", b, cluster.ErrNotCommitted)
			}
		}
		return out, nil
	}
	err := m.plan.Gather(join, "run", 1, at, records, nil, func(live int, o orbit.Object) error {
		if step := join.Live[live].Step; slices.Contains(join.Parents, step) {
			v, err := o.Value()
			if err != nil {
				return err
			}
			in[step] = append(in[step], orbit.Lineage(v.(map[string]any)["at"].(string)))
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return in
}
