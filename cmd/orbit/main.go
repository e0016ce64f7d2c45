// Command orbit checks cluster files, starts and follows runs, and looks at the mesh. `orbit --help` says more.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/exospherehost/orbit/internal/cli"
)

// version is set by the release build; without it the build's own information is shown.
var version string

func main() {
	ctx, interrupt := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		interrupt()
		<-signals // who asks twice will not wait for anything to be drained
		os.Exit(130)
	}()
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv, cli.Deps{Version: version}))
}
