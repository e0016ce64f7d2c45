package orbittest_test

import (
	"testing"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// chain is a, b, c in a row.
const chain = `
version: 0.0.1b
cluster:
  identifier: test/chain
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/few, identifier: b}
    - {uses: test/few, identifier: c}
`

func TestRunGoesFromRootThroughFanOutToSucceeded(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.FanOut(10))
		run := o.Wait(o.Run(o.Apply(chain), nil))
		if run.State != orbit.RunSucceeded {
			t.Errorf("state %s, want succeeded", run.State)
		}
		if out := o.Outputs(run.ID); len(out) != 10 {
			t.Errorf("%d outputs, want 10: %v", len(out), out)
		}
	})
}
