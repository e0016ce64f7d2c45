package cli

import (
	"encoding/json"
	"testing"

	"github.com/exospherehost/orbit"
)

func FuzzDecodeMessage(f *testing.F) {
	run := orbit.HashID("run")
	bundle := &orbit.Bundle{ID: orbit.BundleID("a", run, 0), Run: run, Step: "a", Parent: run, Items: []orbit.Item{{Lineage: "0"}}}
	record := &orbit.Record{Bundle: bundle.ID, Run: run, Step: "a", Parent: run, Results: []orbit.Result{{Lineage: "0", State: orbit.ItemSkipped}}}
	for _, seed := range [][]byte{bundle.Encode(), record.Encode(), []byte("{}"), []byte("AAAA"), {0xc4, 0x01, 0xc0}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		v, ok := decodeMessage(in)
		if _, err := json.Marshal(v); ok && err != nil {
			t.Errorf("what was decoded is no JSON: %v", err)
		}
	})
}
