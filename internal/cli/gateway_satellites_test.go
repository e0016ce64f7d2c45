package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
)

// writer is a satellite that only the gateway's configuration knows.
var writer = orbit.SatelliteSpec{Name: "acme/writer", Kind: "configured", Title: "Ask acme/writer", Config: json.RawMessage(`{"type": "object"}`),
	Input: json.RawMessage(`{"type": "object", "required": ["prompt"]}`), Pool: "model-acme~writer", Timeout: 1, BundleHint: 1}

func TestAGatewayIsAskedForSatellitesThatAreNotKnownHere(t *testing.T) {
	for _, command := range []string{"apply testdata/model.yml", "run testdata/model.yml"} {
		api := &fakeAPI{satellites: []orbit.SatelliteSpec{writer}, runs: []orbit.Run{running()}}
		got := invoke(call{args: orbitArgs(command), api: api})
		want := []string{"GET /v1/satellites?limit=500", "PUT /v1/clusters/demo/letters"}
		if d := cmp.Diff(want, api.requests[:min(2, len(api.requests))]); got.code != 0 || d != "" {
			t.Errorf("%s: exit code %d, stderr %s, requests (-want +got):\n%s", command, got.code, got.stderr, d)
		}
	}
	api := &fakeAPI{}
	got := invoke(call{args: orbitArgs("apply testdata/model.yml"), api: api})
	if got.code != 1 || !strings.Contains(got.stderr, `there is no satellite "acme/writer"`) || len(api.requests) != 1 {
		t.Errorf("exit code %d, stderr %s, requests %v", got.code, got.stderr, api.requests)
	}
	api = &fakeAPI{satellites: []orbit.SatelliteSpec{writer}}
	if got := invoke(call{args: orbitArgs("apply testdata/reports.yml"), api: api}); got.code != 0 || len(api.requests) != 1 {
		t.Errorf("a file of known satellites: exit code %d, requests %v", got.code, api.requests)
	}
	if got := invoke(call{args: orbitArgs("lint testdata/model.yml"), api: api}); got.code != 1 || len(api.requests) != 1 {
		t.Errorf("lint asked a gateway: exit code %d, requests %v", got.code, api.requests)
	}
}
