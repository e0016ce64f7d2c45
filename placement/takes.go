package placement

import (
	"slices"

	"github.com/exospherehost/orbit"
)

// Takes tells whether a machine takes work of a class and pool: it hosts the pool, and serves the class. Of a model's pool the
// class does not count: it says what the model needs where it runs, and a machine that hosts the pool has seen to that. Most
// often it is bound to an endpoint on another machine, and needs no GPU itself.
func Takes(serves, pools []string, class, pool string) bool {
	return slices.Contains(pools, pool) && (orbit.IsModelPool(pool) || slices.Contains(serves, class))
}
