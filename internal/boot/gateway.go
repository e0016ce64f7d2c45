// Package boot starts and stops whole gateways and nodes: it reads top to bottom in the order in which things come up, and
// down in the order in which they must end. The commands and the private mesh of `orbit run --local` share it.
package boot

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/gateway"
	"github.com/exospherehost/orbit/mesh"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/catalog"
	"github.com/exospherehost/orbit/streams"
	"github.com/exospherehost/orbit/vault/hashicorp"
)

// GatewayConfig is the configuration of a gateway. Every field is a flag and a key of the configuration file of the same
// name.
type GatewayConfig struct {
	Name          string   `help:"Name of this gateway, unique in the mesh." default:"gateway"`
	Data          string   `help:"Data folder. Default: one per name, under the user's data folder." placeholder:"DIR"`
	HTTP          string   `name:"http" help:"Address of the HTTP API." default:"127.0.0.1:7070" placeholder:"ADDR"`
	NATS          string   `name:"nats" help:"URL of an external NATS server, 2.12 or newer with JetStream. Empty: a server is embedded." placeholder:"URL"`
	NATSCreds     string   `name:"nats-creds" help:"Credentials file for the external NATS server." placeholder:"FILE"`
	NATSListen    string   `name:"nats-listen" help:"Address of the embedded NATS server." default:"127.0.0.1:4222" placeholder:"ADDR"`
	Gossip        string   `help:"Address to gossip on." default:"127.0.0.1:7946" placeholder:"ADDR"`
	Advertise     string   `help:"Address under which others reach our gossip. Empty: where it listens." placeholder:"HOST"`
	Join          []string `help:"Gossip addresses of other gateways or nodes; one that answers is enough." placeholder:"HOST:PORT"`
	GossipKeyFile string   `name:"gossip-key-file" help:"File with the key that encrypts gossip: 16, 24 or 32 bytes in base64, the same on every machine. Empty: not encrypted." placeholder:"FILE"`
	TokenFile     string   `name:"token-file" help:"File with the token that the API asks for. Needed to listen beyond this machine." placeholder:"FILE"`
	KeyFile       string   `name:"key-file" help:"File with the master key of secrets, made at the first start; all gateways need the same. Empty: secrets.key in the data folder." placeholder:"FILE"`

	PassphraseFile string         `name:"passphrase-file" help:"File with a passphrase, of which the master key is made instead, with Argon2id; the newest of several stands last. Else ORBIT_KEY_PASSPHRASE. Empty: the key file." placeholder:"FILE"`
	Vault          VaultConfig    `help:"A HashiCorp Vault (KV version 2) from which {vault: NAME} of a cluster is taken: address, mount, namespace, token-file (else VAULT_TOKEN) or approle {role-id, secret-id-file}, ca-file. Empty: the projects' vaults of Orbit." placeholder:"{address: URL, …}"`
	DiscardSecrets bool           `name:"discard-secrets" help:"At this start remove the secrets that were sealed under keys that are lost. Without it the gateway does not start."`
	Classes        string         `help:"File with the hardware classes. Empty: the built-in ones." placeholder:"FILE"`
	Models         []string       `help:"Model satellites that nodes are bound to and this version does not know, so that clusters may use them: project/name, or project/name=40GiB to queue their work by the memory that they need." placeholder:"NAME"`
	Partitions     int            `help:"Partitions of the work: 1 on an embedded server, 8 to 32 on a large external one. Not changed later." default:"1"`
	Replicas       int            `help:"Copies that the NATS servers keep of everything: 1, 3 or 5." default:"1"`
	Sync           bool           `help:"Sync every write of the embedded server to disk before it is answered: slower, and safe against a power cut."`
	MaxStore       orbit.Bytes    `name:"max-store" help:"Bytes that the NATS server may store for us. From 70 % on no run is accepted, from 85 % on nodes do only what makes no more work. 0: of the embedded server three quarters of what the disk has free, of an external one what it grants." default:"0B" placeholder:"SIZE"`
	ArchiveAfter   orbit.Duration `name:"archive-after" help:"How long after its end a run is put away: its records move from the stream to an archive, compressed, and are read from there. 15m at least." default:"24h" placeholder:"DURATION"`
	KeepRuns       orbit.Duration `name:"keep-runs" help:"How long a run's items and outputs are kept after that. Its state, times and counts stay for good. 168h (7 days) at least." default:"720h" placeholder:"DURATION"`
	MemoryLimit    orbit.Bytes    `name:"memory-limit" help:"Memory that this process tries to stay under by collecting garbage sooner. 0: no limit. GOMEMLIMIT wins over it." default:"400MiB" placeholder:"SIZE"`
	LogLevel       string         `name:"log-level" help:"debug, info, warn or error." default:"info" enum:"debug,info,warn,error"`
	LogFormat      string         `name:"log-format" help:"text or json." default:"text" enum:"text,json"`
}

// Gateway is a gateway with everything around it.
type Gateway struct {
	Server  *streams.Server // nil with an external NATS server
	Token   string
	Classes []orbit.Class

	cfg     GatewayConfig
	conn    *nats.Conn
	mesh    *mesh.Mesh
	gateway *gateway.Gateway
	catalog *catalog.Catalog
	outside *hashicorp.Client // nil: secrets are kept here
	http    *http.Server
	addr    string
	served  chan error
}

// minStore has room for the smallest log and for what is stored of a few runs.
const minStore = 64 << 20

// StartGateway brings a gateway up, or says in a sentence what stands in the way. private starts the embedded server without a
// listener. extra describes satellites that nodes run beside the built-in ones.
func StartGateway(ctx context.Context, cfg GatewayConfig, version string, private bool, log zerolog.Logger, extra ...*satellite.Spec) (_ *Gateway, err error) {
	g := &Gateway{cfg: cfg, served: make(chan error, 1)}
	defer func() {
		if err != nil {
			g.Stop(ctx)
		}
	}()
	tune(300, int64(cfg.MemoryLimit))
	if cfg.MaxStore != 0 && cfg.MaxStore < minStore {
		return nil, fmt.Errorf("max-store is %s; the streams need %s at least, and a cluster of some size a hundred times that", cfg.MaxStore, orbit.Bytes(minStore))
	}
	if g.Token, err = readToken(cfg.TokenFile); err != nil {
		return nil, err
	}
	if err := g.checkListening(private); err != nil {
		return nil, err
	}
	key, err := readGossipKey(cfg.GossipKeyFile)
	if err != nil {
		return nil, err
	}
	if g.Classes, err = readClasses(cfg.Classes); err != nil {
		return nil, err
	}
	if cfg.Data == "" {
		cfg.Data = defaultData("gateway", cfg.Name)
	}
	// The API's port is taken first and served last: a port in use is found before anything is written.
	listener, err := listen(cfg.HTTP, "the HTTP API", "--http")
	if err != nil {
		return nil, err
	}
	g.addr = listener.Addr().String()
	g.http = &http.Server{ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	defer func() {
		if err != nil {
			_ = listener.Close()
		}
	}()

	natsToken := ""
	if cfg.NATS == "" {
		o := streams.ServerOptions{Name: cfg.Name, Dir: cfg.Data, Listen: cfg.NATSListen, Sync: cfg.Sync, Limit: int64(cfg.MaxStore), Log: log}
		if private {
			o.Listen = ""
		} else if !isLoopback(cfg.NATSListen) {
			o.Token, natsToken = g.Token, g.Token
		}
		if g.Server, err = streams.StartServer(o); err != nil {
			return nil, err
		}
	} else if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("the data folder %s cannot be made: %w; choose another with --data", cfg.Data, errors.Unwrap(err))
	}
	secrets, err := openVault(cfg)
	if err != nil {
		return nil, err
	}
	if g.outside, err = cfg.Vault.open(); err != nil {
		return nil, err
	}
	g.conn, err = streams.Connect(ctx, streams.ConnectOptions{Name: "orbit-gateway " + cfg.Name, URL: cfg.NATS, Creds: cfg.NATSCreds, Token: natsToken,
		Server: g.Server, Wait: 5 * time.Second, Log: log})
	if err != nil {
		return nil, err
	}
	g.mesh, err = mesh.Start(ctx, mesh.Config{Name: cfg.Name, Role: mesh.Gateway, Bind: cfg.Gossip, Advertise: cfg.Advertise, Join: cfg.Join, Key: key, Log: log})
	if err != nil {
		return nil, err
	}
	g.mesh.Update(mesh.Digest{Version: version})
	if g.catalog, err = catalog.New(catalog.Options{}); err != nil {
		return nil, err
	}
	models, err := modelSpecs(cfg.Models, g.catalog.Registry())
	if err != nil {
		return nil, err
	}
	for _, spec := range append(models, extra...) {
		if err := g.catalog.Registry().Describe(spec); err != nil {
			return nil, err
		}
	}
	var backend gateway.Backend
	if g.outside != nil {
		backend = g.outside
	}
	limit := func() int64 { return int64(cfg.MaxStore) }
	if g.Server != nil {
		limit = g.Server.Limit
	}
	g.gateway, err = gateway.Start(ctx, gateway.Options{Backend: backend, Name: cfg.Name, Version: version, Conn: g.conn, Registry: g.catalog.Registry(), Classes: g.Classes,
		Vault: secrets, DiscardSecrets: cfg.DiscardSecrets, Token: g.Token, Peers: g.mesh.Peers, Witness: g.mesh, Partitions: cfg.Partitions, Replicas: cfg.Replicas,
		ArchiveAfter: time.Duration(cfg.ArchiveAfter), KeepRuns: time.Duration(cfg.KeepRuns),
		Alone:      g.Server != nil, // the lock on the data folder proves it
		StoreLimit: limit, Getenv: clusterEnv, Log: log})
	if err != nil {
		return nil, err
	}
	g.http.Handler = g.gateway.Handler()
	g.http.RegisterOnShutdown(g.gateway.EndStreams)
	go func() { g.served <- g.http.Serve(listener) }()
	return g, nil
}

// URL is the base of the HTTP API.
func (g *Gateway) URL() string { return "http://" + g.addr }

// NATSURL is where nodes connect; "" in a private mesh.
func (g *Gateway) NATSURL() string {
	if g.Server == nil {
		return g.cfg.NATS
	}
	return g.Server.URL()
}

// GossipAddr is where others join.
func (g *Gateway) GossipAddr() string { return g.mesh.Addr() }

// Register makes a satellite of a project known, as `orbit satellites register` does.
func (g *Gateway) Register(ctx context.Context, spec *satellite.Spec) error {
	_, err := g.gateway.Register(ctx, *spec)
	return err
}

// Failed gives an error if the API stops by itself.
func (g *Gateway) Failed() <-chan error { return g.served }

// Stop ends requests, leadership, gossip and the embedded server, in this order: nothing that is still running loses what
// it stands on.
func (g *Gateway) Stop(ctx context.Context) {
	if g.http != nil && g.http.Handler != nil {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		if g.http.Shutdown(ctx) != nil {
			_ = g.http.Close() // somebody is waiting on a stream
		}
		cancel()
	}
	if g.gateway != nil {
		g.gateway.Stop()
	}
	if g.mesh != nil {
		_ = g.mesh.Leave(2 * time.Second)
		g.mesh.Stop()
	}
	if g.catalog != nil {
		_ = g.catalog.Close()
	}
	if g.outside != nil {
		g.outside.Close()
	}
	if g.conn != nil {
		g.conn.Close()
	}
	if g.Server != nil {
		g.Server.Stop()
	}
}

// checkListening refuses what would be open to the network without a token.
func (g *Gateway) checkListening(private bool) error {
	if g.Token != "" {
		return nil
	}
	open := map[string]string{"--http": g.cfg.HTTP, "--gossip": g.cfg.Gossip}
	if g.cfg.NATS == "" && !private {
		open["--nats-listen"] = g.cfg.NATSListen
	}
	for _, flag := range []string{"--http", "--nats-listen", "--gossip"} {
		if addr := open[flag]; addr != "" && !isLoopback(addr) {
			return fmt.Errorf("%s %s listens beyond this machine, which needs a token: write one to a file (mode 0600) and give it with --token-file", flag, addr)
		}
	}
	return nil
}

// listen takes a TCP address.
func listen(addr, what, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("the address %s of %s is in use by another process; stop it or choose another with %s", addr, what, flag)
	}
	return nil, fmt.Errorf("the address %s of %s cannot be listened on (%s); choose another with %s", addr, what, cause(err), flag)
}

// cause is the innermost error's text: what is wrong, without the calls that led there.
func cause(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return strings.TrimPrefix(err.Error(), "listen tcp: ")
		}
		err = next
	}
}

func readClasses(file string) ([]orbit.Class, error) {
	if file == "" {
		return placement.DefaultClasses(), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the file of hardware classes %s cannot be read (%s)", file, cause(err))
	}
	classes, err := placement.ParseClasses(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return classes, nil
}
