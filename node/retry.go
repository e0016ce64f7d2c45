package node

import (
	"math/rand/v2"
	"time"

	"github.com/exospherehost/orbit/cluster"
)

// Backoff is the wait before the next attempt, after the given number of attempts (from 1). r is a random number in
// [0, 1). Without jitter it is the policy's Wait; full jitter takes it times r, equal jitter half of it plus half of it
// times r.
func Backoff(p cluster.RetryPolicy, attempts int, r float64) time.Duration {
	longest := p.Wait(attempts)
	d := float64(longest)
	switch p.Jitter {
	case "none":
		return longest
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
