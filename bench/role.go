package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/boot"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/streams"
)

// roleWord as the first argument makes this program a child of itself: gateway, node, bare NATS server or stand-in for a model.
const roleWord = "-child"

// ready is the one line that a child writes to its standard output once it is up.
type ready struct {
	URL    string `json:"url,omitempty"` // of the HTTP API
	NATS   string `json:"nats,omitempty"`
	Gossip string `json:"gossip,omitempty"`
}

// roleFlags is what a child is told.
type roleFlags struct {
	data, cache, nats, join, profile, level string
	bundle                                  int
	models                                  boot.Models
}

// playRole is a child's main function. It ends on SIGTERM, or when its standard input ends because its parent has died. A
// line on its standard input begins the CPU profile, the next one ends it.
func playRole(role string, args []string) int {
	var f roleFlags
	flags := flag.NewFlagSet(role, flag.ExitOnError)
	flags.StringVar(&f.data, "data", "", "")
	flags.StringVar(&f.cache, "cache", "", "")
	flags.StringVar(&f.nats, "nats", "", "")
	flags.StringVar(&f.join, "join", "", "")
	flags.StringVar(&f.profile, "cpuprofile", "", "")
	flags.StringVar(&f.level, "level", "error", "")
	flags.IntVar(&f.bundle, "bundle", 0, "")
	flags.Func("models", "", func(text string) error { return f.models.UnmarshalText([]byte(text)) })
	_ = flags.Parse(args) // ExitOnError
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	up, down, err := map[string]func(context.Context, roleFlags) (ready, func(), error){"gateway": playGateway, "node": playNode, "server": playServer, "model": playModel}[role](ctx, f)
	if err != nil {
		fmt.Fprintln(os.Stderr, role+":", err)
		return 1
	}
	defer down()
	line, err := json.Marshal(up)
	if err != nil {
		return 1
	}
	fmt.Println(string(line))
	go func() {
		defer stop()
		in := bufio.NewScanner(os.Stdin)
		for begin := true; in.Scan(); begin = false {
			step := endProfile
			if begin {
				step = beginProfile
			}
			if err := step(f.profile); err != nil {
				fmt.Fprintln(os.Stderr, role+":", err)
			}
		}
	}()
	<-ctx.Done()
	pprof.StopCPUProfile()
	return 0
}

func beginProfile(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return pprof.StartCPUProfile(f) // the file stays open until the process ends
}

// endProfile ends the CPU profile and writes one of the memory in use beside it.
func endProfile(name string) error {
	pprof.StopCPUProfile()
	f, err := os.Create(name + ".heap")
	if err != nil {
		return err
	}
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}

func (f roleFlags) logger() zerolog.Logger { return boot.NewLogger(os.Stderr, f.level, "text") }

func playGateway(ctx context.Context, f roleFlags) (ready, func(), error) {
	var specs []*satellite.Spec
	for _, s := range satellites() {
		specs = append(specs, s.Spec())
	}
	cfg := boot.GatewayConfig{Name: "gateway", Data: f.data, HTTP: "127.0.0.1:0", NATSListen: "127.0.0.1:0", Gossip: "127.0.0.1:0", Partitions: 1, Replicas: 1,
		MemoryLimit: 400 * orbit.MiB, // the default of the flag
		Models:      slices.Collect(maps.Keys(f.models))}
	g, err := boot.StartGateway(ctx, cfg, boot.Version(), false, f.logger(), specs...)
	if err != nil {
		return ready{}, nil, err
	}
	return ready{g.URL(), g.NATSURL(), g.GossipAddr()}, func() { g.Stop(context.WithoutCancel(ctx)) }, nil
}

func playNode(ctx context.Context, f roleFlags) (ready, func(), error) {
	cfg := boot.NodeConfig{Name: "node", Data: f.data, NATS: f.nats, Gossip: "127.0.0.1:0", Join: []string{f.join}, Cache: f.cache, Models: f.models, DrainTimeout: 5 * time.Second}
	n, err := boot.StartNode(ctx, cfg, boot.Extra{Version: boot.Version(), Satellites: satellites(), BundleSize: f.bundle, Log: f.logger()})
	if err != nil {
		return ready{}, nil, err
	}
	return ready{}, func() { n.Stop(context.WithoutCancel(ctx)) }, nil
}

func playServer(_ context.Context, f roleFlags) (ready, func(), error) {
	s, err := streams.StartServer(streams.ServerOptions{Name: "bare", Dir: filepath.Clean(f.data), Listen: "127.0.0.1:0", Log: f.logger()})
	if err != nil {
		return ready{}, nil, err
	}
	return ready{NATS: s.URL()}, s.Stop, nil
}
