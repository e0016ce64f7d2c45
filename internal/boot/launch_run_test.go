package boot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
	standin "github.com/exospherehost/orbit/internal/standin/llm"
)

// The test binary is a model's server, too, where the environment says so.
func TestMain(m *testing.M) {
	if os.Getenv("BOOT_TEST_MODEL") != "" {
		serveModel(os.Args[1], os.Args[2])
	}
	os.Exit(m.Run())
}

// serveModel is a stand-in that answers at an address, and holds a lock while it lives, as if that were the GPU's memory.
func serveModel(address, lock string) {
	f, err := os.OpenFile(lock, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		fmt.Println("out of memory:", err)
		os.Exit(1)
	}
	fmt.Fprintln(f, address)
	l, err := net.Listen("tcp", address)
	if err != nil {
		panic(err)
	}
	panic(http.Serve(l, standin.New(standin.Options{Context: 4096, TokensPerSecond: 100})))
}

// twoModels is a cluster that asks two models about each object; the second gets what the first said.
const twoModels = `
version: 0.0.1b
cluster:
  identifier: acme/two
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: exospherehost/jq, identifier: list, config: {query: "range(20) | {n: .}"}}
    - {uses: acme/one, identifier: first, config: {max-tokens: 3}, input: {prompt: "Say a word about ${{ satellites.list.output.n }}"}}
    - {uses: acme/other, identifier: second, config: {max-tokens: 3}, input: {prompt: "${{ satellites.first.output.text }}"}}
`

// said collects a log.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// Two models that the node starts itself, on a GPU that has room for one: both get their work, one after the other, and never do
// both live.
func TestTwoModelsThatFitOneAtATimeBothGetTheirWorkDone(t *testing.T) {
	t.Setenv("BOOT_TEST_MODEL", "yes")
	log := &said{}
	g, err := StartGateway(t.Context(), GatewayConfig{Name: "gateway", Data: t.TempDir(), HTTP: "127.0.0.1:0", Gossip: "127.0.0.1:0", Partitions: 1, Replicas: 1, Models: []string{"acme/one", "acme/other"}}, "test", true, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer g.Stop(t.Context())
	data, lock := t.TempDir(), filepath.Join(t.TempDir(), "gpu")
	models := Models{}
	for _, name := range []string{"acme/one", "acme/other"} {
		address := freeAddress(t)
		models[name] = ModelBinding{URL: "http://" + address + "/v1", Launch: Launch{Args: []string{os.Args[0], address, lock}}, GPUMemory: "60GiB"}
	}
	n, err := StartNode(t.Context(), NodeConfig{Name: "node", Data: data, Slots: 2, Join: []string{g.GossipAddr()}, Cache: t.TempDir(), DrainTimeout: time.Second, Models: models},
		Extra{Version: "test", Server: g.Server, Log: zerolog.New(log), GPUs: func() []orbit.GPU { return []orbit.GPU{{Name: "fake", Memory: 80 * orbit.GiB, Free: 80 * orbit.GiB}} }})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Stop(t.Context())
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	api, err := apiclient.New(apiclient.Options{URL: g.URL(), Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	defer api.Close()
	if _, _, err := api.Apply(t.Context(), "acme/two", []byte(twoModels)); err != nil {
		t.Fatal(err)
	}
	raw, err := api.Start(t.Context(), "acme/two", apiclient.Start{})
	if err != nil {
		t.Fatal(err)
	}
	var run orbit.Run
	for err == nil && !run.State.Terminal() {
		if err = json.Unmarshal(raw, &run); err == nil && !run.State.Terminal() {
			raw, err = api.Run(t.Context(), run.ID, 20*time.Second)
		}
	}
	if err != nil || run.State != orbit.RunSucceeded {
		t.Fatalf("%v: the run is %s: %s\n%s", err, run.State, run.Error, log.String())
	}
	body, err := api.Outputs(t.Context(), run.ID, "second")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil || strings.Count(string(text), "\n") != 20 {
		t.Errorf("%v, %s", err, text)
	}
	ready := ""
	for _, m := range n.models() {
		if m.State == orbit.ModelReady {
			ready += m.Name
		}
	}
	if ready != "acme/other" { // it was the last to be needed, and stays warm
		t.Errorf("%q is ready in the end", ready)
	}
	n.Stop(t.Context())
	started, err := os.ReadFile(lock)
	if err != nil || strings.Count(string(started), "\n") < 2 {
		t.Errorf("%v, these were started:\n%s", err, started)
	}
	if strings.Contains(log.String(), "server failed") {
		t.Errorf("a server failed:\n%s", log.String())
	}
	logs, err := os.ReadDir(filepath.Join(data, "models"))
	if err != nil || len(logs) != 2 {
		t.Errorf("%v, %v", err, logs)
	}
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
