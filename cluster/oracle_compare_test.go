package cluster_test

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// engine is what says what becomes of a run as the oracle does, in another way.
type engine interface {
	run(plan *cluster.Plan, behave behaviour) *outcome
}

// agreesWithTheOracle tests an engine with all that the oracle has: the runs worked out by hand, shares, and random runs.
func agreesWithTheOracle(t *testing.T, e engine) {
	t.Helper()
	t.Run("by hand", func(t *testing.T) { examplesAgree(t, e) })
	t.Run("shares", func(t *testing.T) { sharesAgree(t, e) })
	t.Run("random", func(t *testing.T) { agree(t, e) })
}

// agree tests an engine against the oracle, with random clusters and random behaviours.
func agree(t *testing.T, e engine) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		if d := disagreement(e, randomCluster().Draw(t, "cluster"), randomSeed().Draw(t, "behaviour")); d != "" {
			t.Fatal(d)
		}
	})
}

// disagreement tells where an engine differs from the oracle in one of the behaviours from the seed on, of each mood one;
// empty where it does not.
func disagreement(e engine, c *drawnCluster, seed uint64) string {
	r := compile(c.text())
	if r.Plan == nil {
		return fmt.Sprintf("it does not compile:\n%s\n%s", told(r.Diagnostics), c.text())
	}
	for range moods {
		want := interpret(r.Plan, seeded(seed))
		if d := difference(want, e.run(r.Plan, seeded(seed))); d != "" {
			return fmt.Sprintf("%s\n\nbehaviour seeded(%d) in:\n%s\nall that is expected:\n%s", d, seed, c.text(), strings.Join(want.lines(), "\n"))
		}
		seed++
	}
	return ""
}

// difference tells the first line in which an outcome differs from the expected one.
func difference(want, got *outcome) string {
	w, g := append(want.lines(), "the end"), append(got.lines(), "the end")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return "want " + w[i] + "\ngot  " + g[i]
		}
	}
	return ""
}

// lines writes an outcome down: the main items, each followed by the failure items that it started, and the verdict.
func (o *outcome) lines() []string {
	var out []string
	o.Items.each(func(step string, l orbit.Lineage, it item) {
		out = append(out, orbit.ItemID(step, l)+" "+it.String())
		o.Failures[orbit.ItemID(step, l)].each(func(step string, l orbit.Lineage, it item) {
			out = append(out, "  starts "+orbit.ItemID(step, l)+" "+it.String())
		})
	})
	for _, id := range slices.Sorted(maps.Keys(o.Failures)) { // of items that there are not
		step, l, _ := strings.Cut(id, "/")
		if _, ok := o.Items[step][orbit.Lineage(l)]; !ok {
			out = append(out, "failure steps of an unknown item "+id)
		}
	}
	return append(out, "verdict "+string(o.Verdict))
}

// each visits the items in order of step and lineage.
func (w work) each(visit func(step string, l orbit.Lineage, it item)) {
	for _, step := range slices.Sorted(maps.Keys(w)) {
		for _, l := range slices.SortedFunc(maps.Keys(w[step]), orbit.Lineage.Compare) {
			visit(step, l, w[step][l])
		}
	}
}

func (it item) String() string {
	out := string(it.State)
	if it.State == orbit.ItemSucceeded {
		out += fmt.Sprintf(" %d", it.Objects)
	}
	if it.Attempts > 1 {
		out += fmt.Sprintf(" at attempt %d", it.Attempts)
	}
	if it.ByMembers {
		out += " by members"
	}
	for _, parent := range slices.Sorted(maps.Keys(it.Input)) {
		out += fmt.Sprintf(" %s=%v", parent, it.Input[parent])
	}
	return out
}

func randomSeed() *rapid.Generator[uint64] {
	return rapid.Custom(func(t *rapid.T) uint64 { return uint64(evenly(t, 1<<16, "seed")) })
}

// moods are how much goes wrong.
const moods = 12

// seeded is a behaviour: the same seed, step and lineage come to the same. The seed's remainder is its mood.
// Lists become short far from the root, so that a run stays small; now and then a root's has more than ten objects, so
// that lineages are no longer in the order of their letters.
func seeded(seed uint64) behaviour {
	fails := []int{0, 3, 15, 40}[seed%4]
	setbacks := []int{0, 10, 50}[seed/4%3]
	return func(step string, l orbit.Lineage) result {
		h := fnv.New64a()
		fmt.Fprint(h, orbit.ItemID(step, l))
		r := rand.New(rand.NewPCG(seed, h.Sum64()))
		is := result{State: orbit.ItemFailed}
		if r.IntN(100) < setbacks {
			is.Setbacks = 1 + r.IntN(6)
		}
		if r.IntN(100) < fails {
			return is
		}
		objects := []int{0, 1, 1, 2, 2, 2, 3}[r.IntN(7)]
		switch depth := l.Depth(); {
		case depth == 1 && r.IntN(10) == 0:
			objects = 11
		case depth > 4:
			objects = min(objects, 1)
		}
		is.State, is.Objects = orbit.ItemSucceeded, objects
		return is
	}
}
