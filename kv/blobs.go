package kv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Blobs stores byte strings under the hash of their content: equal content is stored once, and a name never changes its
// meaning. Nodes and gateways both read and write it.
type Blobs struct {
	js jetstream.JetStream
}

// NewBlobs gives access to the blob store.
func NewBlobs(js jetstream.JetStream) *Blobs { return &Blobs{js: js} }

// Put stores data and gives its name. When it returns, the blob is there; dying before leaves pieces without a name,
// which nothing refers to.
func (b *Blobs) Put(ctx context.Context, data []byte) (string, error) {
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:16])
	store, err := b.js.ObjectStore(ctx, BlobsBucket)
	if err != nil {
		return "", fmt.Errorf("open the blob store: %w", err)
	}
	if info, err := store.GetInfo(ctx, name); err == nil && info.Size == uint64(len(data)) {
		return name, nil
	}
	if _, err := store.PutBytes(ctx, name, data); err != nil {
		return "", fmt.Errorf("store a blob of %d bytes: %w", len(data), err)
	}
	return name, nil
}

// Get reads a blob whole. ErrNotFound where there is none.
func (b *Blobs) Get(ctx context.Context, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
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
