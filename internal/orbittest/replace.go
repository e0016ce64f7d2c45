package orbittest

import (
	"time"

	"github.com/nats-io/nats.go"

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
					start = o.startNode
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

// Publish puts a message on a subject, as a stranger would.
func (o *Orbit) Publish(subject string, data []byte) {
	o.T.Helper()
	if err := o.conn.PublishMsg(&nats.Msg{Subject: subject, Data: data}); err != nil {
		o.T.Fatal(err)
	}
}

// Waiting is the number of messages of work that are not done.
func (o *Orbit) Waiting() int {
	o.T.Helper()
	all, err := o.read()
	if err != nil {
		o.T.Fatal(err)
	}
	return len(all.under("orbit.work.")) + len(all.under("orbit.later.")) + len(all.under("orbit.due."))
}

// Accepted notes a run that the test itself was given.
func (o *Orbit) Accepted(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.runs = append(o.runs, id)
}

// Pick gives one of the living processes, the n-th by some count; nil where there is none.
func (o *Orbit) Pick(n int) *Process {
	var alive []*Process
	for _, p := range o.processes() {
		if p.Alive() {
			alive = append(alive, p)
		}
	}
	if len(alive) == 0 {
		return nil
	}
	return alive[n%len(alive)]
}

// Calm puts every cable back and waits until all have noticed.
func (o *Orbit) Calm() {
	for _, p := range o.processes() {
		p.Heal()
	}
	time.Sleep(10 * time.Second)
}

// Duplicate stores up to n messages of work a second time, as a publisher that never got its answer would after the
// window in which the server knows it. It gives the number of those that there were.
func (o *Orbit) Duplicate(n int) (done int) {
	all, err := o.read()
	if err != nil {
		return 0 // the server is busy, or on its way up
	}
	for _, m := range all.under("orbit.work.") {
		if done == n {
			break
		}
		if o.conn.PublishMsg(&nats.Msg{Subject: m.Subject, Data: m.Data}) == nil {
			done++
		}
	}
	return done
}
