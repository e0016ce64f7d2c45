package boot

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/mesh"
	"github.com/exospherehost/orbit/mesh/probe"
	"github.com/exospherehost/orbit/node"
	"github.com/exospherehost/orbit/node/modelhost"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/catalog"
	"github.com/exospherehost/orbit/satellite/custom"
	"github.com/exospherehost/orbit/streams"
)

// NodeConfig is the configuration of a node. Every field is a flag and a key of the configuration file of the same name.
type NodeConfig struct {
	Name          string            `help:"Name of this node, unique in the mesh. Default: the host's name, with a number where that is taken on this machine."`
	Data          string            `help:"Data folder. Default: one per name, under the user's data folder." placeholder:"DIR"`
	NATS          string            `name:"nats" help:"URL of the NATS server: the gateway's embedded one, or an external one." default:"nats://127.0.0.1:4222" placeholder:"URL"`
	NATSCreds     string            `name:"nats-creds" help:"Credentials file for an external NATS server." placeholder:"FILE"`
	TokenFile     string            `name:"token-file" help:"File with the gateway's token, which its NATS server asks for beyond one machine. Or ORBIT_TOKEN." placeholder:"FILE"`
	Gossip        string            `help:"Address to gossip on. Empty: any free port, on the address that reaches --join." placeholder:"ADDR"`
	Advertise     string            `help:"Address under which others reach our gossip. Empty: where it listens." placeholder:"HOST"`
	Join          []string          `help:"Gossip addresses of gateways or nodes; one that answers is enough." default:"127.0.0.1:7946" placeholder:"HOST:PORT"`
	GossipKeyFile string            `name:"gossip-key-file" help:"File with the key that encrypts gossip: the same on every machine." placeholder:"FILE"`
	Classes       string            `help:"File with the hardware classes; the same as the gateway's. Empty: the built-in ones." placeholder:"FILE"`
	Slots         int               `help:"Bundles run at once. 0: twice the cores, at least 4." default:"0"`
	Workers       int               `help:"Documents read at once. 0: one for each core." default:"0"`
	Cache         string            `help:"Folder for what is slow to make, such as the compiled PDF reader. Default: the user's cache folder." placeholder:"DIR"`
	Endpoints     map[string]string `help:"Addresses that stand in for services' own: s3=URL of an S3-compatible store, docling=URL of a docling-serve, slack, pagerduty and so on." placeholder:"NAME=URL"`
	Models        Models            `help:"Models that this node answers for: a map from the name of a satellite to {url, model, api-key-file or api-key-env, headers, concurrency (16), context, json-schema (auto, always, never), idle-timeout (60s)} of an OpenAI-compatible endpoint; with {launch, gpu-memory, gpus (1), health, start-timeout (10m)} this node starts the server when work waits, and stops it when the GPU is needed for another." default:"{}" placeholder:"YAML"`
	Satellites    []string          `help:"Folders of satellites of one's own, each with a satellite.yml: this node runs them." placeholder:"DIR"`
	DrainTimeout  time.Duration     `name:"drain-timeout" help:"How long a stopping node waits for what it has begun; the rest is handed back." default:"60s"`
	LogLevel      string            `name:"log-level" help:"debug, info, warn or error." default:"info" enum:"debug,info,warn,error"`
	LogFormat     string            `name:"log-format" help:"text or json." default:"text" enum:"text,json"`
}

// Node is a node with everything around it.
type Node struct {
	Name  string
	Class string
	Slots int

	cfg     NodeConfig
	lock    *os.File
	conn    *nats.Conn
	mesh    *mesh.Mesh
	probe   *probe.Prober
	catalog *catalog.Catalog
	own     *custom.Set
	host    *modelhost.Host
	gpus    func() []orbit.GPU
	node    *node.Node
	ballast []byte
}

// Extra is what a node takes that no configuration file holds.
type Extra struct {
	Version    string
	Server     *streams.Server       // connect to it in this process instead of by URL
	Satellites []satellite.Satellite // beside the built-in ones
	BundleSize int                   // items in each bundle this node makes; 0: as measured
	GPUs       func() []orbit.GPU    // in place of those of this machine
	Log        zerolog.Logger
}

// ballast is memory that a node holds and never touches, so that it takes none of the machine's. A busy node has little in use
// and makes much garbage, which the collector would otherwise look for dozens of times a second. A higher percentage would do
// the same, and multiply what the node has in use where that is much.
const ballast = 20 * orbit.MiB

// StartNode brings a node up, or says in a sentence what stands in the way.
func StartNode(ctx context.Context, cfg NodeConfig, x Extra) (_ *Node, err error) {
	n := &Node{cfg: cfg, ballast: make([]byte, ballast)}
	tune(200, 0) // what a node has in use is small; its satellites' data is what it is
	defer func() {
		if err != nil {
			n.Stop(ctx)
		}
	}()
	if err := catalog.CheckEndpoints(cfg.Endpoints); err != nil {
		return nil, err
	}
	token, err := readToken(cfg.TokenFile)
	if err != nil {
		return nil, err
	}
	key, err := readGossipKey(cfg.GossipKeyFile)
	if err != nil {
		return nil, err
	}
	classes, err := readClasses(cfg.Classes)
	if err != nil {
		return nil, err
	}
	models, err := cfg.Models.endpoints()
	if err != nil {
		return nil, err
	}
	if err := n.takeName(); err != nil {
		return nil, err
	}
	if isLoopbackURL(cfg.NATS) || strings.Contains(cfg.NATS, "@") {
		token = "" // an embedded server on loopback asks for none; a URL brings its own
	}
	n.conn, err = streams.Connect(ctx, streams.ConnectOptions{Name: "orbit-node " + n.Name, URL: cfg.NATS, Creds: cfg.NATSCreds, Token: token, Server: x.Server, Wait: 5 * time.Second, Log: x.Log})
	if err != nil {
		return nil, err
	}
	n.probe = probe.New(x.Log)
	hw, err := n.probe.Hardware(ctx)
	if err != nil {
		return nil, fmt.Errorf("the hardware of this machine cannot be read: %w", err)
	}
	if n.gpus = x.GPUs; n.gpus == nil {
		n.gpus = n.probe.GPUs
	}
	hw.GPUs = n.gpus()
	n.Class = placement.ClassOf(hw, classes)
	if n.Slots = cfg.Slots; n.Slots <= 0 {
		n.Slots = max(4, 2*hw.Cores)
	}
	n.mesh, err = mesh.Start(ctx, mesh.Config{Name: n.Name, Role: mesh.Node, Bind: cfg.Gossip, Advertise: cfg.Advertise, Join: cfg.Join, Key: key, Log: x.Log})
	if err != nil {
		return nil, err
	}
	if err := n.mesh.Joined(); err != nil {
		x.Log.Warn().Err(err).Msg("gossip has found nobody yet; going on without, and trying")
	}
	cache := cfg.Cache
	if cache == "" {
		if dir, err := os.UserCacheDir(); err == nil {
			cache = filepath.Join(dir, "orbit")
		}
	}
	if n.catalog, err = catalog.New(catalog.Options{Endpoints: cfg.Endpoints, CacheDir: cache, Workers: cfg.Workers, Models: models, Log: x.Log}); err != nil {
		return nil, err
	}
	for _, s := range x.Satellites {
		if err := n.catalog.Registry().Add(s); err != nil {
			return nil, err
		}
	}
	if n.own, err = custom.OpenAll(cfg.Satellites, n.catalog.Registry()); err != nil {
		return nil, err
	}
	n.catalog.Warm()
	pools, elsewhere := poolsOf(x.Satellites, n.own.Satellites), map[string]int{}
	for _, m := range n.catalog.Models() {
		pool := m.Spec().Pool
		pools, elsewhere[pool] = append(pools, pool), m.Slots()
	}
	servers, err := cfg.Models.servers(models, n.catalog.Registry(), hw.GPUs)
	if err != nil {
		return nil, err
	}
	n.host = modelhost.New(modelhost.Options{Servers: servers, GPUs: n.gpus, Dir: filepath.Join(n.data(), "models"), Mask: maskOf(models), Log: x.Log})
	n.compareSpecs(ctx, x.Log)
	n.node, err = node.Start(node.Options{Name: n.Name, Version: x.Version, Conn: n.conn, Registry: n.catalog.Registry(), Hardware: n.hardware(hw),
		Class: n.Class, Serves: placement.ClassesOf(hw, classes), Pools: pools, Slots: n.Slots, Elsewhere: elsewhere, BundleSize: x.BundleSize, Address: n.mesh.Addr(),
		Ready: n.host.Ready(), Models: n.models, Busy: n.digest(hw, pools, elsewhere, x.Version), Gossip: n.mesh, Log: x.Log})
	if err == nil && len(servers) > 0 {
		n.host.Start(n.node)
	}
	return n, err
}

// models tells how the models stand that the node answers for.
func (n *Node) models() []orbit.ModelDoc {
	hosted := n.host.Models()
	var docs []orbit.ModelDoc
	for _, m := range n.catalog.Models() {
		d := orbit.ModelDoc{Name: m.Spec().Name, State: orbit.ModelBound}
		if at := slices.IndexFunc(hosted, func(h orbit.ModelDoc) bool { return h.Name == d.Name }); at >= 0 {
			d = hosted[at]
		}
		d.TokensPerSecond = m.Pace()
		docs = append(docs, d)
	}
	return docs
}

// Stop drains: what has begun is finished within the drain time-out, what has not is handed back, gossip is told goodbye.
func (n *Node) Stop(ctx context.Context) {
	if n.host != nil {
		n.host.Freeze()
	}
	if n.node != nil {
		ctx, cancel := context.WithTimeout(ctx, n.cfg.DrainTimeout)
		n.node.Drain(ctx)
		cancel()
	}
	if n.host != nil { // what was begun needed the servers
		n.host.Stop()
	}
	if n.mesh != nil {
		_ = n.mesh.Leave(2 * time.Second)
		n.mesh.Stop()
	}
	n.own.Close()
	if n.catalog != nil {
		_ = n.catalog.Close()
	}
	if n.probe != nil {
		n.probe.Close()
	}
	if n.conn != nil {
		n.conn.Close()
	}
	if n.lock != nil {
		_ = n.lock.Close()
	}
}

// Busy is the number of bundles that the node is running.
func (n *Node) Busy() int { return n.node.Busy() }

// hardware gives the inventory as of now: only the free memory of GPUs changes.
func (n *Node) hardware(hw orbit.Hardware) func() orbit.Hardware {
	return func() orbit.Hardware {
		now := hw
		now.GPUs = n.gpus()
		return now
	}
}

// digest gossips what changes.
func (n *Node) digest(hw orbit.Hardware, pools []string, elsewhere map[string]int, version string) func(busy int) {
	h := fnv.New64a()
	for _, p := range pools {
		_, _ = h.Write([]byte(p + "\n")) // a hash takes everything
	}
	slots := n.Slots
	for _, more := range elsewhere {
		slots += more
	}
	var last mesh.Digest
	return func(busy int) {
		d := mesh.Digest{Class: n.Class, Pools: h.Sum64(), Slots: slots, Busy: busy, Version: version, FreeCores: max(0, hw.Cores-busy), Load: n.probe.Load(hw.Cores), Inventory: 1}
		for _, g := range n.gpus() {
			d.FreeGPU = append(d.FreeGPU, int(g.Free/orbit.MiB))
		}
		if d.Busy == last.Busy && slices.Equal(d.FreeGPU, last.FreeGPU) && abs(d.Load-last.Load) < 20 {
			return // gossip is for what makes a difference
		}
		last = d
		n.mesh.Update(d)
	}
}

// takeName finds a name and locks its data folder, so that two processes never share either.
func (n *Node) takeName() error {
	if n.cfg.Name != "" {
		n.Name = n.cfg.Name
		if strings.ContainsAny(n.Name, ".*> /\\\t\n") {
			return fmt.Errorf("the name %q does not fit; use letters, digits, hyphens and underscores", n.Name)
		}
		return n.lockData(n.data())
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "node"
	}
	host = strings.NewReplacer(".", "-", " ", "-").Replace(host)
	for i := 1; ; i++ {
		n.Name = host
		if i > 1 {
			n.Name = fmt.Sprintf("%s-%d", host, i)
		}
		err := n.lockData(n.data())
		if err == nil || !errors.Is(err, errInUse) || i == 64 || n.cfg.Data != "" {
			return err
		}
	}
}

func (n *Node) data() string {
	if n.cfg.Data != "" {
		return n.cfg.Data
	}
	return defaultData("node", n.Name)
}

var errInUse = errors.New("it is in use by another process; stop it or choose another with --data")

func (n *Node) lockData(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the data folder %s cannot be made (%s); choose another with --data", dir, cause(err))
	}
	f, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("the data folder %s cannot be written (%s); choose another with --data", dir, cause(err))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return fmt.Errorf("the data folder %s: %w", dir, errInUse)
	}
	n.lock = f
	return nil
}

func isLoopbackURL(url string) bool {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		rest = url
	}
	return isLoopback(rest)
}

func abs(n int) int { return max(n, -n) }
