package node

import (
	"bytes"
	"context"
	"fmt"

	"github.com/exospherehost/orbit/cluster"
)

// blobs reads blobs for the pure functions; its errors are told apart by errBlob.
func (n *Node) blobs(ctx context.Context) cluster.Blobs { return (&blobReader{n: n, ctx: ctx}).read }

// blobReader is blobs, for who has room for it.
type blobReader struct {
	n    *Node
	ctx  context.Context
	name string // the last one stays at hand: values of one chunk are asked for one after the other
	data []byte
}

func (r *blobReader) read(want string) ([]byte, error) {
	if want == r.name {
		return r.data, nil
	}
	got, ok := r.n.chunks.get(want)
	if !ok {
		var err error
		if got, err = r.n.store.Blobs.Get(r.ctx, want); err != nil {
			return nil, fmt.Errorf("%w: %w", errBlob, err)
		}
	}
	r.name, r.data = want, got
	return got, nil
}

// keptBlobs reads blobs as blobs does, and keeps them at hand: bare bundles of one parent come one after the other, and each needs a
// part of the same blob.
func (n *Node) keptBlobs(ctx context.Context) cluster.Blobs {
	read := n.blobs(ctx)
	return func(want string) ([]byte, error) {
		if data, ok := n.chunks.get(want); ok {
			return data, nil
		}
		data, err := read(want)
		if err == nil {
			n.keep(want, data)
		}
		return data, err
	}
}

// keep keeps a blob at hand, unless it is so long that little else would be.
func (n *Node) keep(name string, data []byte) {
	if len(data) <= keptBytes/4 {
		n.chunks.put(name, data, len(data))
	}
}

// keepingStore is a store that keeps at hand what is put there: a node reads what a bundle returned right after, to make the bundles
// that follow from it.
type keepingStore struct {
	blobStore
	n *Node
}

func (s keepingStore) Put(ctx context.Context, data []byte) (string, error) {
	name, err := s.blobStore.Put(ctx, data)
	if err == nil {
		s.n.keep(name, bytes.Clone(data)) // the caller fills it anew
	}
	return name, err
}
