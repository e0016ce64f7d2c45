package placement

import (
	"math"
	"time"
)

// laxityStep is the least difference that counts. Working on a queue keeps its laxity as it is, or lets it grow, while that of
// the others falls: two queues that are equally urgent take turns of a minute or more, and not bundle by bundle.
const laxityStep = time.Minute

// Waiting is what a node knows of one queue that it has work of.
type Waiting struct {
	Deadline time.Time // of the bundle at its head
	Behind   int       // bundles that wait behind it, as far as is known
	Rate     float64   // of such bundles that this node does in a second, on all its slots; 0: not measured
}

// Laxity is how long a node may leave the queue alone and still be through with it by the deadline of its head: what is left
// until then, less the work. It is below zero where that is too late already.
//
// The work is counted as if this node did it alone. Others help, with every queue alike.
func (w Waiting) Laxity(now time.Time) time.Duration {
	left := w.Deadline.Sub(now) // of times that are far apart, the largest or smallest duration
	if w.Rate <= 0 || w.Behind <= 0 {
		return left
	}
	work := float64(w.Behind) / w.Rate * float64(time.Second)
	if l := float64(left) - work; l > math.MinInt64 {
		return time.Duration(l)
	}
	return math.MinInt64
}

// LeastLax chooses the queue whose work is to be started next, by its index: the one with the least laxity, in steps of a
// minute. The current one counts as one step more urgent than it is, so that it is left for a good reason only. Of equals it
// is the current one, else the one whose head has the earliest deadline, and then the first. current is an index too, or −1
// where there is none. Without queues the answer is −1.
func LeastLax(queues []Waiting, current int, now time.Time) int {
	best, least := -1, int64(0)
	for i, q := range queues {
		steps := int64(math.Floor(float64(q.Laxity(now)) / float64(laxityStep)))
		if i == current {
			steps--
		}
		switch {
		case best < 0 || steps < least:
		case steps > least || best == current:
			continue
		case i != current && !q.Deadline.Before(queues[best].Deadline):
			continue
		}
		best, least = i, steps
	}
	return best
}
