package gateway

import (
	"errors"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
)

func TestPlansThatNothingNeedsAreRemoved(t *testing.T) {
	inBubble(t, func(b *bench) {
		has := func(plan string) bool {
			_, _, err := b.g.store.Plans.Get(b.Context(), plan)
			if err != nil && !errors.Is(err, kv.ErrNotFound) {
				b.Fatal(err)
			}
			return err == nil
		}
		planOf := func(cluster string) string {
			doc, _, err := b.g.store.Clusters.Get(b.Context(), kv.ClusterKey(cluster))
			if err != nil {
				b.Fatal(err)
			}
			return doc.Plan
		}
		b.apply("acme/used")
		b.apply("acme/again")
		b.apply("acme/gone")
		b.apply("acme/run")
		used, again, gone, run := planOf("acme/used"), planOf("acme/again"), planOf("acme/gone"), planOf("acme/run")
		id := b.start("acme/run", "").ID
		for _, name := range []string{"again", "gone", "run"} {
			if w := b.send("DELETE", "/v1/clusters/acme/"+name, ""); w.Code/100 != 2 {
				b.Fatalf("%d %s", w.Code, w.Body)
			}
		}
		time.Sleep(time.Second)
		look := func(before time.Time, last map[string]uint64) map[string]uint64 {
			unused, err := b.g.removeUnused(b.Context(), before, last)
			if err != nil {
				b.Fatal(err)
			}
			return unused
		}
		if old := look(time.Now().Add(-planAge), nil); len(old) != 0 {
			b.Errorf("of plans of a second ago %v are old", old)
		}
		last := look(time.Now(), nil)
		if len(last) != 2 || last[again] == 0 || last[gone] == 0 || !has(again) || !has(gone) {
			b.Errorf("at the first look %v of %s and %s are unused, or are gone already", last, again, gone)
		}
		b.g.plans.drop(again) // it was stored long ago
		b.apply("acme/again") // the same file, and so the same plan
		b.send("DELETE", "/v1/clusters/acme/again", "")
		look(time.Now(), last)
		if !has(used) || !has(again) || !has(run) || has(gone) {
			b.Errorf("that of a cluster is there: %t, that of one that was applied again: %t, that of a run: %t, and that which nothing needs: %t", has(used), has(again), has(run), has(gone))
		}
		into[orbit.Run](b, b.get("/v1/runs/"+id), 200)
		b.apply("acme/gone")
		if w := b.start("acme/gone", ""); !has(gone) || w.State == orbit.RunFailed {
			b.Error("a plan that was removed does not come back")
		}
	})
}
