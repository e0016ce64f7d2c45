// Command orbit checks cluster files, starts and follows runs, and looks at the mesh. `orbit --help` says more.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/exospherehost/orbit/internal/boot"
	"github.com/exospherehost/orbit/internal/cli"
	"github.com/exospherehost/orbit/internal/localmesh"
)

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
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.LookupEnv, cli.Deps{Version: boot.Version(), StartMesh: localmesh.Starter(boot.Version())}))
}
