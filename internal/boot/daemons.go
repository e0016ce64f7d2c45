package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/exospherehost/orbit/satellite"
)

// GatewayCommand is the command orbit-gateway.
func GatewayCommand() Command[GatewayConfig] {
	return Command[GatewayConfig]{
		Name:  "orbit-gateway",
		About: "The gateway of an Exosphere Orbit mesh: API, clusters, runs, and (unless --nats names another) the NATS server.",
		Run:   runGateway,
		Verbs: []Verb[GatewayConfig]{{"rotate-key", "Add a new master key of secrets to the key file. The gateways that run seal everything anew under it.", rotateKey}},
	}
}

// NodeCommand is the command orbit-node, with satellites beside the built-in ones.
func NodeCommand(satellites ...satellite.Satellite) Command[NodeConfig] {
	return Command[NodeConfig]{
		Name:  "orbit-node",
		About: "A node of an Exosphere Orbit mesh: it takes work that fits this machine and runs it.",
		Run: func(ctx context.Context, cfg NodeConfig, stderr io.Writer) error {
			return runNode(ctx, cfg, stderr, satellites)
		},
		Verbs: []Verb[NodeConfig]{{"satellites", "Print the descriptions of the satellites beside the built-in ones, for `orbit satellites register`.",
			func(cfg NodeConfig, stdout io.Writer) error { return describeNode(cfg, satellites, stdout) }}},
	}
}

func runGateway(ctx context.Context, cfg GatewayConfig, stderr io.Writer) error {
	log := NewLogger(stderr, cfg.LogLevel, cfg.LogFormat)
	g, err := StartGateway(ctx, cfg, Version(), false, log)
	if stopped(ctx, err) {
		return nil
	}
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

func runNode(ctx context.Context, cfg NodeConfig, stderr io.Writer, satellites []satellite.Satellite) error {
	log := NewLogger(stderr, cfg.LogLevel, cfg.LogFormat)
	n, err := StartNode(ctx, cfg, Extra{Version: Version(), Satellites: satellites, Log: log})
	if stopped(ctx, err) {
		return nil
	}
	if err != nil {
		return err
	}
	log.Info().Str("node", n.Name).Str("class", n.Class).Int("slots", n.Slots).Msg("node is up")
	<-ctx.Done()
	log.Info().Int("busy", n.Busy()).Msg("draining")
	n.Stop(context.WithoutCancel(ctx))
	return nil
}

// stopped tells whether a start was given up because the process was asked to stop: that is no failure.
func stopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}

// tune sets the collector, unless the environment does (GOGC, GOMEMLIMIT): garbage may grow to percent of what is in use
// before it is collected, and less near the limit. Above a limit the collector works harder; the server's caches of what
// it stored lately would grow to a gigabyte otherwise, though nothing needs them.
func tune(percent int, limit int64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
	if limit > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}
