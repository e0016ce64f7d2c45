package kv

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// BlobsStream is the stream behind the blob store.
const BlobsStream = "OBJ_" + BlobsBucket

// BlobSubjects holds a message for each blob, which stands for it.
const BlobSubjects = "$O." + BlobsBucket + ".M.>"

// BlobName reads the name of a blob off its subject, and the run that it belongs to; "" where nobody owns it.
func BlobName(subject string) (name, run string) {
	token := subject[strings.LastIndexByte(subject, '.')+1:]
	raw, err := base64.URLEncoding.DecodeString(token)
	if err != nil {
		return "", ""
	}
	name = string(raw)
	if owner, _, ok := strings.Cut(name, "."); ok {
		run = owner
	}
	return name, run
}

// Remove removes a blob and every trace of it; one that is not there is fine. A blob may only be removed when nobody can
// come to name it: it belongs to a run, and of the run nothing is left that could.
func (b *Blobs) Remove(ctx context.Context, name string) error {
	if owner, _, ok := strings.Cut(name, "."); !ok || owner == "" {
		return nil // other runs may name it too
	}
	store, err := b.js.ObjectStore(ctx, BlobsBucket)
	if err != nil {
		return fmt.Errorf("open the blob store: %w", err)
	}
	info, err := store.GetInfo(ctx, name)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for blob %s: %w", name, err)
	}
	s, err := b.js.Stream(ctx, BlobsStream)
	if err != nil {
		return fmt.Errorf("open the blob store: %w", err)
	}
	// Dying between the two: the blob has a name and no content, and is removed once more by its name.
	for _, subject := range []string{"$O." + BlobsBucket + ".C." + info.NUID, blobSubject(name)} {
		if err := s.Purge(ctx, jetstream.WithPurgeSubject(subject)); err != nil {
			return fmt.Errorf("remove blob %s: %w", name, err)
		}
	}
	return nil
}
