package orbittest

import (
	"time"

	"github.com/exospherehost/orbit/mesh"
)

// Replace starts another node or gateway for each that crashes, d after its death, until the returned function is called.
func (o *Orbit) Replace(d time.Duration) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	replaced := map[*Process]bool{}
	for _, p := range o.processes() {
		replaced[p] = p.dead.Load()
	}
	go func() {
		defer close(done)
		for {
			select {
			case <-time.After(d):
			case <-quit:
				return
			}
			for _, p := range o.processes() {
				if !p.dead.Load() || replaced[p] {
					continue
				}
				start := o.startGateway
				if p.Role == mesh.Node {
					start = func() error { return o.startNode(o.nextName("node")) }
				}
				if err := start(); err != nil { // the server is away, or was in the middle of it
					o.Logf("%s is not replaced yet: %v", p.Name, err)
					continue
				}
				replaced[p] = true
			}
		}
	}()
	return func() { close(quit); <-done }
}
