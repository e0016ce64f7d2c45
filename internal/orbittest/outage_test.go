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

func TestDamagedRecordsOfOneRunStopNoOther(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Unchecked: true}, func(o *orbittest.Orbit) {
		o.Script.On("b", orbittest.Sleep(time.Hour, orbittest.Pass))
		hurt := o.Run(o.Apply(chain), nil)
		time.Sleep(2 * time.Second)
		gone := orbit.Payload{Chunks: []orbit.Chunk{{Blob: "there-is-none", Size: 3, Count: 1}}}
		for step, rec := range map[string]*orbit.Record{
			"b":             {Counts: orbit.Counts{Retry: 1}, Kids: gone, Results: []orbit.Result{{Lineage: "0.0", State: orbit.ItemRetrying}}},
			"c":             {Counts: orbit.Counts{Retry: 1}, Kids: orbit.Payload{Inline: orbit.AppendKid(nil, orbit.Kid{Kind: orbit.KidRetry, Step: "c", Count: 1})}},
			orbit.RetryStep: {},
			orbit.LogsStep:  {},
		} {
			rec.Run, rec.Step, rec.Bundle, rec.Parent = hurt, step, orbit.HashID("damaged", step), hurt
			o.Publish("orbit.record.0."+hurt+"."+rec.Bundle, rec.Encode())
			o.Publish("orbit.record.0."+hurt+"."+orbit.HashID("garbage", step), []byte("\xff no record"))
		}
		time.Sleep(10 * time.Second)
		wantRun(t, o.Wait(o.Run(o.Apply(alarms), nil)), orbit.RunSucceeded, "total", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		o.KillGateway(0) // whoever leads next meets them too
		o.StartGateway()
		wantRun(t, o.Wait(o.Run(o.Apply(alarms), nil)), orbit.RunSucceeded, "total", map[orbit.ItemState]int{orbit.ItemSucceeded: 1})
		if a := o.Cancel(hurt); a.Status != 200 {
			t.Errorf("the run cannot be cancelled: %d %s", a.Status, a.Body)
		}
	})
}
