package orbittest_test

import (
	"context"
	"maps"
	"testing"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// What attempts took is summed up for each step and for the run: of items that failed and were tried again the failed attempts
// too, and of one whose node died in the middle only what was committed.
func TestUsageIsSummedOverAllCommittedAttempts(t *testing.T) {
	orbittest.Test(t, orbittest.Options{Nodes: 2, Models: 4}, func(o *orbittest.Orbit) {
		o.Script.On("list", orbittest.FanOut(10))
		o.Script.On("ask", orbittest.Spend(7, orbittest.OnItem(map[orbit.Lineage]orbittest.Behaviour{
			"0.3": orbittest.FailFirst(2),
			"0.5": func(ctx context.Context, x *orbittest.Execution) error {
				if x.Count == 1 {
					return orbittest.KillNode(ctx, x)
				}
				return orbittest.Pass(ctx, x)
			},
			"0.8": orbittest.FailForGood,
		})))
		id := o.Run(o.Apply(listOfModels), nil)
		run := o.Wait(id)
		if run.State != orbit.RunPartial {
			t.Fatalf("the run is %s: %s", run.State, run.Error)
		}
		want := orbit.Usage{orbit.CompletionTokens: 7 * (10 + 2)} // ten items, one of them three times
		if !maps.Equal(run.Usage, want) || !maps.Equal(run.Satellites[1].Usage, want) || run.Satellites[0].Usage != nil {
			t.Errorf("the run took %v, its steps %v, %v; want %v, all of it by the second", run.Usage, run.Satellites[0].Usage, run.Satellites[1].Usage, want)
		}
		for _, it := range o.Items(id, "") {
			if it.Satellite == "ask" && it.Usage[orbit.CompletionTokens] != 7 {
				t.Errorf("%s took %v", it.ID, it.Usage)
			}
		}
	})
}
