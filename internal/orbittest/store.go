package orbittest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// stored is everything that lies on the server at one moment.
type stored struct {
	streams map[string][]streams.Stored
	runs    map[string]*kv.Run
	history map[string]*kv.Run // runs of which no more is left
	plans   map[string]*cluster.Plan
	blobs   cluster.Blobs

	archives map[string][]streams.Stored // records of closed runs, as they are put away
}

// read reads every stream from end to end, and proves that it did: it has as many messages as the stream says it has.
// Without the proof nothing may be called lost.
func (o *Orbit) read() (*stored, error) {
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	defer cancel()
	return read(ctx, o.conn)
}

func read(ctx context.Context, nc *nats.Conn) (*stored, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	messages := map[string][]streams.Stored{}
	list := js.ListStreams(ctx)
	for info := range list.Info() {
		name := info.Config.Name
		var got []streams.Stored
		if err := streams.ReadAll(ctx, nc, name, ">", 1, func(m streams.Stored) error {
			got = append(got, m)
			return nil
		}); err != nil {
			return nil, err
		}
		s, err := js.Stream(ctx, name)
		if err != nil {
			return nil, err
		}
		if n := s.CachedInfo().State.Msgs; n != uint64(len(got)) {
			return nil, fmt.Errorf("read %d messages of stream %s, which says it has %d; it was not at rest", len(got), name, n)
		}
		messages[name] = got
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	blobs := kv.NewBlobs(js)
	archives, err := readArchives(ctx, blobs, messages["KV_"+kv.RunsBucket], partitionsIn(messages))
	if err != nil {
		return nil, err
	}
	return newStored(messages, archives, func(name string) ([]byte, error) { return blobs.Get(context.Background(), name) })
}

// newStored reads the documents among the messages of all streams.
func newStored(messages, archives map[string][]streams.Stored, blobs cluster.Blobs) (*stored, error) {
	all := &stored{streams: messages, runs: map[string]*kv.Run{}, history: map[string]*kv.Run{}, plans: map[string]*cluster.Plan{}, archives: archives, blobs: blobs}
	for _, m := range all.streams["KV_"+kv.RunsBucket] {
		var doc kv.Run
		if err := json.Unmarshal(m.Data, &doc); err != nil {
			return nil, fmt.Errorf("the document at %s: %w", m.Subject, err)
		}
		all.runs[doc.ID] = &doc
	}
	for _, m := range all.streams["KV_"+kv.HistoryBucket] {
		var doc kv.Run
		if err := json.Unmarshal(m.Data, &doc); err != nil {
			return nil, fmt.Errorf("the document at %s: %w", m.Subject, err)
		}
		all.history[doc.ID] = &doc
	}
	for _, m := range all.streams["KV_"+kv.PlansBucket] {
		p, err := cluster.ParsePlan(m.Data)
		if err != nil {
			return nil, err
		}
		all.plans[m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]] = p
	}
	return all, nil
}

// partitionsIn counts the streams of partitions.
func partitionsIn(messages map[string][]streams.Stored) (n int) {
	for {
		if _, there := messages[streams.StreamName(n)]; !there {
			return max(1, n)
		}
		n++
	}
}

// under gives the messages of the work streams whose subject begins with the words, in the order of each stream.
func (all *stored) under(prefix string) []streams.Stored {
	var out []streams.Stored
	var names []string
	for p := range partitionsIn(all.streams) {
		names = append(names, streams.StreamName(p))
	}
	for _, name := range append(names, streams.LaterStream) {
		for _, m := range all.streams[name] {
			if strings.HasPrefix(m.Subject, prefix) {
				out = append(out, m)
			}
		}
	}
	return out
}

// records gives the records of a run in their order, wherever they lie.
func (all *stored) records(id string) []streams.Stored {
	if archive, ok := all.archives[id]; ok {
		return archive
	}
	var out []streams.Stored
	for _, m := range all.under("orbit.record.") {
		if token(m.Subject, 3) == id {
			out = append(out, m)
		}
	}
	return out
}

// readArchives reads the records of the runs that are put away, given the documents of all runs.
func readArchives(ctx context.Context, blobs *kv.Blobs, documents []streams.Stored, partitions int) (map[string][]streams.Stored, error) {
	out := map[string][]streams.Stored{}
	for _, m := range documents {
		var doc kv.Run
		if json.Unmarshal(m.Data, &doc) != nil || doc.Archive == nil || doc.Forgotten {
			continue // who reads the documents says what is wrong with them
		}
		var err error
		if out[doc.ID], err = readArchive(ctx, blobs, &doc, partitions); err != nil {
			return nil, fmt.Errorf("the archive of run %s: %w", doc.ID, err)
		}
	}
	return out, nil
}

func readArchive(ctx context.Context, blobs *kv.Blobs, doc *kv.Run, partitions int) (out []streams.Stored, err error) {
	r, err := blobs.OpenArchive(ctx, doc.Archive)
	if err != nil {
		return nil, err
	}
	err = r.Each(ctx, 0, func(e kv.Entry) error {
		out = append(out, streams.Stored{Seq: e.Seq, Subject: streams.RecordSubject(streams.Partition(doc.ID, partitions), doc.ID, e.Key), Time: e.Time, Data: e.Data})
		return nil
	})
	if err == nil && len(out) != doc.Archive.Entries {
		err = fmt.Errorf("it holds %d records and says %d", len(out), doc.Archive.Entries)
	}
	return out, err
}
