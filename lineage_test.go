package orbit_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/exospherehost/orbit"
)

// ordinals draws a lineage as numbers.
func ordinals(t *rapid.T, label string) []int {
	small := rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 1_000_000))
	return rapid.SliceOfN(small, 1, 6).Draw(t, label)
}

func lineageOf(ns []int) orbit.Lineage {
	l := orbit.Lineage(fmt.Sprint(ns[0]))
	for _, n := range ns[1:] {
		l = l.Child(n)
	}
	return l
}

func TestLineagesCompareAsListsOfNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := ordinals(t, "a"), ordinals(t, "b")
		if rapid.Bool().Draw(t, "related") {
			b = append(slices.Clone(a), b...)
		}
		if got, want := lineageOf(a).Compare(lineageOf(b)), slices.Compare(a, b); got != want {
			t.Fatalf("%s against %s: %d, want %d", lineageOf(a), lineageOf(b), got, want)
		}
	})
}

func TestPrefixOfALineageIsItsAncestor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ns := ordinals(t, "lineage")
		l := lineageOf(ns)
		if l.Depth() != len(ns) {
			t.Fatalf("%s has depth %d, want %d", l, l.Depth(), len(ns))
		}
		for d := 1; d <= len(ns)+1; d++ {
			if got, want := l.Prefix(d), lineageOf(ns[:min(d, len(ns))]); got != want {
				t.Fatalf("the prefix of %s at depth %d is %s, want %s", l, d, got, want)
			}
		}
	})
}

func TestLineagesReadAsPeopleWriteThem(t *testing.T) {
	if got := orbit.ItemID("parse-pdf", orbit.RootLineage.Child(17)); got != "parse-pdf/0.17" {
		t.Error(got)
	}
	if d := orbit.Lineage("").Depth(); d != 0 {
		t.Errorf("nothing has depth %d", d)
	}
}
