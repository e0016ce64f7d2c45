// Command seed-demo runs the first published cluster (examples/structured-json) against real servers on this machine, and shows
// what came of it, with the mail that a second cluster sends at the end of its run. `make seed-demo` calls it after the build. ORBIT_LLM_URL names an OpenAI-compatible endpoint to ask instead of
// the stand-in, ORBIT_LLM_MODEL its model.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/exospherehost/orbit/scripts/seed-demo/demo"
)

func main() {
	bin := flag.String("bin", "bin", "folder with orbit-gateway, orbit-node and versitygw")
	file := flag.String("file", "examples/structured-json/cluster.yml", "the cluster file")
	mail := flag.String("mail", "examples/structured-json/report.yml", "the file of the cluster that sends a mail at its end")
	kill := flag.Bool("kill", false, "kill a node in the middle")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, demo.Options{Bin: *bin, S3: filepath.Join(*bin, "versitygw"), File: *file, Mail: *mail, Kill: *kill, Model: os.Getenv("ORBIT_LLM_URL"), Out: os.Stderr}); err != nil {
		fmt.Fprintf(os.Stderr, "seed-demo: %v\n", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o demo.Options) error {
	dir, err := os.MkdirTemp("", "orbit-seed-demo-")
	if err != nil {
		return err
	}
	o.Dir = dir
	r, err := demo.Run(ctx, o)
	if err != nil {
		return fmt.Errorf("%w\nlogs and data are in %s", err, dir)
	}
	fmt.Fprintf(os.Stderr, "\nThe webhook has received:\n")
	for _, h := range r.Hooks {
		fmt.Printf("%s\n", h.Data)
	}
	fmt.Fprintf(os.Stderr, "\nfiles left in the bucket: %d\nmoved to the failure bucket: %s\nalert: %s\nlog records delivered: %d\nthe run ended as %s\n",
		len(r.Left), r.Failed[0], r.Alerts[0], r.Logs, r.Run.State)
	fmt.Fprintf(os.Stderr, "\nThe mail server has received:\n")
	for _, m := range r.Mails {
		fmt.Printf("From: %s\nTo: %s\nSubject: %s\n\n%s\n", m.From, m.To, m.Subject, m.Text)
	}
	return os.RemoveAll(dir)
}
