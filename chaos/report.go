package main

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/boot"
)

// report is what an experiment came to.
type report struct {
	Seed    uint64
	Length  time.Duration
	Begun   time.Time
	Load    time.Duration // with the healing of the last faults
	Setting string
	Missing map[kind]string // kinds that this machine does not allow
	Refused []string        // clusters

	Faults  []done
	Starts  map[string]int
	Ended   []string // by themselves
	Carried uint64   // packets
	Dropped uint64

	Ops       map[string]map[string]int // by kind and result
	Registers int
	Stale     int
	Runs      map[orbit.RunState]int
	Accepted  int
	Items     map[orbit.ItemState]int
	Records   int
	Again     int // retries
	Messages  int
	Heard     int
	Effects   int
	Extra     int            // effects of attempts that were not the committed ones
	WornOut   int            // items that failed though the world would have given way
	Calls     map[string]int // of webhooks, by answer
	Answers   int

	Longest gap
	Gaps    map[kind]gap

	Violations []string
}

func newReport(s *settings) *report {
	r := &report{Seed: s.seed, Length: s.length, Missing: map[kind]string{}, Starts: map[string]int{}, Ops: map[string]map[string]int{},
		Runs: map[orbit.RunState]int{}, Items: map[orbit.ItemState]int{}, Gaps: map[kind]gap{}, Calls: map[string]int{}}
	r.Setting = "all processes share loopback"
	if s.allowed.net {
		r.Setting = "each process has a network namespace; a switch in this program joins them (TUN)"
	}
	if s.allowed.disk {
		r.Setting += fmt.Sprintf("; %s stores on a file system of %d MiB", cramped, crampedMiB)
	}
	r.Setting += fmt.Sprintf("; %s syncs every write", syncing)
	for _, k := range kinds {
		if why := s.allowed.missing(k); why != "" {
			r.Missing[k] = why
			if len(s.allowed.why) > 0 {
				r.Missing[k] += " (" + strings.Join(s.allowed.why, "; ") + ")"
			}
		}
	}
	return r
}

// count adds up operations, runs and items.
func (r *report) count(e *evidence, accepted int) {
	r.Accepted, r.Messages = accepted, e.store.Messages()
	for _, o := range e.ops {
		if r.Ops[o.Kind] == nil {
			r.Ops[o.Kind] = map[string]int{}
		}
		r.Ops[o.Kind][o.Result]++
	}
	for _, doc := range e.store.Runs() {
		r.Runs[doc.State]++
		for _, s := range doc.Satellites {
			for i, n := range s.Items {
				r.Items[orbit.ItemStates[i]] += n
			}
		}
	}
	for _, m := range e.store.Records() {
		r.Records++
		if rec, err := orbit.DecodeRecordHead(m.Data); err == nil {
			r.Again += rec.Counts.Retry
		}
	}
}

// after is how long after a fault silence still counts as its doing.
const after = 5 * time.Second

// gaps finds the times in which nothing was committed.
func (r *report) gaps(e *evidence) {
	var commits []time.Duration
	for _, m := range e.store.Records() {
		commits = append(commits, m.Time.Sub(e.begun))
	}
	slices.Sort(commits)
	r.Longest = longest(commits, 0, r.Load)
	for _, d := range r.Faults {
		if d.Note != "" {
			continue
		}
		if g := longest(commits, d.Began, min(d.Healed+after, r.Load)); g.Long > r.Gaps[d.Fault.Kind].Long {
			r.Gaps[d.Fault.Kind] = g
		}
	}
}

// markdown writes the report for people.
func (r *report) markdown() string {
	var b strings.Builder
	verdict := "every promise was kept"
	if n := len(r.Violations); n > 0 {
		verdict = fmt.Sprintf("%d promises were broken", n)
	}
	fmt.Fprintf(&b, "# Chaos, seed %d: %s\n\n", r.Seed, verdict)
	for _, v := range r.Violations[:min(len(r.Violations), 50)] {
		fmt.Fprintf(&b, "- **%s**\n", v)
	}
	if len(r.Violations) > 0 {
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "| | |\n|---|---|\n")
	row := func(what, format string, a ...any) { fmt.Fprintf(&b, "| %s | %s |\n", what, fmt.Sprintf(format, a...)) }
	row("date", "%s", r.Begun.UTC().Format("2006-01-02 15:04 MST"))
	row("machine", "%s", machine())
	row("versions", "%s", versions())
	row("setting", "%s", r.Setting)
	row("length", "%.1f minutes of load and faults", r.Length.Minutes())
	row("runs", "%d accepted: %s", r.Accepted, countsOf(r.Runs, orbit.RunStates[:]))
	row("items", "%s; %d records, %d attempts to be repeated", countsOf(r.Items, orbit.ItemStates[:]), r.Records, r.Again)
	for _, k := range []string{opStart, opRead, opCancel} {
		row("requests to "+k, "%s", countsOf(r.Ops[k], []string{resultOK, resultRefused, resultFailed, resultUnknown}))
	}
	row("histories", "%d runs are linearizable; of %d a read told what had been true before", r.Registers, r.Stale)
	row("webhooks", "%d effects, %d of them of attempts whose result was not committed; answers: %s; %d items wore out their retries", r.Effects, r.Extra, countsOf(r.Calls, []string{"200", "400", "503", "none"}), r.WornOut)
	row("read", "%d messages of all streams, as many as they say they have; %d republished ones heard; %d answers of the API", r.Messages, r.Heard, r.Answers)
	if r.Carried > 0 {
		row("wire", "%d packets carried, %d lost", r.Carried, r.Dropped)
	}
	row("longest time without a commit", "%.1f s, from second %.1f", r.Longest.Long.Seconds(), r.Longest.From.Seconds())
	if len(r.Refused) > 0 {
		row("clusters left out", "%s", strings.Join(r.Refused, "; "))
	}
	if len(r.Ended) > 0 {
		row("ended by themselves", "%d times: %s", len(r.Ended), strings.ReplaceAll(strings.Join(r.Ended[:min(5, len(r.Ended))], "; "), "|", "/"))
	}
	fmt.Fprintf(&b, "\n| fault | done | not done | longest time without a commit, from its begin to %.0f s after its end |\n|---|---|---|---|\n", after.Seconds())
	for _, k := range kinds {
		did, didNot := 0, 0
		for _, d := range r.Faults {
			switch {
			case d.Fault.Kind != k:
			case d.Note == "":
				did++
			default:
				didNot++
			}
		}
		gap := ""
		if did > 0 {
			gap = fmt.Sprintf("%.1f s", r.Gaps[k].Long.Seconds())
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %s |\n", k, did, didNot, gap)
	}
	if len(r.Missing) > 0 {
		b.WriteString("\nNot possible on this machine:\n\n")
		for _, k := range kinds {
			if why := r.Missing[k]; why != "" {
				fmt.Fprintf(&b, "- %s: %s\n", k, why)
			}
		}
	}
	b.WriteString("\nWhat was done:\n\n```\n")
	slices.SortStableFunc(r.Faults, func(a, b done) int { return cmp.Compare(a.Began, b.Began) })
	for _, d := range r.Faults {
		line := fmt.Sprintf("%s; done %.1fs–%.1fs", d.Fault, d.Began.Seconds(), d.Healed.Seconds())
		if d.Note != "" {
			line = fmt.Sprintf("%s; not done: %s", d.Fault, d.Note)
		}
		b.WriteString(line + "\n")
	}
	b.WriteString("```\n")
	return b.String()
}

func countsOf[K ~string](counts map[K]int, order []K) string {
	var out []string
	for _, k := range order {
		if n := counts[k]; n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, k))
		}
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

func machine() string {
	model, memory := "unknown processor", ""
	for file, take := range map[string]func(k, v string){
		"/proc/cpuinfo": func(k, v string) {
			if k == "model name" {
				model = v
			}
		},
		"/proc/meminfo": func(k, v string) {
			if k == "MemTotal" {
				memory = ", " + v + " of memory"
			}
		},
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // not Linux
		}
		for line := range strings.Lines(string(text)) {
			if k, v, ok := strings.Cut(line, ":"); ok {
				take(strings.TrimSpace(k), strings.TrimSpace(v))
			}
		}
	}
	return fmt.Sprintf("%s/%s, %d cores, %s%s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), model, memory)
}

func versions() string {
	out := "orbit " + boot.Version() + ", " + runtime.Version()
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/nats-io/nats-server/v2" {
				out += ", nats-server " + d.Version
			}
		}
	}
	return out
}
