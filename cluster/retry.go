package cluster

import (
	"math"
	"slices"
	"time"

	"github.com/exospherehost/orbit"
)

// RetryPolicy says how often and when a failed item is tried again.
type RetryPolicy struct {
	Max      int            `json:"max"`      // retries after the first attempt
	Strategy string         `json:"strategy"` // exponential, linear or fixed
	Delay    orbit.Duration `json:"delay"`
	Factor   float64        `json:"factor"`    // of exponential
	MaxDelay orbit.Duration `json:"max_delay"` // of one wait; 0: none
	Jitter   string         `json:"jitter"`    // full, equal or none
}

// DefaultRetries is the policy of a cluster that says nothing: five retries, waiting at most 1s, 2s, 4s, 8s and 16s.
var DefaultRetries = RetryPolicy{Max: 5, Strategy: "exponential", Delay: orbit.Duration(time.Second), Factor: 2,
	MaxDelay: orbit.Duration(5 * time.Minute), Jitter: "full"}

// longestWait stands for all longer ones: 146 years, so that two of them still fit a time.Duration.
const longestWait = math.MaxInt64 / 2

// Wait is the longest wait before the next attempt, after the given number of attempts (from 1). It is
//
//	exponential  delay × factor^(attempts−1)
//	linear       delay × attempts
//	fixed        delay
//
// and at most max-delay. Jitter only makes it shorter.
func (p RetryPolicy) Wait(attempts int) time.Duration {
	if p.Delay <= 0 { // nothing times infinity is no wait
		return 0
	}
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
	return time.Duration(min(d, longestWait))
}

// Longest is what all waits of the policy add up to, each as long as it can be.
func (p RetryPolicy) Longest() time.Duration {
	var sum time.Duration
	for attempts := range p.Max {
		if sum += p.Wait(attempts + 1); sum >= longestWait {
			return longestWait
		}
	}
	return sum
}

// longRetries warns of policies that outlast the SLA: the cluster's where a step has it, and those of steps where they
// are not the same mistake once more.
func (c *compiler) longRetries(s *Spec) {
	if s.SLA <= 0 {
		return
	}
	warn := func(key Pos, p RetryPolicy) {
		wait := orbit.Duration(p.Longest().Round(time.Second)).String()
		if p.Longest() == longestWait {
			wait = "more than 100 years"
		}
		c.warn(key, codeLongRetries, "retry less often, or lower delay or max-delay",
			"the retries may wait %s in all, which is longer than the sla of %s", wait, s.SLA)
	}
	inherited := slices.ContainsFunc(s.Steps, func(step *StepSpec) bool { return step.retriesKey == Pos{} })
	told := time.Duration(0)
	if longest := s.Retries.Longest(); inherited && c.retriesKey != (Pos{}) && longest > time.Duration(s.SLA) {
		warn(c.retriesKey, s.Retries)
		told = longest
	}
	for _, step := range s.Steps {
		longest := step.Retries.Longest()
		if step.retriesKey != (Pos{}) && longest > time.Duration(s.SLA) && longest != told {
			warn(step.retriesKey, step.Retries)
		}
	}
}
