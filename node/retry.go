package node

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/exospherehost/orbit/cluster"
)

// Backoff is the wait before the next attempt, after the given number of attempts (from 1). r is a random number in
// [0, 1). Without jitter the wait is
//
//	exponential  delay × factor^(attempts−1)
//	linear       delay × attempts
//	fixed        delay
//
// and at most max-delay; full jitter takes it times r, equal jitter half of it plus half of it times r.
func Backoff(p cluster.RetryPolicy, attempts int, r float64) time.Duration {
	d := float64(p.Delay)
	switch p.Strategy {
	case "linear":
		d *= float64(attempts)
	case "fixed":
	default:
		d *= math.Pow(p.Factor, float64(attempts-1))
	}
	if p.MaxDelay > 0 {
		d = min(d, float64(p.MaxDelay))
	}
	d = min(d, float64(math.MaxInt64/2))
	switch p.Jitter {
	case "none":
	case "equal":
		d = d/2 + d/2*r
	default:
		d *= r
	}
	return time.Duration(d)
}

// backoff is Backoff with a random number of its own.
func backoff(p cluster.RetryPolicy, attempts int) time.Duration {
	return Backoff(p, attempts, rand.Float64())
}
