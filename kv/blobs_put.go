package kv

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// blobPiece is the size of the messages that a blob is cut into, as object stores have it.
	blobPiece = 128 << 10
	// blobPatience is how long the pieces of a blob may take to be stored.
	blobPatience = 15 * time.Second
)

// Put stores data and gives its name. When it returns, the blob is there; dying before leaves pieces without a name,
// which nothing refers to. It writes what ObjectStore.Put of the NATS client writes, which makes a subscription and
// goroutines for each object, may leave one of these behind, and takes the pieces of two that store the same away from
// whoever is reading them: here the second to store a blob gives way.
func (b *Blobs) Put(ctx context.Context, data []byte) (string, error) {
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:16])
	if b.owner != "" {
		name = b.owner + "." + name
	}
	store, err := b.js.ObjectStore(ctx, BlobsBucket)
	if err != nil {
		return "", fmt.Errorf("open the blob store: %w", err)
	}
	if info, err := store.GetInfo(ctx, name); err == nil && info.Size == uint64(len(data)) {
		return name, nil
	} else if err != nil && !errors.Is(err, jetstream.ErrObjectNotFound) {
		return "", fmt.Errorf("look for blob %s: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, blobPatience)
	defer cancel()
	info := jetstream.ObjectInfo{Bucket: BlobsBucket, NUID: rand.Text(), Size: uint64(len(data)), Digest: "SHA-256=" + base64.URLEncoding.EncodeToString(sum[:]),
		ObjectMeta: jetstream.ObjectMeta{Name: name, Opts: &jetstream.ObjectMetaOptions{ChunkSize: blobPiece}}}
	pieces := "$O." + BlobsBucket + ".C." + info.NUID
	var stored []jetstream.PubAckFuture
	for rest := data; len(rest) > 0; info.Chunks++ {
		n := min(blobPiece, len(rest))
		f, err := b.js.PublishMsgAsync(&nats.Msg{Subject: pieces, Data: rest[:n]})
		if err != nil {
			return "", b.takeBack(ctx, name, pieces, err)
		}
		stored, rest = append(stored, f), rest[n:]
	}
	for _, f := range stored {
		select {
		case <-f.Ok():
		case err = <-f.Err():
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil {
			return "", b.takeBack(ctx, name, pieces, err)
		}
	}
	body, err := json.Marshal(info)
	if err != nil {
		return "", err
	}
	_, err = b.js.PublishMsg(ctx, &nats.Msg{Subject: blobSubject(name), Data: body, Header: nats.Header{nats.ExpectedLastSubjSeqHdr: {"0"}, jetstream.MsgRollup: {jetstream.MsgRollupSubject}}})
	if conflict(err) { // someone stored the same since we looked
		err = b.takeBack(ctx, name, pieces, err)
		if _, missing := store.GetInfo(ctx, name); missing == nil {
			return name, nil
		}
		return "", err // they were at it, and have not done it yet
	}
	if err != nil { // unknown: it may have its name, so its pieces stay
		return "", fmt.Errorf("store blob %s: %w", name, err)
	}
	return name, nil
}

// takeBack removes the pieces of a blob that did not come to be, if that can be done. What stays nothing refers to.
func (b *Blobs) takeBack(ctx context.Context, name, pieces string, why error) error {
	if s, err := b.js.Stream(ctx, BlobsStream); err == nil {
		_ = s.Purge(ctx, jetstream.WithPurgeSubject(pieces))
	}
	return fmt.Errorf("store blob %s: %w", name, why)
}

// blobSubject is where the message lies that stands for a blob.
func blobSubject(name string) string {
	return "$O." + BlobsBucket + ".M." + base64.URLEncoding.EncodeToString([]byte(name))
}
