package node_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/node"
)

func TestBackoffFollowsItsStrategyAndJitter(t *testing.T) {
	s := func(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }
	for _, c := range []struct {
		strategy string
		want     []time.Duration // without jitter, after 1, 2, … attempts; delay 2s, factor 3, max-delay 20s
	}{
		{"exponential", []time.Duration{s(2), s(6), s(18), s(20), s(20)}},
		{"linear", []time.Duration{s(2), s(4), s(6), s(8), s(10), s(12), s(14), s(16), s(18), s(20), s(20)}},
		{"fixed", []time.Duration{s(2), s(2), s(2)}},
	} {
		for _, jitter := range []string{"none", "equal", "full"} {
			for _, r := range []float64{0, 0.25, 0.5, 0.999} {
				t.Run(fmt.Sprintf("%s %s %v", c.strategy, jitter, r), func(t *testing.T) {
					p := cluster.RetryPolicy{Max: 100, Strategy: c.strategy, Delay: orbit.Duration(s(2)), Factor: 3, MaxDelay: orbit.Duration(s(20)), Jitter: jitter}
					for i, full := range c.want {
						share := map[string]float64{"none": 1, "equal": 0.5 + 0.5*r, "full": r}[jitter]
						want := time.Duration(float64(full) * share)
						if got := node.Backoff(p, i+1, r); got < want-1 || got > want+1 { // a nanosecond is lost in rounding
							t.Errorf("after %d attempts %v, want %v", i+1, got, want)
						}
					}
				})
			}
		}
	}
}

func TestBackoffOfTheDefaultPolicyIsUpTo1s2s4s8s16s(t *testing.T) {
	for i, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second} {
		if least, most := node.Backoff(cluster.DefaultRetries, i+1, 0), node.Backoff(cluster.DefaultRetries, i+1, 1); least != 0 || most != want {
			t.Errorf("after %d attempts %v to %v, want 0 to %v", i+1, least, most, want)
		}
	}
}

func TestBackoffStaysAWaitWhateverThePolicySays(t *testing.T) {
	for _, p := range []cluster.RetryPolicy{
		{},
		{Strategy: "exponential", Delay: math.MaxInt64, Factor: 100, Jitter: "none"},
		{Strategy: "exponential", Delay: 0, Factor: 100, Jitter: "equal"},
		{Strategy: "exponential", Delay: orbit.Duration(time.Hour), Factor: 100, Jitter: "full"},
		{Strategy: "linear", Delay: math.MaxInt64, Jitter: "none"},
		{Strategy: "fixed", Delay: orbit.Duration(time.Hour), MaxDelay: orbit.Duration(time.Second), Jitter: "equal"},
	} {
		for _, attempts := range []int{1, 2, 50, 101, 10_000} {
			if d := node.Backoff(p, attempts, 0.5); d < 0 || p.MaxDelay > 0 && d > time.Duration(p.MaxDelay) {
				t.Errorf("%+v after %d attempts: %v", p, attempts, d)
			}
		}
	}
}
