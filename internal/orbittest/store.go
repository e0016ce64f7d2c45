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
	plans   map[string]*cluster.Plan
	blobs   cluster.Blobs
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
	return newStored(messages, func(name string) ([]byte, error) { return blobs.Get(context.Background(), name) })
}

// newStored reads the documents among the messages of all streams.
func newStored(messages map[string][]streams.Stored, blobs cluster.Blobs) (*stored, error) {
	all := &stored{streams: messages, runs: map[string]*kv.Run{}, plans: map[string]*cluster.Plan{}, blobs: blobs}
	for _, m := range all.streams["KV_"+kv.RunsBucket] {
		var doc kv.Run
		if err := json.Unmarshal(m.Data, &doc); err != nil {
			return nil, fmt.Errorf("the document at %s: %w", m.Subject, err)
		}
		all.runs[doc.ID] = &doc
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

// under gives the messages of the work streams whose subject begins with the words, in stream order.
func (all *stored) under(prefix string) []streams.Stored {
	var out []streams.Stored
	for _, name := range []string{streams.StreamName(0), streams.LaterStream} {
		for _, m := range all.streams[name] {
			if strings.HasPrefix(m.Subject, prefix) {
				out = append(out, m)
			}
		}
	}
	return out
}
