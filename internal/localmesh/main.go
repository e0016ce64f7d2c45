package localmesh

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/exospherehost/orbit/internal/boot"
	"github.com/exospherehost/orbit/internal/cli"
)

// Main is the command orbit, able to start meshes in its own process. It gives the exit code.
func Main(args []string) int {
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		interrupt()
		<-signals // who asks twice will not wait for anything to be drained
		os.Exit(130)
	}()
	return cli.Main(ctx, args, os.Stdin, os.Stdout, os.Stderr, os.LookupEnv, cli.Deps{Version: boot.Version(), StartMesh: Starter(boot.Version())})
}
