package orbit_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/exospherehost/orbit"
)

func TestIDsOfTheSamePartsAreTheSameForEver(t *testing.T) {
	// Stored runs are found by these: another value would be a break with what is stored.
	for parts, want := range map[string]string{"": "werc8gmrzge196qvyk49", "a": "wcjmx9gw17ndb80x7fr7", "a,bc": "x8eccwnhf9e9kmkka0x2"} {
		if got := orbit.HashID(strings.FieldsFunc(parts, func(r rune) bool { return r == ',' })...); got != want {
			t.Errorf("HashID(%s) = %s, want %s", parts, got, want)
		}
	}
}

func TestIDsOfOtherPartsDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.String())
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		same := len(a) == len(b)
		for i := range a {
			same = same && a[i] == b[i]
		}
		x, y := orbit.HashID(a...), orbit.HashID(b...)
		if (x == y) != same {
			t.Fatalf("%q and %q have the ids %s and %s", a, b, x, y)
		}
		if !orbit.ValidID(x) {
			t.Fatalf("%s is no valid id", x)
		}
	})
}

func TestBundlesRetriesAndRandomIDsAreToldApart(t *testing.T) {
	parent := orbit.RandomID()
	seen := map[string]string{}
	for name, id := range map[string]string{
		"first": orbit.BundleID("s", parent, 0), "second": orbit.BundleID("s", parent, 1), "of another step": orbit.BundleID("t", parent, 0),
		"of another parent": orbit.BundleID("s", orbit.RandomID(), 0), "retry": orbit.RetryBundleID("s", parent, 0), "second retry": orbit.RetryBundleID("s", parent, 1),
		"random": orbit.RandomID(), "another random": orbit.RandomID(),
	} {
		if !orbit.ValidID(id) {
			t.Errorf("%s: %q is no valid id", name, id)
		}
		if other := seen[id]; other != "" {
			t.Errorf("%s and %s have the same id", name, other)
		}
		seen[id] = name
	}
}

func TestWhatCouldEscapeFromASubjectIsNoID(t *testing.T) {
	good := orbit.RandomID()
	for _, s := range []string{"", good[1:], good + "0", good[1:] + ".", good[1:] + ">", good[1:] + "*", good[1:] + " ", good[1:] + "A", good[1:] + "\n", good[2:] + "é", strings.Repeat(".", 20)} {
		if orbit.ValidID(s) {
			t.Errorf("%q is taken for an id", s)
		}
	}
}
