package orbittest

import (
	"strings"

	"github.com/exospherehost/orbit/kv"
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
