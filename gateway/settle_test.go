package gateway

import (
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// The hint of a run's last record is lost, and nothing comes after it that would show the gap: the leader finds it all the same.
func TestRunEndsThoughNobodyTellsOfItsLastRecord(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.apply("acme/a")
		run := b.start("acme/a", "")
		time.Sleep(3 * time.Second) // the mesh is quiet
		const root = "first"
		rec := &orbit.Record{Bundle: orbit.BundleID(root, run.ID, 0), Run: run.ID, Step: root, Parent: run.ID, Counts: orbit.Counts{Succeeded: 1},
			Results: []orbit.Result{{Lineage: orbit.RootLineage, State: orbit.ItemSucceeded, Attempt: 1}}}
		if _, err := b.g.pub.Do(b.Context(), streams.RecordMessage(0, rec, rec.Encode())); err != nil {
			b.Fatal(err)
		}
		time.Sleep(3 * pollEvery)
		if got := into[orbit.Run](b, b.get("/v1/runs/"+run.ID), 200); got.State != orbit.RunSucceeded {
			b.Errorf("three looks later the run is %s", got.State)
		}
	})
}
