package orbittest

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit/mesh/meshtest"
	"github.com/exospherehost/orbit/streams"
	"github.com/exospherehost/orbit/vault"
)

// Options say what a mesh is made of.
type Options struct {
	Gateways               int           // 1 by default
	Partitions             int           // 1 by default
	Nodes                  int           // 1 by default; -1: none
	Slots                  int           // of each node, 4 by default
	Models                 int           // of bundles of test/model that each node has in hand at an endpoint; 0: it has none
	Launched               bool          // the nodes start the server of test/model themselves: it is up where Node.Switch says so
	Gossip                 bool          // gateways and nodes gossip
	CheckpointFrom         int           // records of a run that gateways save the state of; 1 by default, far less than in use
	ArchiveAfter, KeepRuns time.Duration // of gateways; 0: as usual
	Gauge                  *Gauge        // how full it is said to be; nil: empty
	Wiretap                bool          // look for secrets in what is said in passing, too; the server then takes us for a listener to everything
	// Unchecked leaves out the checks at the end: the test looks at Violations itself.
	Unchecked bool

	vault *vault.Vault
}

// Orbit is a running mesh. Its methods are called from the test's goroutine, except where they say otherwise.
type Orbit struct {
	T      testing.TB
	Script *Script // what the test satellites do

	opts   Options
	failed func() bool
	dir    string
	vault  *vault.Vault
	log    *logBook
	logger zerolog.Logger
	net    *meshtest.Net
	conn   *nats.Conn // the harness's own
	spy    *spy
	lost   bool           // a test removed what waits
	wg     sync.WaitGroup // of processes that are on their way out

	mu       sync.Mutex
	server   *streams.Server // nil while it is down
	nodes    []*Node
	gateways []*Gateway
	at       func(p *Process, n int, point string) error
	names    map[string]int // given so far, by role
	points   int
	trace    []string
	answers  []string // every answer of the API
	applied  []string
	runs     []string // accepted, as far as a caller was told
}

// Test runs f against a new mesh in a bubble of its own. Afterwards it lets everything come to rest, checks every promise,
// stops the mesh and looks for secrets in the files. The bubble fails by itself if a goroutine is left.
func Test(t *testing.T, o Options, f func(*Orbit)) {
	t.Helper()
	emptyPools()
	synctest.Test(t, func(inner *testing.T) {
		orbit := New(inner, o)
		orbit.failed = func() bool { return t.Failed() || inner.Failed() } // f may report to either
		defer orbit.Close()
		f(orbit)
		if orbit.failed() || o.Unchecked {
			return
		}
		orbit.Settle()
		for _, v := range orbit.Violations() {
			t.Error(v)
		}
	})
}

// emptyPools forgets what earlier bubbles left in pools of the NATS client, which are the process's: a timer of one
// bubble must not be touched in another. Two collections empty every sync.Pool.
func emptyPools() {
	runtime.GC()
	runtime.GC()
}

// New starts a mesh. It is called inside a bubble; Close ends it.
func New(t testing.TB, opts Options) *Orbit {
	t.Helper()
	if opts.Gateways == 0 {
		opts.Gateways = 1
	}
	opts.Partitions, opts.CheckpointFrom = max(1, opts.Partitions), max(1, opts.CheckpointFrom)
	if opts.Nodes == 0 {
		opts.Nodes = 1
	}
	if opts.Slots == 0 {
		opts.Slots = 4
	}
	o := &Orbit{T: t, Script: newScript(), opts: opts, dir: t.TempDir(), failed: t.Failed, log: &logBook{}, net: meshtest.NewNet()}
	o.logger = zerolog.New(o.log).Level(zerolog.DebugLevel).With().Timestamp().Logger()
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	var err error
	if o.vault = opts.vault; o.vault == nil {
		if o.vault, err = vault.New(key); err != nil {
			t.Fatal(err)
		}
	}
	o.StartServer()
	if o.conn, err = streams.Connect(context.Background(), streams.ConnectOptions{Name: "orbittest", Pipe: (*direct)(o), Log: zerolog.New(io.Discard)}); err != nil {
		t.Fatal(err)
	}
	for i := range opts.Gateways {
		o.StartGateway()
		if i == 0 {
			o.newSpy()
		}
	}
	for range max(0, opts.Nodes) {
		o.StartNode()
	}
	return o
}

// Twin starts another mesh in the same bubble, with the same master key and on a server of its own. Close ends it.
func (o *Orbit) Twin(opts Options) *Orbit {
	o.T.Helper()
	opts.vault = o.vault
	t := New(o.T, opts)
	t.failed = o.failed
	return t
}

// Close stops everything, in the order in which a machine room is emptied, and then looks for secrets in what is left on disk.
func (o *Orbit) Close() {
	o.SetFaults(nil)
	o.Script.release()
	if o.failed() {
		o.T.Logf("points passed: %v\nlog:\n%s", o.Trace(), o.log.tail(200))
	}
	for i := range o.nodes {
		o.StopNode(i)
	}
	for i := range o.gateways {
		o.StopGateway(i)
	}
	o.wg.Wait()
	o.conn.Close()
	o.StopServer()
	if o.opts.Gossip {
		meshtest.Drain()
	}
	if !o.opts.Unchecked {
		for _, v := range o.secretsOnDisk() {
			o.T.Error(v)
		}
	}
}

// StartServer starts the NATS server on the mesh's folder.
func (o *Orbit) StartServer() {
	o.T.Helper()
	s, err := streams.StartServer(streams.ServerOptions{Name: "server", Dir: filepath.Join(o.dir, "server"), Log: o.logger.Level(zerolog.InfoLevel)})
	if err != nil {
		o.T.Fatal(err)
	}
	o.mu.Lock()
	o.server = s
	o.mu.Unlock()
}

// StopServer stops the NATS server; its files stay. Every process is left without it.
func (o *Orbit) StopServer() {
	o.mu.Lock()
	s := o.server
	o.server = nil
	o.mu.Unlock()
	if s != nil {
		s.Stop()
	}
}

// RestartServer stops the NATS server and starts it on the same folder.
func (o *Orbit) RestartServer(pause time.Duration) {
	o.T.Helper()
	o.StopServer()
	time.Sleep(pause)
	o.StartServer()
}

// Logf writes to the mesh's log, where a failing test shows it.
func (o *Orbit) Logf(format string, a ...any) {
	o.logger.Info().Msg("TEST " + fmt.Sprintf(format, a...))
}
