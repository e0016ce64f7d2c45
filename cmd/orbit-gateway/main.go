// Command orbit-gateway serves the API, compiles clusters into work, and settles runs. Without --nats it embeds the NATS
// server that everything else connects to.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/exospherehost/orbit/internal/boot"
)

func main() {
	os.Exit(boot.Command[boot.GatewayConfig]{
		Name:  "orbit-gateway",
		About: "The gateway of an Exosphere Orbit mesh: API, clusters, runs, and (unless --nats names another) the NATS server.",
		Run:   run,
	}.Main(os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, cfg boot.GatewayConfig, stderr io.Writer) error {
	log := boot.NewLogger(stderr, cfg.LogLevel, cfg.LogFormat)
	g, err := boot.StartGateway(ctx, cfg, boot.Version(), false, log)
	if err != nil {
		return err
	}
	log.Info().Str("http", g.URL()).Str("nats", g.NATSURL()).Str("gossip", g.GossipAddr()).Msg("gateway is up")
	select {
	case <-ctx.Done():
	case err = <-g.Failed():
		err = fmt.Errorf("the HTTP API stopped: %w", err)
	}
	log.Info().Msg("stopping")
	g.Stop(context.WithoutCancel(ctx))
	return err
}
