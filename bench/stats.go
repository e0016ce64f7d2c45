package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// quantile is the smallest value that at least the share q of all values reach.
func quantile[T cmp.Ordered](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// count writes a number with its thousands set apart: 12,345.
func count(v float64) string {
	s := strconv.FormatFloat(v, 'f', 0, 64)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// rate is how fast bundles went, and what they cost.
type rate struct {
	bundles int
	took    time.Duration
	cpu     time.Duration // processor time of all processes that had a part in it
	node    time.Duration // of it that of the node, or of what stands in its place; 0 where nobody asks
}

// perSecond is bundles a second.
func (r rate) perSecond() float64 { return float64(r.bundles) / r.took.Seconds() }

// each is the processor time of a bundle in microseconds. It depends less than the rate on what else a machine does.
func (r rate) each() float64 { return float64(r.cpu.Microseconds()) / float64(r.bundles) }

// parts tells each, and of it the node's.
func (r rate) parts() string {
	return fmt.Sprintf("%.0f (node %.0f)", r.each(), float64(r.node.Microseconds())/float64(r.bundles))
}

// of gives one number of each rate.
func of(rates []rate, f func(rate) float64) []float64 {
	out := make([]float64, len(rates))
	for i, r := range rates {
		out[i] = f(r)
	}
	return out
}
