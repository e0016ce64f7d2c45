package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
)

// script says what items come to, by their id, or by their satellite for all its items; all others return one object.
type script map[string]result

func (s script) behave(step string, l orbit.Lineage) result {
	if r, ok := s[orbit.ItemID(step, l)]; ok {
		return r
	}
	if r, ok := s[step]; ok {
		return r
	}
	return gives(1)
}

func gives(objects int) result { return result{State: orbit.ItemSucceeded, Objects: objects} }

var fails = result{State: orbit.ItemFailed}

// after is a result that comes after so many attempts that the surroundings spoil.
func (r result) after(setbacks int) result {
	r.Setbacks = setbacks
	return r
}

// oracleExamples are runs worked out by hand from the words of the language. Each line of want is an item: its state, the
// number of its objects, and of a join that was executed its input.
var oracleExamples = map[string]struct {
	steps  string
	script script
	want   string
}{
	"a chain runs once for each object": {
		step("a", "") + step("b", "") + step("c", ""),
		script{"a": gives(2), "b/0.1": gives(2)},
		`a/0 succeeded 2
		b/0.0 succeeded 1
		b/0.1 succeeded 2
		c/0.0.0 succeeded 1
		c/0.1.0 succeeded 1
		c/0.1.1 succeeded 1
		verdict succeeded`,
	},
	"an empty list ends a branch cleanly": {
		step("a", "") + step("b", "") + step("c", ""),
		script{"a": gives(2), "b/0.0": gives(0)},
		`a/0 succeeded 2
		b/0.0 succeeded 0
		b/0.1 succeeded 1
		c/0.1.0 succeeded 1
		verdict succeeded`,
	},
	"a root that returns nothing is a run that succeeded": {
		step("a", "") + step("b", "") + step("c", "parents: [a]") + step("d", "parents: [b, c]"),
		script{"a": gives(0)},
		`a/0 succeeded 0
		verdict succeeded`,
	},
	"a diamond joins once for each object of its top": {
		step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + step("d", "parents: [b, c]") + step("e", ""),
		script{"a": gives(2), "b/0.0": gives(2), "c/0.1": gives(0), "d/0.1": gives(2)},
		`a/0 succeeded 2
		b/0.0 succeeded 2
		b/0.1 succeeded 1
		c/0.0 succeeded 1
		c/0.1 succeeded 0
		d/0.0 succeeded 1 b=[0.0.0 0.0.1] c=[0.0.0]
		d/0.1 succeeded 2 b=[0.1.0] c=[]
		e/0.0.0 succeeded 1
		e/0.1.0 succeeded 1
		e/0.1.1 succeeded 1
		verdict succeeded`,
	},
	"a failed member fails the join of its object only": {
		step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + step("d", "parents: [b, c]"),
		script{"a": gives(2), "b/0.1": fails},
		`a/0 succeeded 2
		b/0.0 succeeded 1
		b/0.1 failed
		c/0.0 succeeded 1
		c/0.1 succeeded 1
		d/0.0 succeeded 1 b=[0.0.0] c=[0.0.0]
		d/0.1 failed by members
		verdict partial`,
	},
	"an item far from the join fails it too": {
		step("a", "") + step("b", "parents: [a]") + step("b2", "") + step("c", "parents: [a]") + step("d", "parents: [b2, c]"),
		script{"b": fails},
		`a/0 succeeded 1
		b/0.0 failed
		c/0.0 succeeded 1
		d/0.0 failed by members
		verdict failed`,
	},
	"a join that fails by itself": {
		step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + step("d", "parents: [b, c]") + step("e", ""),
		script{"d": fails},
		`a/0 succeeded 1
		b/0.0 succeeded 1
		c/0.0 succeeded 1
		d/0.0 failed b=[0.0.0] c=[0.0.0]
		verdict failed`,
	},
	"a skipped branch counts as ended": {
		step("a", "") + step("b", "parents: [a], if: false") + step("b2", "") + step("c", "parents: [a], if: \"${{ satellites.a.output.pages > 0 }}\"") + step("d", "parents: [b2, c]"),
		script{},
		`a/0 succeeded 1
		b/0.0 skipped
		c/0.0 skipped
		d/0.0 succeeded 1 b2=[] c=[]
		verdict succeeded`,
	},
	"a join may be skipped itself": {
		step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + step("d", "parents: [b, c], if: \"${{ length(satellites.c.output) > 1 }}\"") + step("e", ""),
		script{},
		`a/0 succeeded 1
		b/0.0 succeeded 1
		c/0.0 succeeded 1
		d/0.0 skipped
		verdict succeeded`,
	},
	"without a scope object there is no join": {
		step("a", "") + step("b", "if: \"${{ !(satellites.a.output.pages > 0) }}\"") + step("c", "parents: [b]") + step("d", "parents: [b]") + step("e", "parents: [c, d]"),
		script{"a": gives(2), "b/0.0": fails},
		`a/0 succeeded 2
		b/0.0 failed
		b/0.1 skipped
		verdict failed`,
	},
	"a side branch that leads to no join does not count": {
		step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + step("side", "parents: [b]") + step("d", "parents: [b, c]"),
		script{"side": fails},
		`a/0 succeeded 1
		b/0.0 succeeded 1
		c/0.0 succeeded 1
		d/0.0 succeeded 1 b=[0.0.0] c=[0.0.0]
		side/0.0.0 failed
		verdict partial`,
	},
	"joins in a join": { // in: one for each object of b; out: one for each object of a
		step("a", "") + step("b", "parents: [a]") + step("c", "parents: [b]") + step("d", "parents: [b]") + step("in", "parents: [c, d]") +
			step("e", "parents: [a]") + step("out", "parents: [in, e]"),
		script{"b": gives(2), "c/0.0.1": gives(2), "in/0.0.1": gives(3)},
		`a/0 succeeded 1
		b/0.0 succeeded 2
		c/0.0.0 succeeded 1
		c/0.0.1 succeeded 2
		d/0.0.0 succeeded 1
		d/0.0.1 succeeded 1
		e/0.0 succeeded 1
		in/0.0.0 succeeded 1 c=[0.0.0.0] d=[0.0.0.0]
		in/0.0.1 succeeded 3 c=[0.0.1.0 0.0.1.1] d=[0.0.1.0]
		out/0.0 succeeded 1 e=[0.0.0] in=[0.0.0.0 0.0.1.0 0.0.1.1 0.0.1.2]
		verdict succeeded`,
	},
	"what an inner join tolerates is failed for the outer all the same": {
		step("a", "") + step("b", "parents: [a]") + step("c", "parents: [b]") + step("d", "parents: [b]") + step("in", "parents: [c, d], unites: {strategy: all-done}") +
			step("e", "parents: [a]") + step("out", "parents: [in, e]"),
		script{"c": fails},
		`a/0 succeeded 1
		b/0.0 succeeded 1
		c/0.0.0 failed
		d/0.0.0 succeeded 1
		e/0.0 succeeded 1
		in/0.0.0 succeeded 1 c=[] d=[0.0.0.0]
		out/0.0 failed by members
		verdict failed`,
	},
	"a join of a join at the same scope": {
		step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + step("d", "parents: [b, c]") + step("e", "parents: [d, c]"),
		script{"a": gives(2), "d/0.0": gives(2), "b/0.1": fails},
		`a/0 succeeded 2
		b/0.0 succeeded 1
		b/0.1 failed
		c/0.0 succeeded 1
		c/0.1 succeeded 1
		d/0.0 succeeded 2 b=[0.0.0] c=[0.0.0]
		d/0.1 failed by members
		e/0.0 succeeded 1 c=[0.0.0] d=[0.0.0 0.0.1]
		e/0.1 failed by members
		verdict partial`,
	},
	"a join may be the scope of another": {
		step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + step("d", "parents: [b, c]") +
			step("e", "parents: [d]") + step("f", "parents: [d]") + step("g", "parents: [e, f]"),
		script{"d": gives(2), "e/0.0.1": gives(0)},
		`a/0 succeeded 1
		b/0.0 succeeded 1
		c/0.0 succeeded 1
		d/0.0 succeeded 2 b=[0.0.0] c=[0.0.0]
		e/0.0.0 succeeded 1
		e/0.0.1 succeeded 0
		f/0.0.0 succeeded 1
		f/0.0.1 succeeded 1
		g/0.0.0 succeeded 1 e=[0.0.0.0] f=[0.0.0.0]
		g/0.0.1 succeeded 1 e=[] f=[0.0.1.0]
		verdict succeeded`,
	},
	"two roots join once a run": {
		step("a", "") + step("b", "parents: []") + step("c", "parents: [a, b]") + step("d", ""),
		script{"a": gives(2), "b": gives(0), "c": gives(2)},
		`a/0 succeeded 2
		b/0 succeeded 0
		c/0 succeeded 2 a=[0.0 0.1] b=[]
		d/0.0 succeeded 1
		d/0.1 succeeded 1
		verdict succeeded`,
	},
	"at the run, a root that failed fails the join": {
		step("a", "") + step("b", "parents: []") + step("c", "parents: [a, b]"),
		script{"a": fails},
		`a/0 failed
		b/0 succeeded 1
		c/0 failed by members
		verdict failed`,
	},
	"one parent is united over the run, in the order of numbers": {
		step("a", "") + step("b", "") + step("total", "unites: {identifier: run}"),
		script{"a": gives(11), "b": gives(0), "b/0.2": gives(1), "b/0.10": gives(2)},
		`a/0 succeeded 11
		b/0.0 succeeded 0
		b/0.1 succeeded 0
		b/0.2 succeeded 1
		b/0.3 succeeded 0
		b/0.4 succeeded 0
		b/0.5 succeeded 0
		b/0.6 succeeded 0
		b/0.7 succeeded 0
		b/0.8 succeeded 0
		b/0.9 succeeded 0
		b/0.10 succeeded 2
		total/0 succeeded 1 b=[0.2.0 0.10.0 0.10.1]
		verdict succeeded`,
	},
	"one parent is united over an ancestor": {
		step("a", "") + step("b", "") + step("c", "") + step("d", "unites: {identifier: a, strategy: all-done}"),
		script{"a": gives(2), "b/0.0": gives(2), "c/0.0.0": fails, "b/0.1": fails},
		`a/0 succeeded 2
		b/0.0 succeeded 2
		b/0.1 failed
		c/0.0.0 failed
		c/0.0.1 succeeded 1
		d/0.0 succeeded 1 c=[0.0.1.0]
		d/0.1 succeeded 1 c=[]
		verdict partial`,
	},
	"the scope may be a parent": {
		step("a", "") + step("b", "") + step("c", "parents: [a, b]"),
		script{"a": gives(2), "b/0.1": gives(2)},
		`a/0 succeeded 2
		b/0.0 succeeded 1
		b/0.1 succeeded 2
		c/0.0 succeeded 1 a=[0.0] b=[0.0.0]
		c/0.1 succeeded 1 a=[0.1] b=[0.1.0 0.1.1]
		verdict succeeded`,
	},
	"a share of all is 1 of 2, all between counted": { // d: of the parent c 1 succeeded; 1 of b failed
		step("a", "") + step("b", "") + step("c", "") + step("d", "unites: {identifier: run, strategy: all-done, min-success: 50%}") +
			step("e", "parents: [c], unites: {identifier: run, strategy: all-done, min-success: 51%}"),
		script{"a": gives(2), "b/0.1": fails},
		`a/0 succeeded 2
		b/0.0 succeeded 1
		b/0.1 failed
		c/0.0.0 succeeded 1
		d/0 succeeded 1 c=[0.0.0.0]
		e/0 failed by members
		verdict partial`,
	},
	"0 of 0 passes": {
		step("a", "") + step("b", "if: false") + step("c", "unites: {identifier: a, strategy: all-done, min-success: 95%}") +
			step("d", "parents: [b], unites: {identifier: a, strategy: all-done, min-success: 3}"),
		script{},
		`a/0 succeeded 1
		b/0.0 skipped
		c/0.0 succeeded 1 b=[]
		d/0.0 succeeded 1 b=[]
		verdict succeeded`,
	},
	"a count is of items that succeeded, not of objects": {
		step("a", "") + step("b", "") + step("c", "unites: {identifier: run, strategy: all-done, min-success: 2}") +
			step("d", "parents: [b], unites: {identifier: run, strategy: all-done, min-success: 3}"),
		script{"a": gives(3), "b/0.0": gives(5), "b/0.1": gives(0), "b/0.2": fails},
		`a/0 succeeded 3
		b/0.0 succeeded 5
		b/0.1 succeeded 0
		b/0.2 failed
		c/0 succeeded 1 b=[0.0.0 0.0.1 0.0.2 0.0.3 0.0.4]
		d/0 failed by members
		verdict partial`,
	},
	"a failure starts the failure steps, and so does the join that it fails": {
		step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + step("d", "parents: [b, c]") +
			"  failure:\n    satellites:\n  " + step("f", "") + "  " + step("g", ""),
		script{"a": gives(2), "b/0.1": fails, "f/0.1": gives(2), "g": fails},
		`a/0 succeeded 2
		b/0.0 succeeded 1
		b/0.1 failed
		starts f/0.1 succeeded 2
		starts g/0.1.0 failed
		starts g/0.1.1 failed
		c/0.0 succeeded 1
		c/0.1 succeeded 1
		d/0.0 succeeded 1 b=[0.0.0] c=[0.0.0]
		d/0.1 failed by members
		starts f/0.1 succeeded 2
		starts g/0.1.0 failed
		starts g/0.1.1 failed
		verdict partial`,
	},
	"failures start the failure steps at from and below": {
		step("a", "") + step("b", "parents: [a]") + step("c", "") + step("d", "parents: [a]") + "  failure:\n    from: b\n    satellites:\n  " + step("f", ""),
		script{"a": gives(3), "b/0.1": fails, "c/0.0.0": fails, "d/0.2": fails},
		`a/0 succeeded 3
		b/0.0 succeeded 1
		b/0.1 failed
		starts f/0.1 succeeded 1
		b/0.2 succeeded 1
		c/0.0.0 failed
		starts f/0.0.0 succeeded 1
		c/0.2.0 succeeded 1
		d/0.0 succeeded 1
		d/0.1 succeeded 1
		d/0.2 failed
		verdict partial`,
	},
	"failure steps may fan out": {
		step("a", "") + "  failure:\n    satellites:\n  " + step("f", "") + "  " + step("g", "parents: [f]") + "  " + step("h", "parents: [f]"),
		script{"a": fails, "f": gives(2), "g/0.1": fails},
		`a/0 failed
		starts f/0 succeeded 2
		starts g/0.0 succeeded 1
		starts g/0.1 failed
		starts h/0.0 succeeded 1
		starts h/0.1 succeeded 1
		verdict failed`,
	},
	"a failed item skips nothing, and a skipped one fails nothing": { // of b's items one is skipped, so that c unites the other
		step("a", "") + step("b", "if: \"${{ satellites.a.output.pages > 0 }}\"") + step("c", "unites: {identifier: run, strategy: all-success}") + step("d", "if: \"${{ contains(satellites.b.output.pages, 2) }}\""),
		script{"a": gives(2), "b/0.1": gives(2)},
		`a/0 succeeded 2
		b/0.0 skipped
		b/0.1 succeeded 2
		c/0 succeeded 1 b=[0.1.0 0.1.1]
		d/0.0 succeeded 1
		verdict succeeded`,
	},
	"a join that its members fail does not look at its condition": {
		step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + step("d", "parents: [b, c], if: false"),
		script{"b": fails},
		`a/0 succeeded 1
		b/0.0 failed
		c/0.0 succeeded 1
		d/0.0 failed by members
		verdict failed`,
	},
	"an item is attempted as often as it has retries, and once more": {
		step("a", "retries: 2") + step("b", "retries: 1") + step("c", "parents: [b], retries: 0, unites: {identifier: a, strategy: all-done}"),
		script{"a": gives(3).after(2), "b/0.0": gives(1).after(1), "b/0.1": gives(1).after(2), "b/0.2": fails.after(1), "c/0.1": gives(0).after(1)},
		`a/0 succeeded 3 at attempt 3
		b/0.0 succeeded 1 at attempt 2
		b/0.1 failed at attempt 2
		b/0.2 failed at attempt 2
		c/0.0 succeeded 1 b=[0.0.0]
		c/0.1 failed b=[]
		c/0.2 succeeded 1 b=[]
		verdict partial`,
	},
	"failure steps have conditions and retries, too": {
		step("a", "") + step("b", "retries: 0") + "  failure:\n    satellites:\n  " + step("f", "retries: 1, if: \"${{ failure.satellite == 'b' }}\"") + "  " +
			step("g", "if: \"${{ satellites.f.output.pages > 1 }}\"") + "  " + step("h", "parents: [g]"),
		script{"a": gives(2), "b": gives(1).after(1), "f/0.1": gives(2).after(1), "f/0.0": gives(1).after(2)},
		`a/0 succeeded 2
		b/0.0 failed
		starts f/0.0 failed at attempt 2
		b/0.1 failed
		starts f/0.1 succeeded 2 at attempt 2
		starts g/0.1.0 skipped
		starts g/0.1.1 succeeded 1
		starts h/0.1.1.0 succeeded 1
		verdict failed`,
	},
	"skipped leaves are no success, and an empty leaf is one": {
		step("a", "") + step("b", "parents: [a], if: \"${{ !(satellites.a.output.pages > 0) }}\"") + step("c", "parents: [a]"),
		script{"a": gives(2), "b": fails, "c": gives(0)},
		`a/0 succeeded 2
		b/0.0 failed
		b/0.1 skipped
		c/0.0 succeeded 0
		c/0.1 succeeded 0
		verdict partial`,
	},
}

// TestTheOracleByHand: the oracle says what was worked out by hand, and agrees with itself.
func TestTheOracleByHand(t *testing.T) { agreesWithTheOracle(t, engineFunc(interpret)) }

// examplesAgree tests an engine against the examples worked out by hand.
func examplesAgree(t *testing.T, e engine) {
	for name, c := range oracleExamples {
		t.Run(name, func(t *testing.T) {
			var want, got []string
			for line := range strings.Lines(c.want) {
				want = append(want, strings.TrimSpace(line))
			}
			for _, line := range e.run(must(t, head+c.steps), c.script.behave).lines() {
				got = append(got, strings.TrimSpace(line))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// sharesAgree tests an engine with joins of exactly the wanted share, and of one item less.
func sharesAgree(t *testing.T, e engine) {
	for percent := range 101 {
		plan := must(t, head+step("a", "")+step("b", "")+step("c", fmt.Sprintf("unites: {identifier: run, strategy: all-done, min-success: %d%%}", percent)))
		for _, total := range []int{50, 100, 200} {
			if percent*total%100 != 0 {
				continue
			}
			exact := percent * total / 100
			for _, good := range []int{exact, exact - 1} {
				if good < 0 {
					continue
				}
				s := script{"a": gives(total), "b": fails}
				for i := range good {
					s[fmt.Sprintf("b/0.%d", i)] = gives(0)
				}
				if c := e.run(plan, s.behave).Items["c"]["0"]; c.ByMembers != (good < exact) {
					t.Errorf("%d of %d, of which %d%% must succeed: %s", good, total, percent, c)
				}
			}
		}
	}
}
