// Command bench measures a whole mesh on one machine: a gateway with its embedded NATS server in one process, a node in
// another, TCP over loopback between them and this one; where processes are killed, or copies compared, there are more of
// them. It prints one table.
//
//	bench                      everything but recovery and soak
//	bench transitions runs     only these
//	bench recovery             half an hour of kills: how long until others go on?
//	bench soak                 a million items while processes are killed
//	bench -quick               everything, much smaller: does it still run?
//
// Figures of one machine say little about another, so each is compared, in the same run and by turns, with a bare loop
// that makes the same writes to the same server and does nothing else (see bare.go). No figure is a condition; counts are: a
// measurement whose items, records or outputs are not exactly those that they must be has failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == roleWord {
		os.Exit(playRole(os.Args[2], os.Args[3:]))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// measurement is one thing that is measured.
type measurement struct {
	name  string
	about string
	limit time.Duration // a healthy one takes a tenth
	run   func(context.Context, *bench) ([]row, error)
	long  bool // only when it is asked for by name, or small
}

var measurements = []measurement{
	{"transitions", "bundles a second from record to record, beside the bare loop", 30 * time.Minute, transitions, false},
	{"million", "a million items through three steps: time and memory", 20 * time.Minute, million, false},
	{"latency", "one short run at a time", 10 * time.Minute, latency, false},
	{"idle", "what a mesh costs that does nothing", 5 * time.Minute, idle, false},
	{"runs", "many short runs submitted at once, beside the bare loop", 30 * time.Minute, runs, false},
	{"models", "answers a second of a model at an endpoint, beside a plain client", 10 * time.Minute, models, false},
	{"listing", "the time until the first child of a root begins that lists a large bucket in S3", 20 * time.Minute, listing, false},
	{"pdfs", "PDF files a second of a core, beside pdftotext", 30 * time.Minute, pdfs, false},
	{"engine", "joins, retries and limits beside a plain fan-out", 30 * time.Minute, engine, false},
	{"replicas", "three copies of everything beside one", 30 * time.Minute, replicas, false},
	{"recovery", "the time until the work of a killed or stopped process is done by others", 4 * time.Hour, recovery, true},
	{"soak", "a million items while one process after another is killed", 24 * time.Hour, soak, true},
	{"demo", "the time of `make demo`, if there is one", 20 * time.Minute, demo, false},
}

// bench is what all measurements share.
type bench struct {
	rounds  int
	part    float64 // of the full size
	quick   bool
	profile string // folder for profiles; "": none
	verbose bool
	items   int           // of a soak
	every   time.Duration // between two kills of a soak
	nap     time.Duration // length of an item of a soak; 0: so that a run lasts for a dozen kills
	seed    uint64        // draws whom a soak kills
	gossip  string        // address of this machine
	dir     string        // temporary
	log     io.Writer
}

// size is a full number of things, scaled down.
func (b *bench) size(full int) int { return max(1, int(float64(full)*b.part)) }

func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.log, format+"\n", args...) }

func run(args []string, stdout, stderr io.Writer) int {
	b := &bench{log: stderr}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&b.rounds, "rounds", 3, "times that bare loop and mesh take turns; medians are shown")
	flags.Float64Var(&b.part, "n", 1, "size, as a part of the full one")
	flags.BoolVar(&b.quick, "quick", false, "one round, a hundredth of the size, no waiting for quiet: does it still run?")
	flags.StringVar(&b.profile, "cpuprofile", "", "folder for profiles of gateway and node")
	flags.StringVar(&b.gossip, "gossip", "", "recovery: address of this machine to gossip on; beyond loopback the timings are those of a network")
	flags.IntVar(&b.items, "items", 1_000_000, "soak: items")
	flags.DurationVar(&b.every, "every", 20*time.Second, "soak: time between two kills")
	flags.DurationVar(&b.nap, "nap", 0, "soak: length of an item; 0: so that a run lasts for a dozen kills")
	flags.Uint64Var(&b.seed, "seed", 1, "soak: draws whom it kills")
	flags.BoolVar(&b.verbose, "v", false, "show what gateway and node log")
	flags.Usage = func() { usage(stderr, flags) }
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if b.quick {
		b.rounds, b.part = 1, 0.01
	}
	if b.rounds < 1 || b.part <= 0 || b.items < 1 || b.every <= 0 || b.nap < 0 {
		fmt.Fprintln(stderr, "bench: rounds, sizes and times are more than 0; see bench -help")
		return 2
	}
	chosen, err := choose(flags.Args(), b.quick)
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if b.dir, err = os.MkdirTemp("", "orbit-bench-"); err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	defer os.RemoveAll(b.dir)
	if b.profile != "" {
		if err := os.MkdirAll(b.profile, 0o755); err != nil {
			fmt.Fprintln(stderr, "bench:", err)
			return 1
		}
	}
	t := &table{header: machine()}
	code := 0
	for _, m := range chosen {
		b.say("%s: %s", m.name, m.about)
		limited, cancel := context.WithTimeoutCause(ctx, m.limit, fmt.Errorf("not done after %s", m.limit))
		rows, err := m.run(limited, b)
		if err != nil && limited.Err() != nil {
			err = fmt.Errorf("%w (%w)", context.Cause(limited), err)
		}
		cancel()
		t.rows = append(t.rows, rows...)
		if err != nil {
			t.rows = append(t.rows, row{m.name, "FAILED", err.Error()})
			code = 1
		}
		if ctx.Err() != nil {
			break
		}
	}
	t.print(stdout)
	return code
}

func choose(names []string, quick bool) (chosen []measurement, err error) {
	if len(names) == 0 {
		return slices.DeleteFunc(slices.Clone(measurements), func(m measurement) bool { return m.long && !quick }), nil
	}
	for _, name := range names {
		found := false
		for _, m := range measurements {
			if m.name == name {
				chosen, found = append(chosen, m), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no measurement %q; see bench -help", name)
		}
	}
	return chosen, nil
}

func usage(w io.Writer, flags *flag.FlagSet) {
	fmt.Fprintf(w, "bench [flags] [measurement …]\n\n")
	for _, m := range measurements {
		fmt.Fprintf(w, "  %s%s%s\n", m.name, strings.Repeat(" ", 14-len(m.name)), m.about)
	}
	fmt.Fprintln(w)
	flags.PrintDefaults()
}
