package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheSameSeedDrawsTheSameSchedule(t *testing.T) {
	for seed := range uint64(20) {
		a, b := draw(seed, 3*time.Minute), draw(seed, 3*time.Minute)
		if !slices.Equal(a, b) {
			t.Errorf("seed %d draws two schedules", seed)
		}
		if other := draw(seed+1, 3*time.Minute); slices.Equal(a, other) {
			t.Errorf("seeds %d and %d draw the same", seed, seed+1)
		}
	}
	var first []string
	for _, f := range draw(1, time.Minute)[:5] {
		first = append(first, strings.TrimSpace(f.String()))
	}
	want := []string{
		"1.6s  pause           node-2, for 2.4s",
		"2.9s  pause           node-4, for 37.1s",
		"3.0s  packet loss     gateway-1, 12 %, for 14.8s",
		"5.7s  packet loss     node-3, 26 %, for 11.5s",
		"6.1s  partition       nats-1, for 14.0s",
	}
	if !slices.Equal(first, want) { // a seed that found something must find it again, in a later version too
		t.Errorf("seed 1 draws\n%s", strings.Join(first, "\n"))
	}
}

func TestNoTwoServersFallAtOnceAndTheEndIsCalm(t *testing.T) {
	seen := map[kind]bool{}
	for seed := range uint64(50) {
		for _, length := range []time.Duration{30 * time.Second, time.Minute, 5 * time.Minute} {
			until := map[string]time.Duration{}
			roll := fault{At: length}
			for _, f := range draw(seed, length) {
				seen[f.Kind] = true
				if f.At < until[f.Lane] {
					t.Errorf("seed %d: %s begins before what happens to its like is over", seed, f)
				}
				until[f.Lane] = f.At + f.For
				if f.Kind == rolling {
					roll = f
				} else if f.Kind != removeConsumer && f.At >= roll.At && f.At < roll.At+roll.For {
					t.Errorf("seed %d: %s begins in a rolling restart", seed, f)
				}
				if f.At+f.For > length-calm && f.Kind != removeConsumer {
					t.Errorf("seed %d: %s lasts into the calm before the end of %s", seed, f, length)
				}
				if slices.Contains(servers, f.Target) && f.Lane != "servers" {
					t.Errorf("seed %d: %s is in lane %s", seed, f, f.Lane)
				}
			}
		}
	}
	for _, k := range kinds {
		if !seen[k] {
			t.Errorf("nothing draws %s", k)
		}
	}
}

func TestWhatAMachineAllowsIsToldInOneWord(t *testing.T) {
	for _, a := range []allowed{{}, {net: true, disk: true, slow: true}, {disk: true, why: []string{"wire: no such device"}}} {
		if got := parseAllowed(a.encode()); fmt.Sprint(got) != fmt.Sprint(a) {
			t.Errorf("%q gives %+v, want %+v", a.encode(), got, a)
		}
		for _, k := range kinds {
			missing := a.missing(k) != ""
			want := k == diskFull && !a.disk || k == slowSync && !a.slow || (k == partition || k == oneWay || k == loss) && !a.net
			if missing != want {
				t.Errorf("%+v: %s is missing: %v", a, k, missing)
			}
		}
	}
}
