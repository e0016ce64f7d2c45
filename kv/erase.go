package kv

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Erase removes a key and leaves no trace of it, not even the mark that Delete leaves. A key that was changed after the
// revision stays as it is.
func (b *Bucket[T]) Erase(ctx context.Context, key string, revision uint64) error {
	if !validKey(key) {
		return nil
	}
	s, err := b.js.Stream(ctx, b.Stream())
	if err == nil {
		err = s.Purge(ctx, jetstream.WithPurgeSubject(b.subject(key)), jetstream.WithPurgeSequence(revision+1))
	}
	if err != nil {
		return fmt.Errorf("erase %s from %s: %w", key, b.name, err)
	}
	return nil
}
