// Command chaos runs a whole mesh as real processes (three NATS servers that replicate, two gateways, four nodes), does to it
// what a machine room does, and then reads everything that was stored and holds it against what a run promises.
//
//	seed ──draw──► schedule ──nemesis──► processes, wire, disk
//	load ──► gateways ──► history ┐
//	streams ──► observer ─────────┼──► check ──► report
//	webhooks ──► effects ─────────┘
//
// The same seed draws the same schedule. What this machine does not allow is left out of it, and the report says so. Nothing
// has to be installed: the NATS servers are this program in another role, and the network between the processes, where the
// machine allows one, is a switch in this program (wire_linux.go).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// roleWord as the first argument makes this program a child of itself.
const roleWord = "-child"

func main() {
	if len(os.Args) > 2 && os.Args[1] == roleWord {
		os.Exit(playRole(os.Args[2], os.Args[3:]))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// playRole is a child's main function.
func playRole(role string, args []string) int {
	switch role {
	case "server":
		return playServer(args)
	case "probe":
		return playProbe(args)
	}
	fmt.Fprintf(os.Stderr, "chaos: there is no role %s\n", role)
	return 2
}

// settings is what the command line says.
type settings struct {
	seed    uint64
	length  time.Duration
	bin     string // folder of the real binaries
	report  string // file; "": none
	keep    bool
	quiet   bool // no faults: does the checker find peace in peace?
	plan    bool // print the schedule and stop
	inside  string
	dir     string
	allowed allowed
	log     io.Writer
}

func (s *settings) say(format string, args ...any) {
	fmt.Fprintf(s.log, "%s  %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}

func run(args []string, stdout, stderr io.Writer) int {
	s := &settings{log: stderr}
	minutes := 2.0
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Uint64Var(&s.seed, "seed", 1, "draws the schedule of faults and the load")
	flags.Float64Var(&minutes, "minutes", 2, "how long faults and load last; start, rest and check come on top")
	flags.StringVar(&s.bin, "bin", "bin", "folder with orbit-gateway and orbit-node")
	flags.StringVar(&s.report, "report", "", "also write the report to this file")
	flags.BoolVar(&s.keep, "keep", false, "keep the data when all is well, too")
	flags.BoolVar(&s.quiet, "quiet", false, "load and check without any fault")
	flags.BoolVar(&s.plan, "plan", false, "print the schedule of faults and stop")
	flags.StringVar(&s.inside, "inside", "", "set by chaos itself: what its namespaces allow")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() > 0 || minutes <= 0 {
		fmt.Fprintln(stderr, "chaos: it takes flags alone, and a length of more than 0 minutes; see chaos -help")
		return 2
	}
	s.length = time.Duration(minutes * float64(time.Minute))
	if s.plan {
		for _, f := range draw(s.seed, s.length) {
			fmt.Fprintln(stdout, f)
		}
		return 0
	}
	if s.inside == "" {
		return enclose(args, stderr)
	}
	s.allowed = parseAllowed(s.inside)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var err error
	if s.dir, err = os.MkdirTemp("", "orbit-chaos-"); err != nil {
		fmt.Fprintln(stderr, "chaos:", err)
		return 1
	}
	if s.bin, err = filepath.Abs(s.bin); err != nil {
		fmt.Fprintln(stderr, "chaos:", err)
		return 1
	}
	r, err := wreak(ctx, s)
	if s.allowed.disk {
		unmount(filepath.Join(s.dir, cramped)) // kept, it was copied
	}
	if ctx.Err() != nil {
		_ = os.RemoveAll(s.dir)
		fmt.Fprintln(stderr, "chaos: interrupted; all that it started has ended and its data is removed")
		return 130
	}
	if err != nil {
		fmt.Fprintf(stderr, "chaos: the experiment could not be made: %v; its data is in %s\n", err, s.dir)
		return 1
	}
	text := r.markdown()
	fmt.Fprint(stdout, text)
	if s.report != "" {
		if err := os.WriteFile(s.report, []byte(text), 0o644); err != nil {
			fmt.Fprintln(stderr, "chaos:", err)
			return 1
		}
	}
	if len(r.Violations) > 0 {
		fmt.Fprintf(stderr, "chaos: FAILED, seed %d: %d promises were broken, the first: %s; everything is kept in %s\n", s.seed, len(r.Violations), r.Violations[0], s.dir)
		return 1
	}
	if !s.keep {
		if err := os.RemoveAll(s.dir); err != nil {
			fmt.Fprintln(stderr, "chaos:", err)
		}
	}
	return 0
}
