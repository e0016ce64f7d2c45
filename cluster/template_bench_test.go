package cluster_test

import (
	"testing"

	"github.com/exospherehost/orbit/cluster"
)

// A config with two expressions, as a step with a file name has it.
func BenchmarkTemplateResolve(b *testing.B) {
	r := compile(chain)
	if r.Plan == nil {
		b.Fatal(told(r.Diagnostics))
	}
	last, _ := r.Plan.Step("put-files")
	outputs := map[string]any{"files": map[string]any{"file-name": "report.pdf"}, "parse": map[string]any{"pages": 12}}
	scope := &cluster.Scope{Plan: r.Plan, Output: func(step string) (any, error) { return outputs[step], nil }}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := last.Config.Resolve(scope); err != nil {
			b.Fatal(err)
		}
	}
}
