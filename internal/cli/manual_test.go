package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/catalog"
)

func TestManualPageTellsAllOfTheSpec(t *testing.T) {
	spec := &orbit.SatelliteSpec{
		Name: "demo/count", Aliases: []string{"demo/number"}, Title: "Count things", Description: "Counts.\n\nAgain and again and again and again.",
		Config: []byte(`{"type": "object", "required": ["step"], "x-message": "takes step or list, not both", "properties": {
			"mode": {"enum": ["up", "down"], "default": "up", "description": "Which way."},
			"step": {"type": ["integer", "string"], "description": "How far."},
			"wait": {"type": "string", "format": "go-duration"},
			"names": {"type": "array", "items": {"type": "string"}},
			"headers": {"$ref": "#/$defs/strings", "description": "Headers."},
			"inner": {"type": "object", "properties": {"key": {"type": "boolean", "default": false}}},
			"either": {"anyOf": [{"type": "null"}, {"type": "number"}]}},
			"$defs": {"strings": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Strings."}}}`),
		EmptyInput:   true,
		Output:       []byte(`{"type": "object", "description": "One number.", "properties": {"n": {"type": "integer"}, "list": {"type": "array", "items": {"type": "object", "properties": {"x": {}}}}}}`),
		SecretFields: []string{"config.headers"}, Pool: orbit.CorePool, Resources: orbit.Resources{CPU: 1, Memory: orbit.GiB}, Timeout: time.Minute,
		Failures: []orbit.SatelliteFailure{{Code: "unavailable", Retried: true, When: "nobody is there"}, {Code: "denied", When: "the key is not known to anybody at all"}},
		Example:  "uses: demo/count\nconfig:\n  step: 1\n",
	}
	want := `demo/count
  Count things
  Also called demo/number

DESCRIPTION
  Counts.

  Again and again and again and again.

CONFIG
  It takes step or list, not both.
  step  integer or string, required
      How far.
  mode  one of up, down, default "up"
      Which way.
  wait  duration
  names  list of string
  headers  map of string, may hold secrets
      Headers.
  inner  map
  inner.key  boolean, default false
  either  null or number

INPUT
  none

OUTPUT
  One number.
  n  integer
  list  list of map
  list[].x  any value

FAILS
  unavailable  tried again
      When nobody is there.
  denied  at once
      When the key is not known to anybody
      at all.

EXAMPLE
  - uses: demo/count
    config:
      step: 1

RUNS
  In the pool core, on at least 1 core and
  1GiB of memory; an attempt may take 1m,
  where ` + "`timeout` says nothing else.\n"
	if d := cmp.Diff(want, string((&manual{width: 42}).page(spec))); d != "" {
		t.Errorf("page (-want +got):\n%s", d)
	}
}

func TestEveryBuiltInSatelliteHasAPage(t *testing.T) {
	all, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range all.Specs() {
		if page := (&manual{width: 80}).page(spec); len(page) < 500 {
			t.Errorf("%s:\n%s", spec.Name, page)
		}
		got, ok := findSatellite(all, spec.Name[len("exospherehost/"):])
		if !ok || got != spec {
			t.Errorf("%s is not found by its name part", spec.Name)
		}
	}
	for _, name := range []string{"satellite/exospherehost/jq", "exospherehost/jq", "jq"} {
		if _, ok := findSatellite(all, name); !ok {
			t.Errorf("%s is not found", name)
		}
	}
}
