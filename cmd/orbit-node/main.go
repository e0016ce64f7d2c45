// Command orbit-node runs on each machine of a mesh: it takes work that fits the machine, runs it and commits the results.
package main

import (
	"context"
	"io"
	"os"

	"github.com/exospherehost/orbit/internal/boot"
)

func main() {
	os.Exit(boot.Command[boot.NodeConfig]{
		Name:  "orbit-node",
		About: "A node of an Exosphere Orbit mesh: it takes work that fits this machine and runs it.",
		Run:   run,
	}.Main(os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, cfg boot.NodeConfig, stderr io.Writer) error {
	log := boot.NewLogger(stderr, cfg.LogLevel, cfg.LogFormat)
	n, err := boot.StartNode(ctx, cfg, boot.Extra{Version: boot.Version(), Log: log})
	if err != nil {
		return err
	}
	log.Info().Str("node", n.Name).Str("class", n.Class).Int("slots", n.Slots).Msg("node is up")
	<-ctx.Done()
	log.Info().Int("busy", n.Busy()).Msg("draining")
	n.Stop(context.WithoutCancel(ctx))
	return nil
}
