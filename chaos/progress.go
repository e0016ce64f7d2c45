package main

import (
	"slices"
	"time"
)

// gap is a time in which nothing was committed, from the beginning of the load.
type gap struct {
	From time.Duration `json:"from"`
	Long time.Duration `json:"long"`
}

// longest gives the longest gap between commits that touches a window. Its ends count as commits, so that silence at either
// end is seen.
func longest(commits []time.Duration, from, to time.Duration) (g gap) {
	last := from
	if i, ok := slices.BinarySearch(commits, from); !ok && i > 0 {
		last = commits[i-1] // the gap began before the window
	}
	for _, c := range commits {
		if c <= last {
			continue
		}
		if c-last > g.Long {
			g = gap{last, c - last}
		}
		if last = c; last >= to {
			return g
		}
	}
	if to-last > g.Long {
		g = gap{last, to - last}
	}
	return g
}
