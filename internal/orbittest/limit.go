package orbittest

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit/kv"
)

// Limit gives a step a limit on concurrency, in every plan that is stored. Only nodes that have not read the plan yet see it.
func (o *Orbit) Limit(step string, n int) {
	o.T.Helper()
	all, err := o.read()
	if err != nil {
		o.T.Fatal(err)
	}
	js, err := jetstream.New(o.conn)
	if err != nil {
		o.T.Fatal(err)
	}
	for name, p := range all.plans {
		s, ok := p.Step(step)
		if !ok {
			continue
		}
		s.Concurrency = n
		if _, err := kv.NewStore(o.conn, js).Plans.Put(context.Background(), name, &kv.Plan{Text: p.Encode()}); err != nil {
			o.T.Fatal(err)
		}
	}
}
