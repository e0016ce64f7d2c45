package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit/internal/backup"
	"github.com/exospherehost/orbit/internal/fault"
	"github.com/exospherehost/orbit/streams"
)

// Restored is the answer to a restore.
type Restored struct {
	Created time.Time `json:"created"` // when the backup was made
	Streams int       `json:"streams"` // and buckets
	Runs    int       `json:"runs"`    // that had not ended, and go on
	Bundles int       `json:"bundles"` // of those runs that were in no queue and are again
}

// cleanTime bounds what is done after a restore has failed, whatever became of its caller.
const cleanTime = 2 * time.Minute

// postRestore puts a backup into an Orbit that holds nothing.
func (g *Gateway) postRestore(w http.ResponseWriter, r *http.Request) error {
	// Before the body is read: a caller that waits for "100 Continue" need not send it.
	broken, err := g.brokenRestore(r.Context())
	if err != nil {
		return err
	}
	if !broken {
		if err := g.mustBeEmpty(r.Context()); err != nil {
			return err
		}
	}
	in, err := backup.NewReader(r.Body)
	if err != nil {
		return badBackup(err)
	}
	got, err := g.restore(r.Context(), in)
	if err != nil {
		return badBackup(err)
	}
	return writeJSON(w, http.StatusOK, got)
}

// restore makes every stream of a backup anew, and then everything that a backup does not hold. Nobody leads meanwhile. What
// fails is undone; what dies is marked, so that no gateway leads on half of it until a restore has been run again.
func (g *Gateway) restore(ctx context.Context, in *backup.Reader) (got *Restored, err error) {
	if in.Header.Partitions != g.topology.Partitions {
		return nil, conflict("the backup has %s and this gateway has %s; start it with --partitions %d on empty data", plural(in.Header.Partitions, "partition"), plural(g.topology.Partitions, "partition"), in.Header.Partitions)
	}
	if !g.restoring.CompareAndSwap(false, true) {
		return nil, conflict("a restore is under way; wait for its end")
	}
	defer g.restoring.Store(false)
	h, err := g.hold(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.release(err == nil)) }()
	if h.broken {
		err = g.wipe(ctx)
	} else if err = g.mustBeEmpty(ctx); err != nil { // somebody was quicker: nothing was touched
		h.clean = true
		return nil, err
	}
	if err == nil {
		got, err = g.putBack(ctx, in)
	}
	if err == nil {
		err = g.makeWhole(ctx, in.Header, got)
	}
	if err == nil {
		g.log.Info().Int("streams", got.Streams).Int("runs", got.Runs).Int("bundles", got.Bundles).Time("backup", got.Created).Msg("restored")
		return got, nil
	}
	if errors.Is(err, fault.ErrCrash) {
		return nil, err
	}
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime)
	defer cancel()
	if werr := g.wipe(clean); werr != nil {
		return nil, fmt.Errorf("%w; what was restored could not be removed (%w): run `orbit restore` again before anything else", err, werr)
	}
	h.clean = true
	return nil, err
}

// putBack makes the streams of a backup, up to its end, where its checksum is checked.
func (g *Gateway) putBack(ctx context.Context, in *backup.Reader) (*Restored, error) {
	got := &Restored{Created: in.Header.Created}
	kind, body, err := in.Next()
	for err == nil {
		switch kind {
		case backup.KindStream:
			var s backup.Stream
			if json.Unmarshal(body, &s) != nil || !isOurs(s.Name) {
				return nil, backup.ErrDamaged
			}
			if s.Config, err = g.fit(s.Config); err != nil {
				return nil, backup.ErrDamaged
			}
			if err := g.js.DeleteStream(ctx, s.Name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
				return nil, fmt.Errorf("make room for the stream %s: %w", s.Name, err)
			}
			// Dying from here on: the mark stays, nobody leads, and the next restore begins by removing what there is.
			var broke error
			err = streams.RestoreSnapshot(ctx, g.opts.Conn, s.Name, s.Config, s.State, func() ([]byte, error) {
				if kind, body, broke = in.Next(); broke != nil && !errors.Is(broke, io.EOF) {
					return nil, broke
				}
				if broke == nil && kind == backup.KindPiece {
					return body, nil
				}
				return nil, nil // what comes next is none of this stream
			})
			if err != nil {
				return nil, err
			}
			if err := g.opts.Faults.Point(ctx, "restore.stream"); err != nil {
				return nil, err
			}
			got.Streams++
			err = broke
			continue
		case backup.KindMessage:
			var m backup.Message
			if json.Unmarshal(body, &m) != nil {
				return nil, backup.ErrDamaged
			}
			if _, err := g.js.PublishMsg(ctx, &nats.Msg{Subject: m.Subject, Header: m.Header, Data: m.Data}); err != nil {
				return nil, fmt.Errorf("restore %s: %w", m.Subject, err)
			}
		default:
			return nil, backup.ErrDamaged
		}
		kind, body, err = in.Next()
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return got, nil
}

// fit gives a stream's configuration what depends on this mesh and not on the one that was backed up.
func (g *Gateway) fit(config json.RawMessage) (json.RawMessage, error) {
	var c map[string]json.RawMessage
	if err := json.Unmarshal(config, &c); err != nil {
		return nil, err
	}
	c["num_replicas"] = json.RawMessage(fmt.Sprint(g.topology.Replicas))
	delete(c, "placement")
	return json.Marshal(c)
}

// makeWhole makes what a backup does not hold: consumers, and the work that was on its way between two streams.
func (g *Gateway) makeWhole(ctx context.Context, h backup.Header, got *Restored) error {
	for p := range g.topology.Partitions { // before there are consumers, so that what waits does not move
		runs, bundles, err := g.refill(ctx, p)
		if err != nil {
			return fmt.Errorf("see to the runs that had not ended: %w", err)
		}
		got.Runs, got.Bundles = got.Runs+runs, got.Bundles+bundles
	}
	g.topology.Forget()
	if err := g.setUp(ctx); err != nil {
		return err
	}
	var queues []streams.Queue
	if err := json.Unmarshal(h.Queues, &queues); err != nil {
		return backup.ErrDamaged
	}
	if _, err := g.topology.EnsureQueues(ctx, queues); err != nil {
		return err
	}
	g.clusters.forgetAll()
	g.tellQueues()
	return g.opts.Faults.Point(ctx, "restore.whole")
}

// mustBeEmpty refuses where anything is stored.
func (g *Gateway) mustBeEmpty(ctx context.Context) error {
	names, err := g.ours(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		s, err := g.js.Stream(ctx, name)
		if err != nil {
			return fmt.Errorf("open the stream %s: %w", name, err)
		}
		if n := s.CachedInfo().State.Msgs; n > 0 {
			return conflict("this Orbit holds something already (%s in the stream %s); a backup goes into an empty one: start a gateway with another --data folder, or on another NATS account", plural(int(n), "message"), name)
		}
	}
	return nil
}

// wipe removes every stream that a backup may hold, and makes them anew, empty.
func (g *Gateway) wipe(ctx context.Context) error {
	names, err := g.ours(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := g.js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("remove the stream %s: %w", name, err)
		}
	}
	g.topology.Forget()
	g.clusters.forgetAll()
	return g.setUp(ctx)
}

// badBackup says what is wrong with a file, where it is the file.
func badBackup(err error) error {
	for _, e := range []error{backup.ErrNoBackup, backup.ErrDamaged, backup.ErrCut} {
		if errors.Is(err, e) {
			return invalid("%s; nothing was restored", e)
		}
	}
	return err
}

func (c *clusterCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops++
	clear(c.seen)
}
