package placement_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/exospherehost/orbit/placement"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func in(d time.Duration) time.Time { return noon.Add(d) }

func TestTheQueueWithTheLeastLaxityIsNext(t *testing.T) {
	for _, tc := range []struct {
		name    string
		queues  []placement.Waiting
		current int
		want    int
	}{
		{"nothing waits", nil, -1, -1},
		{"the only one", []placement.Waiting{{Deadline: in(time.Hour)}}, -1, 0},
		{"the earlier deadline", []placement.Waiting{{Deadline: in(24 * time.Hour)}, {Deadline: in(time.Hour)}}, 0, 1},
		{"a later deadline with more work before it", []placement.Waiting{{Deadline: in(time.Hour), Behind: 10, Rate: 1}, {Deadline: in(2 * time.Hour), Behind: 5400, Rate: 1}}, 0, 1},
		{"what is not measured takes no time", []placement.Waiting{{Deadline: in(time.Hour)}, {Deadline: in(2 * time.Hour), Behind: 1 << 40}}, -1, 0},
		{"less than a minute makes no difference", []placement.Waiting{{Deadline: in(time.Hour + 20*time.Second)}, {Deadline: in(time.Hour + 10*time.Second)}}, 0, 0},
		{"without a current one it does", []placement.Waiting{{Deadline: in(time.Hour + 20*time.Second)}, {Deadline: in(time.Hour + 10*time.Second)}}, -1, 1},
		{"of twins the first", []placement.Waiting{{Deadline: in(time.Hour)}, {Deadline: in(time.Hour)}}, -1, 0},
		{"of twins the current one", []placement.Waiting{{Deadline: in(time.Hour)}, {Deadline: in(time.Hour)}}, 1, 1},
		{"what is late already", []placement.Waiting{{Deadline: in(-time.Hour)}, {Deadline: in(-2 * time.Hour)}}, 0, 1},
		{"a message that is no bundle has no deadline", []placement.Waiting{{Deadline: in(-time.Hour)}, {}}, 0, 1},
		{"more work than a number holds", []placement.Waiting{{Deadline: in(time.Hour)}, {Deadline: in(9e9 * time.Second), Behind: 1 << 60, Rate: 1e-9}}, 0, 1},
	} {
		if got := placement.LeastLax(tc.queues, tc.current, noon); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}

func queues(t *rapid.T) []placement.Waiting {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) placement.Waiting {
		return placement.Waiting{Deadline: in(time.Duration(rapid.Int64Range(-int64(time.Hour), int64(30*time.Hour)).Draw(t, "left"))),
			Behind: rapid.IntRange(0, 100_000).Draw(t, "behind"), Rate: rapid.SampledFrom([]float64{0, 0.01, 0.3, 1, 20, 5000}).Draw(t, "rate")}
	}), 1, 6).Draw(t, "queues")
}

func TestUrgentQueueOvertakesAndAnEqualOneDoesNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		qs := queues(t)
		current := rapid.IntRange(-1, len(qs)-1).Draw(t, "current")
		best := placement.LeastLax(qs, current, noon)
		for i, q := range qs {
			if q.Laxity(noon) < qs[best].Laxity(noon)-2*time.Minute {
				t.Errorf("%d was chosen with %s, and %d has %s", best, qs[best].Laxity(noon), i, q.Laxity(noon))
			}
		}
		if again := placement.LeastLax(qs, best, noon); again != best {
			t.Errorf("%d was chosen, and asked again %d", best, again)
		}
		twin := append(slices.Clone(qs), qs[best])
		if got := placement.LeastLax(twin, best, noon); got != best {
			t.Errorf("the choice went from %d to its twin", best)
		}
	})
}

// work lets a node with one queue for each tier go on for hours, a second at a time. Each queue gets new work for as long as
// the deadlines of its tier, and f sees each choice.
func work(qs []placement.Waiting, tiers []time.Duration, hours int, f func(second, choice int)) {
	current := -1
	for s := range hours * 3600 {
		now := in(time.Duration(s) * time.Second)
		current = placement.LeastLax(qs, current, now)
		f(s, current)
		q := &qs[current]
		if q.Behind > 0 { // done; the next one in the queue came a little later
			q.Behind--
			q.Deadline = q.Deadline.Add(time.Second)
			continue
		}
		q.Deadline = now.Add(tiers[current]) // there is always more
	}
}

func TestNoQueueStarves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tiers := []time.Duration{time.Hour, 3 * time.Hour, 6 * time.Hour}[:rapid.IntRange(2, 3).Draw(t, "queues")]
		var qs []placement.Waiting
		for _, d := range tiers {
			qs = append(qs, placement.Waiting{Deadline: in(d), Behind: rapid.IntRange(0, 3000).Draw(t, "behind"), Rate: rapid.Float64Range(0, 2).Draw(t, "rate")})
		}
		last := make([]int, len(qs))
		work(qs, tiers, 14, func(s, choice int) {
			last[choice] = s
			for i := range qs {
				if idle := time.Duration(s-last[i]) * time.Second; idle > tiers[i]+time.Hour {
					t.Fatalf("the queue of %s has waited for %s", tiers[i], idle)
				}
			}
		})
	})
}

func TestEquallyUrgentQueuesTakeLongTurns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		qs := make([]placement.Waiting, 2)
		for i := range qs { // more than can be done in time, so that the laxities meet
			qs[i] = placement.Waiting{Deadline: in(time.Hour + time.Duration(rapid.IntRange(0, 600).Draw(t, "s"))*time.Second), Behind: 20_000, Rate: 1}
		}
		turns, last := 0, -1
		work(qs, []time.Duration{time.Hour, time.Hour}, 2, func(_, choice int) {
			if choice != last {
				turns++
			}
			last = choice
		})
		if turns < 10 || turns > 121 { // the laxity of the one falls while that of the other grows
			t.Errorf("%d turns in two hours", turns)
		}
	})
}
