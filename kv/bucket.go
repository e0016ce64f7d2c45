// Package kv keeps Orbit's documents: typed buckets changed by compare-and-set, and the blob store. Buckets are written by
// gateways only.
//
//	orbit_runs         run id            JSON   what a run is and where it stands
//	orbit_history      run id            JSON   what is left of a run that ended long ago; never removed
//	orbit_clusters     project.name      JSON   registered clusters
//	orbit_plans        plan hash         JSON   immutable
//	orbit_satellites   project.name      JSON   satellites that projects have registered
//	orbit_nodes        node name         JSON   inventory, gone 90 s after the last heartbeat
//	orbit_checkpoints  p<p>, lease.<p>, run.<id>   a cache of folded state, and who leads
//	orbit_secrets      <owner>           sealed secrets: vault.<project>.<name>, cluster.<project>.<name>.<plan>, run.<id>
//	orbit_blobs        (object store)    what is too large for a message
//
// It refuses to know what a run means: states move elsewhere.
package kv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Names of the buckets.
const (
	RunsBucket        = "orbit_runs"
	HistoryBucket     = "orbit_history"
	ClustersBucket    = "orbit_clusters"
	SatellitesBucket  = "orbit_satellites"
	PlansBucket       = "orbit_plans"
	NodesBucket       = "orbit_nodes"
	CheckpointsBucket = "orbit_checkpoints"
	SecretsBucket     = "orbit_secrets"
	TriggersBucket    = "orbit_triggers"
	BlobsBucket       = "orbit_blobs"
)

// What a bucket operation can meet.
var (
	// ErrNotFound: there is no such key.
	ErrNotFound = errors.New("no such key")
	// ErrConflict: the key exists, or was changed since it was read. Read again and decide again.
	ErrConflict = errors.New("changed by someone else")
)

// NodeTTL is how long a node's document outlives its last heartbeat.
const NodeTTL = 90 * time.Second

// Ensure creates the buckets that are missing.
func Ensure(ctx context.Context, js jetstream.JetStream, replicas int) error {
	for _, b := range []jetstream.KeyValueConfig{
		{Bucket: RunsBucket, Description: "Exosphere Orbit: runs"},
		{Bucket: HistoryBucket, Description: "Exosphere Orbit: what is left of runs that ended long ago"},
		{Bucket: ClustersBucket, Description: "Exosphere Orbit: clusters"},
		{Bucket: SatellitesBucket, Description: "Exosphere Orbit: satellites of projects"},
		{Bucket: PlansBucket, Description: "Exosphere Orbit: compiled plans"},
		{Bucket: NodesBucket, Description: "Exosphere Orbit: nodes", TTL: NodeTTL},
		{Bucket: CheckpointsBucket, Description: "Exosphere Orbit: folded state (a cache)"},
		{Bucket: TriggersBucket, Description: "Exosphere Orbit: how far triggers are"},
		{Bucket: SecretsBucket, Description: "Exosphere Orbit: sealed secrets"},
	} {
		b.Replicas, b.History, b.Storage = replicas, 1, jetstream.FileStorage
		if _, err := js.KeyValue(ctx, b.Bucket); err == nil {
			continue
		} else if !errors.Is(err, jetstream.ErrBucketNotFound) {
			return fmt.Errorf("open bucket %s: %w", b.Bucket, err)
		}
		if _, err := js.CreateKeyValue(ctx, b); err != nil && !errors.Is(err, jetstream.ErrBucketExists) {
			return fmt.Errorf("create bucket %s: %w", b.Bucket, err)
		}
	}
	if _, err := js.ObjectStore(ctx, BlobsBucket); errors.Is(err, jetstream.ErrBucketNotFound) {
		_, err := js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: BlobsBucket, Description: "Exosphere Orbit: what is too large for a message", Replicas: replicas, Storage: jetstream.FileStorage})
		if err != nil && !errors.Is(err, jetstream.ErrBucketExists) {
			return fmt.Errorf("create the blob store: %w", err)
		}
	} else if err != nil {
		return fmt.Errorf("open the blob store: %w", err)
	}
	return nil
}

// Bucket holds one JSON document of type T a key.
type Bucket[T any] struct {
	nc   *nats.Conn
	js   jetstream.JetStream
	name string
}

// Open gives access to a bucket; nothing is asked of the server until it is used.
func Open[T any](nc *nats.Conn, js jetstream.JetStream, name string) *Bucket[T] {
	return &Bucket[T]{nc: nc, js: js, name: name}
}

// Create stores a key that must not exist: ErrConflict where it does. The revision is for Update.
func (b *Bucket[T]) Create(ctx context.Context, key string, v *T) (uint64, error) {
	return b.put(ctx, key, v, 0, true)
}

// Update changes a key that must be at the given revision: ErrConflict where it is not.
func (b *Bucket[T]) Update(ctx context.Context, key string, v *T, revision uint64) (uint64, error) {
	return b.put(ctx, key, v, revision, true)
}

// Put stores a key whatever is there: only for what has a single writer, or says the same whoever writes it.
func (b *Bucket[T]) Put(ctx context.Context, key string, v *T) (uint64, error) {
	return b.put(ctx, key, v, 0, false)
}

// Delete removes a key for good; one that is not there is fine.
func (b *Bucket[T]) Delete(ctx context.Context, key string) error {
	if !validKey(key) { // the server would take one with a wildcard for all that it stands for
		return nil
	}
	m := &nats.Msg{Subject: b.subject(key), Header: nats.Header{"KV-Operation": {"PURGE"}, "Nats-Rollup": {"sub"}}}
	_, err := b.js.PublishMsg(ctx, m)
	if err != nil {
		return fmt.Errorf("delete %s from %s: %w", key, b.name, err)
	}
	return nil
}

// A Get takes getLimit at most. While the bucket has no leader it is asked again after each getPause.
const getLimit, getPause = 5 * time.Second, 200 * time.Millisecond

// Error codes of JetStream that a Get tells apart.
const (
	codeNotFound    = 10037
	codeUnavailable = 10008 // no leader just now
)

// Get reads a key from the leader of the bucket, so it is not stale at the time of reading. ErrNotFound where there is none.
func (b *Bucket[T]) Get(ctx context.Context, key string) (*T, uint64, error) {
	if !validKey(key) {
		return nil, 0, fmt.Errorf("%q in %s: %w", key, b.name, ErrNotFound)
	}
	body, err := json.Marshal(map[string]string{"last_by_subj": b.subject(key)})
	if err != nil {
		return nil, 0, err
	}
	wait, cancel := context.WithTimeout(ctx, getLimit)
	defer cancel()
	var answer struct {
		Message *struct {
			Seq    uint64 `json:"seq"`
			Header []byte `json:"hdrs"`
			Data   []byte `json:"data"`
		} `json:"message"`
		Error *struct {
			Code        int    `json:"err_code"`
			Description string `json:"description"`
		} `json:"error"`
	}
	for {
		m, err := b.nc.RequestWithContext(wait, "$JS.API.STREAM.MSG.GET.KV_"+b.name, body)
		if err == nil {
			answer.Message, answer.Error = nil, nil
			if err := json.Unmarshal(m.Data, &answer); err != nil {
				return nil, 0, fmt.Errorf("read %s from %s: %w", key, b.name, err)
			}
		} else if !errors.Is(err, nats.ErrNoResponders) {
			return nil, 0, fmt.Errorf("read %s from %s: %w", key, b.name, err)
		}
		if err == nil && (answer.Error == nil || answer.Error.Code != codeUnavailable) {
			break
		}
		select { // the servers are about to choose a leader, which takes seconds
		case <-time.After(getPause):
		case <-wait.Done():
			return nil, 0, fmt.Errorf("read %s from %s: it has no leader: %w", key, b.name, wait.Err())
		}
	}
	if e := answer.Error; e != nil && e.Code != codeNotFound {
		return nil, 0, fmt.Errorf("read %s from %s: %s", key, b.name, e.Description)
	}
	if answer.Message == nil || len(answer.Message.Data) == 0 { // never written, or a deletion mark
		return nil, 0, fmt.Errorf("%s in %s: %w", key, b.name, ErrNotFound)
	}
	v := new(T)
	if err := json.Unmarshal(answer.Message.Data, v); err != nil {
		return nil, 0, fmt.Errorf("decode %s in %s: %w", key, b.name, err)
	}
	return v, answer.Message.Seq, nil
}

// Message is the write of a key at a revision (0: the key must not exist) as a message, for who sends many at once. It is
// safe to send twice: the second is refused as a lost CAS.
func (b *Bucket[T]) Message(key string, v *T, revision uint64) (*nats.Msg, error) {
	if !validKey(key) {
		return nil, fmt.Errorf("%q is no key for %s: it cannot stand in a subject", key, b.name)
	}
	data, err := encode(v)
	if err != nil {
		return nil, fmt.Errorf("encode %s for %s: %w", key, b.name, err)
	}
	return &nats.Msg{Subject: b.subject(key), Data: data, Header: nats.Header{nats.ExpectedLastSubjSeqHdr: {strconv.FormatUint(revision, 10)}}}, nil
}

// validKey tells whether a key is that of one document: words of a subject, none of which stands for many.
func validKey(key string) bool {
	return key != "" && !strings.HasPrefix(key, ".") && !strings.HasSuffix(key, ".") && !strings.Contains(key, "..") && !strings.ContainsFunc(key, func(c rune) bool {
		return c <= ' ' || c == '*' || c == '>' || c == 0x7f
	})
}

// encode gives a document's JSON; one that is written often has a way of its own.
func encode(v any) ([]byte, error) {
	if own, ok := v.(interface {
		AppendJSON(dst []byte) ([]byte, error)
	}); ok {
		return own.AppendJSON(make([]byte, 0, 1024))
	}
	return json.Marshal(v)
}

// Stream is the name of the stream behind the bucket, for reading it in batches.
func (b *Bucket[T]) Stream() string { return "KV_" + b.name }

// Keys is the subject that holds every key.
func (b *Bucket[T]) Keys() string { return "$KV." + b.name + ".>" }

// Key reads a key off a subject.
func (b *Bucket[T]) Key(subject string) string { return subject[len("$KV.")+len(b.name)+1:] }

func (b *Bucket[T]) subject(key string) string { return "$KV." + b.name + "." + key }

func (b *Bucket[T]) put(ctx context.Context, key string, v *T, revision uint64, cas bool) (uint64, error) {
	m, err := b.Message(key, v, revision)
	if err != nil {
		return 0, err
	}
	if !cas {
		m.Header = nil
	}
	ack, err := b.js.PublishMsg(ctx, m)
	if err == nil {
		return ack.Sequence, nil
	}
	if conflict(err) {
		if cas && revision == 0 { // a deletion mark is an empty key too
			if rev, ok := b.deleted(ctx, key); ok {
				return b.put(ctx, key, v, rev, true)
			}
		}
		return 0, fmt.Errorf("%s in %s: %w", key, b.name, ErrConflict)
	}
	return 0, fmt.Errorf("write %s to %s: %w", key, b.name, err)
}

func (b *Bucket[T]) deleted(ctx context.Context, key string) (uint64, bool) {
	kv, err := b.js.KeyValue(ctx, b.name)
	if err != nil {
		return 0, false
	}
	hist, err := kv.History(ctx, key)
	if err != nil || len(hist) == 0 {
		return 0, false
	}
	last := hist[len(hist)-1]
	return last.Revision(), last.Operation() != jetstream.KeyValuePut
}

// conflict tells a lost CAS; replicated streams have a code of their own for one that raced another.
func conflict(err error) bool {
	var e *jetstream.APIError
	if errors.As(err, &e) {
		return e.ErrorCode == 10071 || e.ErrorCode == 10164
	}
	return false
}
