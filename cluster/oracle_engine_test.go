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
	for id, s := range m.tally.Steps {
		if step, _ := plan.Step(id); s.Retrying != 0 || step.Part == cluster.Main && s.Open() != 0 { // a record does not say which failure step its failures start
			panic(fmt.Sprintf("the run is over, and of %s the tally says %+v", id, *s))
		}
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
	for i := range b.Items {
		it := &b.Items[i]
		if it.Attempt > 0 {
			rec.Counts.Again++
		}
		is := m.attempt(b, step, it)
		r := orbit.Result{Lineage: it.Lineage, State: is.State, Attempt: is.Attempts, Outputs: is.Objects}
		switch is.State {
		case orbit.ItemRetrying:
			rec.Counts.Retry++
			r.Error, r.Input = &orbit.Error{Code: orbit.CodeInternal, Message: "its surroundings are at fault", Retryable: true}, it
		case orbit.ItemSucceeded:
			rec.Counts.Succeeded++
		case orbit.ItemFailed:
			rec.Counts.Failed++
			r.Error = orbit.Permanent(orbit.CodeInternal, "it failed")
		case orbit.ItemSkipped:
			rec.Counts.Skipped++
		}
		for n := range is.Objects {
			o := orbit.MustObject(map[string]any{"pages": number(it.Lineage.Child(n)), "at": string(it.Lineage.Child(n))})
			rec.Outputs.Inline = orbit.AppendOutput(rec.Outputs.Inline, o)
			sizes = append(sizes, len(o))
		}
		rec.Results = append(rec.Results, r)
		if is.State == orbit.ItemRetrying {
			continue
		}
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
	for first, n := 0, 0; first < rec.Counts.Retry; n++ {
		k := orbit.Kid{Kind: orbit.KidRetry, Step: b.Step, Ordinal: n, First: first, Count: min(rec.Counts.Retry-first, 1+m.random.IntN(3))}
		rec.Kids.Inline = orbit.AppendKid(rec.Kids.Inline, k)
		first += k.Count
	}
	m.commit(b, rec)
}

// attempt makes one attempt of an item.
func (m *mill) attempt(b *orbit.Bundle, step *cluster.Step, it *orbit.Item) item {
	if why, byMembers := m.byJoin[b.ID]; byMembers {
		return item{result: result{State: orbit.ItemFailed}, ByMembers: why != ""}
	}
	if !m.holds(step, it) {
		return item{result: result{State: orbit.ItemSkipped}}
	}
	is := item{result: m.behave(b.Step, it.Lineage), Attempts: it.Attempt + 1}
	switch {
	case is.Attempts > is.Setbacks:
	case is.Attempts <= step.Retries.Max:
		return item{result: result{State: orbit.ItemRetrying}, Attempts: is.Attempts}
	default:
		is.result = result{State: orbit.ItemFailed}
	}
	if step.Join != nil {
		is.Input = m.gather(step, it.Lineage)
	}
	return is
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
		nb.Items = slices.Clone(nb.Items)
		m.queue = append(m.queue, nb)
		return nil
	})
	if err != nil {
		panic(err)
	}
	err = cluster.EachKid(rec, nil, func(k orbit.Kid) error {
		if k.Kind != orbit.KidRetry {
			return nil
		}
		nb, err := cluster.RetryBundle(rec, k, orbit.Bundle{})
		if from, ok := m.origin[b.ID]; ok && err == nil {
			m.origin[nb.ID] = from
		}
		m.queue = append(m.queue, nb)
		return err
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
			Items: []orbit.Item{{Lineage: r.Lineage, Live: m.carried(r.Join, r.Lineage)}}}
		if r.Failed != "" {
			if m.byJoin == nil {
				m.byJoin = map[string]string{}
			}
			m.byJoin[nb.ID] = r.Failed
		}
		m.queue = append(m.queue, nb)
	}
}
