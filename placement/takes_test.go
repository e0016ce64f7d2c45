package placement

import (
	"testing"

	"github.com/exospherehost/orbit"
)

func TestWorkIsTakenByWhomItsPoolAndClassAre(t *testing.T) {
	serves, pools := []string{"cpu-large", "cpu"}, []string{orbit.CorePool, orbit.ModelPool("exospherehost/gemma-3-27b"), "project-acme"}
	for _, tc := range []struct {
		class, pool string
		want        bool
	}{
		{"cpu", orbit.CorePool, true},
		{"cpu-large", "project-acme", true},
		{"gpu-80g", orbit.CorePool, false},
		{"gpu-80g", "project-acme", false},
		{"gpu-80g", "model-gemma-3-27b", true}, // an endpoint has the GPU
		{"tpu", "model-gemma-3-27b", true},     // a class of which this machine has not heard
		{"cpu", "model-gemma-3-4b", false},
		{"cpu", "project-other", false},
	} {
		if got := Takes(serves, pools, tc.class, tc.pool); got != tc.want {
			t.Errorf("class %s, pool %s: %t", tc.class, tc.pool, got)
		}
	}
}
