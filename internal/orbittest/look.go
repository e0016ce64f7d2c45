package orbittest

import (
	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

// Records gives the records of a run in stream order.
func (o *Orbit) Records(id string) []*orbit.Record {
	o.T.Helper()
	all, err := o.read()
	if err != nil {
		o.T.Fatal(err)
	}
	var out []*orbit.Record
	for _, m := range all.records(id) {
		rec, err := orbit.DecodeRecord(m.Data)
		if err != nil {
			o.T.Fatal(err)
		}
		out = append(out, rec)
	}
	return out
}

// Dead gives what lies under orbit.dead.
func (o *Orbit) Dead() []streams.Stored {
	o.T.Helper()
	all, err := o.read()
	if err != nil {
		o.T.Fatal(err)
	}
	return all.under("orbit.dead.")
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
