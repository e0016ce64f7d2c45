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
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/boot"
	"github.com/exospherehost/orbit/satellite"
)

// roleWord as the first argument makes this program a child of itself: gateway, node, bare NATS server, stand-in for a model or for an S3 store.
const roleWord = "-child"

// ready is the one line that a child writes to its standard output once it is up.
type ready struct {
	URL    string `json:"url,omitempty"` // of the HTTP API
	NATS   string `json:"nats,omitempty"`
	Gossip string `json:"gossip,omitempty"`
}

// roleFlags is what a child is told.
type roleFlags struct {
	name, data, cache, profile, level string
	nats, listen, cluster, routes     string // NATS: the URL of others, or where a server of our own listens, to clients and to servers
	http, gossip, join                string
	key, token                        string // files
	bundle, slots, replicas, keys     int
	models                            boot.Models
}

// playRole is a child's main function. It ends on SIGTERM, or when its standard input ends because its parent has died. A
// line on its standard input begins the CPU profile, the next one ends it.
func playRole(role string, args []string) int {
	var f roleFlags
	flags := flag.NewFlagSet(role, flag.ExitOnError)
	flags.StringVar(&f.name, "name", role, "")
	flags.StringVar(&f.data, "data", "", "")
	flags.StringVar(&f.cache, "cache", "", "")
	flags.StringVar(&f.nats, "nats", "", "")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:0", "")
	flags.StringVar(&f.cluster, "cluster", "", "")
	flags.StringVar(&f.routes, "routes", "", "")
	flags.StringVar(&f.http, "http", "127.0.0.1:0", "")
	flags.StringVar(&f.gossip, "gossip", "127.0.0.1:0", "")
	flags.StringVar(&f.join, "join", "", "")
	flags.StringVar(&f.key, "key", "", "")
	flags.StringVar(&f.token, "token", "", "")
	flags.StringVar(&f.profile, "cpuprofile", "", "")
	flags.StringVar(&f.level, "level", "error", "")
	flags.IntVar(&f.bundle, "bundle", 0, "")
	flags.Func("models", "", func(text string) error { return f.models.UnmarshalText([]byte(text)) })
	flags.IntVar(&f.slots, "slots", 0, "")
	flags.IntVar(&f.replicas, "replicas", 1, "")
	flags.IntVar(&f.keys, "keys", 0, "")
	_ = flags.Parse(args) // ExitOnError
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	up, down, err := map[string]func(context.Context, roleFlags) (ready, func(), error){"gateway": playGateway, "node": playNode, "server": playServer, "model": playModel, "s3": playS3}[role](ctx, f)
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

// others are whom to gossip with: all addresses but our own.
func (f roleFlags) others() []string {
	return slices.DeleteFunc(strings.Split(f.join, ","), func(addr string) bool { return addr == "" || addr == f.gossip })
}

func playGateway(ctx context.Context, f roleFlags) (ready, func(), error) {
	var specs []*satellite.Spec
	for _, s := range satellites(f.name) {
		specs = append(specs, s.Spec())
	}
	cfg := boot.GatewayConfig{Name: f.name, Data: f.data, HTTP: f.http, NATS: f.nats, NATSListen: f.listen, Gossip: f.gossip, Join: f.others(), KeyFile: f.key, TokenFile: f.token,
		Partitions: 1, Replicas: f.replicas, MemoryLimit: 400 * orbit.MiB, // the default of the flag
		Models: slices.Collect(maps.Keys(f.models))}
	g, err := boot.StartGateway(ctx, cfg, boot.Version(), false, f.logger(), specs...)
	if err != nil {
		return ready{}, nil, err
	}
	return ready{g.URL(), g.NATSURL(), g.GossipAddr()}, func() { g.Stop(context.WithoutCancel(ctx)) }, nil
}

func playNode(ctx context.Context, f roleFlags) (ready, func(), error) {
	cfg := boot.NodeConfig{Name: f.name, Data: f.data, NATS: f.nats, Gossip: f.gossip, Join: f.others(), Slots: f.slots, Cache: f.cache, Models: f.models, DrainTimeout: 5 * time.Second}
	n, err := boot.StartNode(ctx, cfg, boot.Extra{Version: boot.Version(), Satellites: satellites(f.name), BundleSize: f.bundle, Log: f.logger()})
	if err != nil {
		return ready{}, nil, err
	}
	return ready{}, func() { n.Stop(context.WithoutCancel(ctx)) }, nil
}
