package orbittest_test

import (
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// guarded is a chain whose second step needs a secret, which only a gateway can give.
const guarded = `
version: 0.0.1b
cluster:
  identifier: test/guarded
  sla: 6h
  trigger: api-call
  secrets:
    - TOKEN: "a value"
  satellites:
    - {uses: test/single, identifier: a}
    - {uses: test/single, identifier: b, config: {token: "${{ secrets.TOKEN }}"}}
`

func TestWorkThatNeedsAGatewayWaitsForOneAndIsNotTakenForPoison(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Slots: 4}, func(o *orbittest.Orbit) {
		o.Script.On("a", orbittest.Sleep(5*time.Second, orbittest.FanOut(6)))
		id := o.Run(o.Apply(guarded), nil)
		time.Sleep(time.Second)
		o.KillGateway(0)
		time.Sleep(5 * time.Minute)
		o.StartGateway()
		wantRun(t, o.Wait(id), orbit.RunSucceeded, "b", map[orbit.ItemState]int{orbit.ItemSucceeded: 6})
	})
}
