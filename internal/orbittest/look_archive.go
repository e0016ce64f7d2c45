package orbittest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// Document is a run's document as it is stored; nil where there is none.
func (o *Orbit) Document(id string) *kv.Run {
	o.T.Helper()
	all, err := o.read()
	if err != nil {
		o.T.Fatal(err)
	}
	return all.runs[id]
}

// Forgotten is what the history has of a run; nil where it has nothing.
func (o *Orbit) Forgotten(id string) *kv.Run {
	o.T.Helper()
	all, err := o.read()
	if err != nil {
		o.T.Fatal(err)
	}
	return all.history[id]
}

// Left lists the subjects of everything that the streams have of a run.
func (o *Orbit) Left(id string) (subjects []string) {
	o.T.Helper()
	all, err := o.read()
	if err != nil {
		o.T.Fatal(err)
	}
	for _, m := range all.under("orbit.") {
		if strings.Contains(m.Subject+".", "."+id+".") {
			subjects = append(subjects, m.Subject)
		}
	}
	return subjects
}

// Saved tells whether there is a checkpoint of a run.
func (o *Orbit) Saved(id string) bool {
	o.T.Helper()
	all, err := o.read()
	if err != nil {
		o.T.Fatal(err)
	}
	return slices.ContainsFunc(all.streams["KV_"+kv.CheckpointsBucket], func(m streams.Stored) bool { return strings.HasSuffix(m.Subject, ".run."+id) })
}

// Blobs counts the messages of the blob store that belong to blobs whose names begin with a run, by their names, and the
// pieces of all blobs.
func (o *Orbit) Blobs(id string) (names []string, pieces int) {
	o.T.Helper()
	all, err := o.read()
	if err != nil {
		o.T.Fatal(err)
	}
	for _, m := range all.streams[kv.BlobsStream] {
		if strings.HasPrefix(m.Subject, "$O."+kv.BlobsBucket+".C.") {
			pieces++
		} else if name, run := kv.BlobName(m.Subject); run == id {
			names = append(names, name)
		}
	}
	return names, pieces
}

// Stored gives every message of every stream that a backup holds, by stream, one line for each: sequence, time, subject, the
// headers that are the sender's, and the bytes.
func (o *Orbit) Stored() map[string][]string {
	o.T.Helper()
	all, err := o.read()
	if err != nil {
		o.T.Fatal(err)
	}
	lines := map[string][]string{}
	for name, msgs := range all.streams {
		if name == "KV_"+kv.CheckpointsBucket || name == "KV_"+kv.NodesBucket {
			continue
		}
		lines[name] = []string{}
		for _, m := range msgs {
			for _, h := range []string{"Nats-Stream", "Nats-Subject", "Nats-Sequence", "Nats-Time-Stamp", "Nats-Num-Pending", "Nats-Last-Sequence", "Nats-UpTo-Sequence"} {
				m.Header.Del(h) // the answer's
			}
			lines[name] = append(lines[name], fmt.Sprintf("%d %s %s %v %x", m.Seq, m.Time.Format(time.RFC3339Nano), m.Subject, m.Header, m.Data))
		}
	}
	return lines
}

// Listed gives the ids of all runs that the API lists.
func (o *Orbit) Listed() (ids []string) {
	o.T.Helper()
	a := o.Call("GET", "/v1/runs?limit=1000", "", nil)
	var page struct{ Data []orbit.Run }
	if err := json.Unmarshal(a.Body, &page); err != nil || a.Status != 200 {
		o.T.Fatalf("list runs: %d %s", a.Status, a.Body)
	}
	for _, run := range page.Data {
		ids = append(ids, run.ID)
	}
	return ids
}
