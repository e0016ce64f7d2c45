package boot

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
	standin "github.com/exospherehost/orbit/internal/standin/llm"
)

// reports is a cluster whose root's objects are asked about, one by one, of a model that only the configuration knows, and of one
// that needs a large GPU.
const reports = `
version: 0.0.1b
cluster:
  identifier: acme/reports
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: exospherehost/jq, identifier: list, config: {query: ".reports[] | {text: .}"}}
    - uses: acme/tiny
      identifier: ask
      config: {output-format: json, output-schema: '{"company": string, "revenue": number}'}
      input: {prompt: "Give company and revenue. ${{ satellites.list.output.text }}"}
    - uses: exospherehost/gemma-3-27b
      identifier: repeat
      config: {max-tokens: 3}
      input: {prompt: "${{ satellites.ask.output.company }}"}
`

// A gateway that knows the name compiles the cluster; a node without a GPU that is bound to an endpoint runs it.
func TestANodeThatIsBoundToAModelRunsItsSteps(t *testing.T) {
	model := httptest.NewServer(standin.New(standin.Options{Context: 4096}))
	defer model.Close()
	log := zerolog.Nop()
	g, err := StartGateway(t.Context(), GatewayConfig{Name: "gateway", Data: t.TempDir(), HTTP: "127.0.0.1:0", Gossip: "127.0.0.1:0", Partitions: 1, Replicas: 1, Models: []string{"acme/tiny"}}, "test", true, log)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Stop(t.Context())
	binding := ModelBinding{URL: model.URL + "/v1", Concurrency: 8}
	n, err := StartNode(t.Context(), NodeConfig{Name: "node", Data: t.TempDir(), Slots: 2, Join: []string{g.GossipAddr()}, Cache: t.TempDir(), DrainTimeout: time.Second,
		Models: Models{"acme/tiny": binding, "exospherehost/gemma-3-27b": binding}}, Extra{Version: "test", Server: g.Server, Log: log})
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
	if _, _, err := api.Apply(t.Context(), "acme/reports", []byte(reports)); err != nil {
		t.Fatal(err)
	}
	raw, err := api.Start(t.Context(), "acme/reports", apiclient.Start{Payload: json.RawMessage(`{"reports": ["Company: Acme\nRevenue 12.5", "Company: Initech\nRevenue 7"]}`)})
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
		t.Fatalf("%v: the run is %s: %s", err, run.State, run.Error)
	}
	var got []string
	for _, step := range []string{"ask", "repeat"} {
		body, err := api.Outputs(t.Context(), run.ID, step)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(body)
		if err := errors.Join(err, body.Close()); err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Split(strings.TrimSpace(string(text)), "\n")...)
	}
	slices.Sort(got)
	want := []string{
		`{"company":"Acme","revenue":12.5}`, `{"company":"Initech","revenue":7}`,
		`{"text":"Acme Acme Acme","usage":{"completion-tokens":3,"prompt-tokens":1,"total-tokens":4}}`,
		`{"text":"Initech Initech Initech","usage":{"completion-tokens":3,"prompt-tokens":1,"total-tokens":4}}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("outputs (-want +got):\n%s", d)
	}
}
