package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

func TestBitmapTakesEachNumberOnce(t *testing.T) {
	b := newBitmap(130)
	for _, n := range []int{0, 63, 64, 129} {
		if !b.add(n) {
			t.Errorf("%d is refused", n)
		}
		if b.add(n) {
			t.Errorf("%d is taken twice", n)
		}
	}
	for _, n := range []int{-1, 130, 191} {
		if b.add(n) {
			t.Errorf("%d is taken and belongs elsewhere", n)
		}
	}
	if b.count() != 4 {
		t.Errorf("%d numbers are in, not 4", b.count())
	}
}

func TestRecountFindsWhatMustNotBe(t *testing.T) {
	result := func(lineage orbit.Lineage, state orbit.ItemState) orbit.Result {
		return orbit.Result{Lineage: lineage, State: state}
	}
	ok := orbit.ItemSucceeded
	for name, c := range map[string]struct {
		step    string
		results []orbit.Result
		want    string
	}{
		"all is well":         {"a", []orbit.Result{result("0.0", ok), result("0.1", ok)}, ""},
		"deeper":              {"a", []orbit.Result{result("0.0.0.0", ok), result("0.1.0.0", ok)}, ""},
		"an attempt":          {"a", []orbit.Result{result("0.0", orbit.ItemRetrying), result("0.0", ok)}, ""},
		"twice":               {"a", []orbit.Result{result("0.1", ok), result("0.1", ok)}, "a/0.1 has two results"},
		"too many":            {"a", []orbit.Result{result("0.2", ok)}, "a/0.2 has two results, or should have none"},
		"failed":              {"a", []orbit.Result{result("0.0", orbit.ItemFailed)}, "a/0.0 is failed"},
		"of an unknown step":  {"b", []orbit.Result{result("0.0", ok)}, `a step "b"`},
		"the root is not one": {"root", []orbit.Result{result("0", ok)}, ""},
	} {
		err := recountOne(&orbit.Record{Bundle: "x", Step: c.step, Results: c.results}, map[string]*bitmap{"a": newBitmap(2)})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestRoundsShareKills(t *testing.T) {
	for _, c := range []struct{ n, rounds int }{{20, 3}, {20, 1}, {1, 3}, {5, 5}, {2, 20}} {
		sum := 0
		for round := range c.rounds {
			sum += share(c.n, c.rounds, round)
		}
		if sum != c.n {
			t.Errorf("%d rounds of %d kills come to %d", c.rounds, c.n, sum)
		}
	}
}

func TestMemoryIsToldByThirds(t *testing.T) {
	all := []sample{{10, 1, 1}, {20, 1, 1}, {30, 1, 1}, {25, 9, 1}, {5, 1, 1}, {40, 2, 7}}
	if got, want := thirds(all), "server 20, 30, 40 MiB; gateways 1, 9, 2 MiB; nodes 1, 1, 7 MiB"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := thirds(nil); !strings.HasPrefix(got, "server 0, 0, 0 MiB") {
		t.Error(got)
	}
}

func TestLatestKeepsTheLastOfEachItem(t *testing.T) {
	h := newHeard()
	for _, line := range []string{
		`{"run":"r","item":"a/0","node":"one","at":5}`, `{"run":"r","item":"a/0","node":"two","at":9}`, `{"run":"r","item":"a/1","node":"one","at":6}`,
		`{"run":"another","item":"a/1","node":"two","at":7}`, "no news",
	} {
		h.hear([]byte(line))
	}
	got := latest(h.of("r"))
	if len(got) != 2 || got["a/0"].Node != "two" || got["a/1"].Node != "one" {
		t.Errorf("%+v", got)
	}
	if since := got["a/0"].since(time.Unix(0, 2)); since != 7 {
		t.Errorf("7 ns are told as %s", since)
	}
}

func TestLongMeasurementsAreMadeByNameOnly(t *testing.T) {
	names := func(all []measurement) (names []string) {
		for _, m := range all {
			names = append(names, m.name)
		}
		return names
	}
	all, err := choose(nil, false)
	if err != nil || slices.Contains(names(all), "soak") || slices.Contains(names(all), "recovery") || !slices.Contains(names(all), "engine") {
		t.Errorf("without a name: %v, %v", names(all), err)
	}
	if all, err := choose(nil, true); err != nil || len(all) != len(measurements) {
		t.Errorf("small: %v, %v", names(all), err)
	}
	if all, err := choose([]string{"soak"}, false); err != nil || !slices.Equal(names(all), []string{"soak"}) {
		t.Errorf("by name: %v, %v", names(all), err)
	}
	if _, err := choose([]string{"soak", "bath"}, false); err == nil || !strings.Contains(err.Error(), `no measurement "bath"`) {
		t.Errorf("an unknown name: %v", err)
	}
}
