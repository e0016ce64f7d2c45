package orbittest_test

import (
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/gateway"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/internal/orbittest"
)

var (
	seeds = flag.Int("seeds", 20, "how many seeds to try, beside those in testdata/seeds")
	first = flag.Uint64("first", 1, "the first seed")
)

func TestRunsSettleUnderRandomFaults(t *testing.T) {
	all := known(t)
	for i := range *seeds {
		all = append(all, *first+uint64(i))
	}
	for _, seed := range all {
		if !t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { storm(t, seed) }) {
			t.Logf("seed %d failed: try it with -run TestRunsSettleUnderRandomFaults -seeds 1 -first %d, and add it to testdata/seeds when it is mended", seed, seed)
		}
	}
}

// known gives the seeds of testdata/seeds.
func known(t *testing.T) (out []uint64) {
	t.Helper()
	text, err := os.ReadFile("testdata/seeds")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "" || strings.HasPrefix(word, "#") {
			continue
		}
		seed, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			t.Fatalf("testdata/seeds: %q is no seed", line)
		}
		out = append(out, seed)
	}
	return out
}

// The storm's graph, below which two joins unite what its chain came to: "each" for every object of the root, "all" for the run.
// What fails for good is told, and what is said goes to a log step and from there to another.

// fate is what becomes of an item: a function of the seed and its name, so that every execution of it does the same.
type fate struct {
	objects int           // returned
	fails   int           // attempts that fail first; -1: the first fails for good
	takes   time.Duration // each attempt
}

const stormRetries = 2

func fateOf(seed uint64, item string) fate {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d %s", seed, item) // a hash takes everything
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	f := fate{objects: r.IntN(4), takes: time.Duration(r.IntN(5000)) * time.Millisecond}
	if item == "a/0" { // the root: something to do for the others
		f.objects += 5
		return f
	}
	switch n := r.IntN(20); {
	case n < 3:
		f.fails = 1 + r.IntN(2)
	case n == 3:
		f.fails = stormRetries + 1
	case n == 4:
		f.fails = -1
	}
	return f
}

// act does to an item what its fate is.
func (f fate) act(c ctx, x *orbittest.Execution) error {
	return orbittest.Sleep(f.takes, func(c ctx, x *orbittest.Execution) error {
		switch {
		case f.fails < 0:
			return orbittest.FailForGood(c, x)
		case x.Attempt <= f.fails:
			return orbit.Transient(orbit.CodeUnavailable, "%s: not yet", x.Item())
		}
		return orbittest.FanOut(f.objects)(c, x)
	})(c, x)
}

// foretell gives the items of each step by state: what the run must come to, whatever happens to the machines.
func foretell(seed uint64, steps []string) map[string]map[orbit.ItemState]int {
	out := map[string]map[orbit.ItemState]int{}
	level := []orbit.Lineage{orbit.RootLineage}
	for i, step := range steps {
		out[step] = map[orbit.ItemState]int{}
		if i == 1 { // an object of the root each
			out["each"] = map[orbit.ItemState]int{orbit.ItemSucceeded: len(level)}
		}
		var next []orbit.Lineage
		for _, l := range level {
			f := fateOf(seed, orbit.ItemID(step, l))
			if f.fails < 0 || f.fails > stormRetries {
				out[step][orbit.ItemFailed]++
				continue
			}
			out[step][orbit.ItemSucceeded]++
			for i := range f.objects {
				next = append(next, l.Child(i))
			}
		}
		level = next
	}
	told := 0
	for _, states := range out {
		told += states[orbit.ItemFailed]
	}
	all := orbit.ItemSucceeded
	if each := out["each"][orbit.ItemSucceeded]; each < told { // less than half of what counts for it
		all = orbit.ItemFailed
		defer func() { out["tell"][orbit.ItemSucceeded]++ }()
	}
	out["all"], out["tell"] = map[orbit.ItemState]int{all: 1}, map[orbit.ItemState]int{orbit.ItemSucceeded: told}
	return out
}

// storm lets runs go through crashes, cuts, restarts, failures, lost acks, pauses and duplicates, all drawn from the seed.
func storm(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 2))
	opts := orbittest.Options{Gateways: 1 + r.IntN(2), Nodes: 1 + r.IntN(3), Slots: 1 + r.IntN(4), Partitions: 1}
	if seed%3 == 0 {
		opts.Partitions = 3
	}
	if seed%2 == 0 {
		opts.CheckpointFrom = gateway.DefaultCheckpointFrom
	}
	steps := []string{"a", "b", "c", "d"}[:2+r.IntN(3)]
	orbittest.Test(t, opts, func(o *orbittest.Orbit) {
		for _, s := range steps {
			o.Script.On(s, func(c ctx, x *orbittest.Execution) error {
				x.Use(orbit.PromptTokens, int64(x.Count))
				return fateOf(seed, x.Item()).act(c, x)
			})
		}
		name := o.Apply(stormCluster(steps))
		stop := o.Replace(3 * time.Second)
		o.SetFaults(gremlin(o, rand.New(rand.NewPCG(seed, 3))))
		var ids []string
		for range 1 + r.IntN(3) {
			ids = append(ids, o.Run(name, nil))
		}
		nemesis(o, r)
		o.SetFaults(nil)
		o.Calm()
		want := foretell(seed, steps)
		for _, id := range ids {
			run := o.Wait(id)
			for s := range want {
				wantRun(t, run, run.State, s, want[s])
			}
		}
		stop()
	})
}

func stormCluster(steps []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 0.0.1b\ncluster:\n  identifier: test/storm\n  sla: 6h\n  trigger: api-call\n  retries: {max: %d, delay: 2s}\n  satellites:\n", stormRetries)
	for i, s := range steps {
		fmt.Fprintf(&b, "    - {uses: %s, identifier: %s}\n", []string{"test/single", "test/few", "test/many"}[i%3], s)
	}
	b.WriteString("    - {uses: test/few, identifier: each, unites: {identifier: a, strategy: all-done}}\n")
	b.WriteString("    - {uses: test/single, identifier: all, parents: [each], unites: {identifier: run, strategy: all-done, min-success: 50%}}\n")
	b.WriteString("  failure:\n    satellites:\n      - {uses: test/few, identifier: tell, config: {note: \"${{ failure.item }}\"}}\n")
	b.WriteString("  logs:\n    satellites:\n      - {uses: test/few, identifier: send}\n      - {uses: test/single, identifier: note}\n")
	return b.String()
}

// gremlin makes one point in thirty go wrong.
func gremlin(o *orbittest.Orbit, r *rand.Rand) func(*orbittest.Process, int, string) error {
	var mu sync.Mutex
	crashes := 0
	return func(p *orbittest.Process, _ int, point string) error {
		mu.Lock()
		dice, nap := r.IntN(120), time.Duration(r.IntN(40_000))*time.Millisecond
		mu.Unlock()
		switch {
		case dice == 0:
			mu.Lock()
			crashes++
			enough := crashes > 2 // more of them, at one bundle, and it is rightly taken for poison
			mu.Unlock()
			if enough {
				return nil
			}
			o.Logf("%s crashes at %s", p.Name, point)
			p.Crash()
			return fault.ErrCrash
		case dice == 1:
			o.Logf("%s fails at %s", p.Name, point)
			return errors.New("injected failure")
		case dice == 2:
			o.Logf("%s naps for %s at %s", p.Name, nap, point)
			time.Sleep(nap)
		case dice < 6 && point == "delivery.ack":
			o.Logf("%s loses an ack", p.Name)
			return fault.ErrLost
		}
		return nil
	}
}

// nemesis does a handful of things to the machines, with pauses between them.
func nemesis(o *orbittest.Orbit, r *rand.Rand) {
	for range 3 + r.IntN(4) {
		time.Sleep(time.Duration(r.IntN(15_000)) * time.Millisecond)
		p := o.Pick(r.IntN(1 << 20))
		span := time.Duration(r.IntN(50_000)) * time.Millisecond
		switch r.IntN(5) {
		case 0:
			if p != nil {
				p.Crash()
			}
		case 1, 2:
			if p != nil {
				o.Logf("%s is cut off for %s", p.Name, span)
				p.Cut()
				time.AfterFunc(span, p.Heal)
			}
		case 3:
			o.Logf("the server is away for %s", span/10)
			o.RestartServer(span / 10)
		case 4:
			o.Logf("%d messages of work come twice", o.Duplicate(3))
		}
	}
}
