package kv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Blobs stores byte strings under the hash of their content: equal content is stored once, and a name never changes its
// meaning. Nodes and gateways both read and write it.
type Blobs struct {
	js    jetstream.JetStream
	owner string // begins the names of what is stored, with a dot; "": nobody's
}

// NewBlobs gives access to the blob store.
func NewBlobs(js jetstream.JetStream) *Blobs { return &Blobs{js: js} }

// Of is the same store for what belongs to one run: the run begins the names of what is stored, so no other run can come
// to name it, and it may be removed with the run. What is stored without an owner is never removed.
func (b *Blobs) Of(run string) *Blobs { return &Blobs{js: b.js, owner: run + "."} }

// getFirst is how long the first try of a Get may take, getLast the last: each takes twice as long as the one before.
const getFirst, getLast = 2 * time.Second, 16 * time.Second

// Get reads a blob whole. ErrNotFound where there is none. Of a blob that two store at once, the object store keeps the
// pieces of one and removes those of the other, under the hands of whoever is reading them: such a read gets nothing more,
// and is begun anew.
func (b *Blobs) Get(ctx context.Context, name string) ([]byte, error) {
	for wait := getFirst; ; wait *= 2 {
		data, err := b.get(ctx, name, wait)
		if err == nil || errors.Is(err, ErrNotFound) || wait >= getLast || ctx.Err() != nil {
			return data, err
		}
	}
}

func (b *Blobs) get(ctx context.Context, name string, wait time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	store, err := b.js.ObjectStore(ctx, BlobsBucket)
	if err != nil {
		return nil, fmt.Errorf("open the blob store: %w", err)
	}
	data, err := store.GetBytes(ctx, name)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil, fmt.Errorf("blob %s: %w", name, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", name, err)
	}
	return data, nil
}
