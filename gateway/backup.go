package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit/internal/backup"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// getBackup streams a backup: everything that Orbit has on the NATS server but caches, which are made anew from the rest.
//
// The mesh goes on meanwhile, so streams are written down at different moments, and what is replaced or removed while one
// is being written down may be missing in it. The order makes up for that:
//
//	run documents           then, of every bucket, what was stored in it meanwhile: so no document is missing
//	work and records        later than the documents: whatever a document says has ended is all there. Records are never
//	                        replaced, so of each run there is a prefix of its ledger; what follows from it and is missing,
//	                        a restore puts into its queue again
//	documents once more     of runs that were archived since, whose records may have been purged under our hands
//	blobs, plans, the rest  later than what names them
func (g *Gateway) getBackup(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if _, _, err := g.marks().Get(ctx, restoreKey); err == nil {
		return conflict("a restore is under way, or was broken off; back up when `orbit restore` has done its work")
	}
	names, err := g.ours(ctx)
	if err != nil {
		return err
	}
	queues, err := json.Marshal(g.topology.Queues())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	now := time.Now().UTC()
	out, err := backup.NewWriter(w, backup.Header{Created: now, Version: g.opts.Version, Partitions: g.topology.Partitions, Queues: queues})
	if err == nil {
		err = g.copyAll(ctx, out, names)
	}
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		g.log.Warn().Err(err).Msg("backup broken off")
		panic(http.ErrAbortHandler) // so that the caller sees a broken answer rather than a short one
	}
	g.log.Info().Int("streams", len(names)).Msg("backup made")
	return nil
}

// ours lists the streams that a backup holds, in its order: all of Orbit's but those that hold a cache. The checkpoints
// and leases are folded again, and nodes say what they are every few seconds.
func (g *Gateway) ours(ctx context.Context) ([]string, error) {
	var names []string
	list := g.js.StreamNames(ctx)
	for name := range list.Name() {
		if isOurs(name) {
			names = append(names, name)
		}
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("list the streams: %w", err)
	}
	rank := func(name string) int {
		switch {
		case name == g.store.Runs.Stream():
			return 0
		case name == streams.LogsStream: // after the ledgers, which say how far it was cut
			return 2
		case strings.HasPrefix(name, "ORBIT_"):
			return 1
		}
		return 2
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(rank(a)-rank(b), strings.Compare(a, b)) })
	return names, nil
}

func isOurs(name string) bool {
	switch name {
	case "KV_" + kv.CheckpointsBucket, "KV_" + kv.NodesBucket:
		return false
	}
	return strings.HasPrefix(name, "ORBIT_") || strings.HasPrefix(name, "KV_orbit_") || strings.HasPrefix(name, "OBJ_orbit_")
}

func (g *Gateway) copyAll(ctx context.Context, out *backup.Writer, names []string) error {
	runs := g.store.Runs.Stream()
	var seen uint64 // of the run documents
	closed := false
	for _, name := range names {
		if !closed && name != runs && !strings.HasPrefix(name, "ORBIT_") {
			closed = true
			if err := g.copyLater(ctx, out, runs, seen, func(m streams.Stored) bool {
				doc, err := decodeRun(m.Data)
				return err == nil && doc.Archive != nil
			}); err != nil {
				return err
			}
		}
		last, err := g.copyStream(ctx, out, name)
		if err != nil {
			return err
		}
		if name == runs {
			seen = last
		}
	}
	return nil
}

// copyStream writes one stream, and gives the last sequence of it that the backup has.
func (g *Gateway) copyStream(ctx context.Context, out *backup.Writer, name string) (last uint64, err error) {
	err = streams.TakeSnapshot(ctx, g.opts.Conn, name, func(s streams.Snapshot) error {
		last = s.Last
		return out.Stream(backup.Stream{Name: name, Config: s.Config, State: s.State})
	}, out.Piece)
	if err != nil || !strings.HasPrefix(name, "KV_") {
		return last, err
	}
	from := last
	err = g.copyLater(ctx, out, name, from, func(m streams.Stored) bool {
		last = m.Seq
		return true
	})
	return last, err
}

// copyLater writes what was stored in a bucket after a sequence, where f wants it. A key that is changed again meanwhile
// moves on in the stream, and is met there.
func (g *Gateway) copyLater(ctx context.Context, out *backup.Writer, name string, after uint64, f func(streams.Stored) bool) error {
	return streams.ReadAll(ctx, g.opts.Conn, name, ">", after+1, func(m streams.Stored) error {
		if !f(m) {
			return nil
		}
		msg := backup.Message{Subject: m.Subject, Data: m.Data}
		if op := m.Header.Get("KV-Operation"); op != "" { // a deletion mark
			msg.Header = map[string][]string{"KV-Operation": {op}}
		}
		return out.Message(msg)
	})
}
