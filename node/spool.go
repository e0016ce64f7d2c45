package node

import (
	"context"

	"github.com/exospherehost/orbit"
)

// chunkBytes is about the size of one blob of outputs: large enough that a million small objects are a few dozen blobs,
// small enough that reading one value of it costs little.
const chunkBytes = 512 << 10

// blobStore is what the spool needs of kv.Blobs.
type blobStore interface {
	Put(ctx context.Context, data []byte) (name string, err error)
}

// spool collects what the items of a bundle return. It keeps little in memory however much that is: past a chunk it goes to the
// blob store. What an item returned before it failed is rolled back; blobs of it stay behind without a name.
type spool struct {
	blobs  blobStore
	buf    []byte // not in a chunk yet
	inBuf  int    // objects in buf
	chunks []orbit.Chunk
	sizes  []int32 // of every object, in bytes

	mark struct { // where the current item began
		buf, inBuf, chunks, sizes int
		saved                     []byte // buf as it was, once a chunk was cut since
		cut                       bool
	}
}

// newSpool makes one with room for a bundle whose items return as much as they got.
func newSpool(blobs blobStore, b *orbit.Bundle) spool {
	size := 0
	for i := range b.Items {
		size += b.Items[i].Value.Size()
	}
	return spool{blobs: blobs, buf: make([]byte, 0, size), sizes: make([]int32, 0, len(b.Items))}
}

// begin marks the start of an item.
func (s *spool) begin() {
	s.mark.buf, s.mark.inBuf, s.mark.chunks, s.mark.sizes = len(s.buf), s.inBuf, len(s.chunks), len(s.sizes)
	s.mark.saved, s.mark.cut = nil, false
}

// add takes one object of the current item.
func (s *spool) add(ctx context.Context, o orbit.Object) error {
	s.buf = orbit.AppendOutput(s.buf, o)
	s.inBuf++
	s.sizes = append(s.sizes, int32(len(o)))
	if len(s.buf) >= chunkBytes {
		return s.cut(ctx)
	}
	return nil
}

// count is the number of objects of the current item.
func (s *spool) count() int { return len(s.sizes) - s.mark.sizes }

// rollback forgets the current item.
func (s *spool) rollback() {
	s.chunks, s.sizes, s.inBuf = s.chunks[:s.mark.chunks], s.sizes[:s.mark.sizes], s.mark.inBuf
	if s.mark.cut {
		s.buf = s.mark.saved
	} else {
		s.buf = s.buf[:s.mark.buf]
	}
}

// payload gives everything, for the record.
func (s *spool) payload(ctx context.Context) (orbit.Payload, error) {
	if len(s.chunks) == 0 && len(s.buf) <= orbit.MaxInline {
		return orbit.Payload{Inline: s.buf}, nil
	}
	if len(s.buf) > 0 {
		if err := s.cut(ctx); err != nil {
			return orbit.Payload{}, err
		}
	}
	return orbit.Payload{Chunks: s.chunks}, nil
}

func (s *spool) cut(ctx context.Context) error {
	if !s.mark.cut {
		s.mark.cut, s.mark.saved = true, append([]byte(nil), s.buf[:s.mark.buf]...)
	}
	name, err := s.blobs.Put(ctx, s.buf)
	if err != nil {
		return err
	}
	s.chunks = append(s.chunks, orbit.Chunk{Blob: name, Size: len(s.buf), Count: s.inBuf})
	s.buf, s.inBuf = nil, 0
	return nil
}
