package orbittest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/exospherehost/orbit/internal/orbittest"
)

// TestTimeInABubbleIsFake is the canary of the whole package: should the NATS server's clock, or anything else, hold the
// bubble to real time, a day would take one.
func TestTimeInABubbleIsFake(t *testing.T) {
	begun := time.Now()
	orbittest.Test(t, orbittest.Options{Nodes: -1}, func(*orbittest.Orbit) {
		inside := time.Now()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if passed := time.Since(inside); passed != 10*time.Minute {
			t.Errorf("%s passed in the bubble", passed)
		}
	})
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("ten minutes of the mesh took %s of ours", took)
	}
}
