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
//
// While one chunk is being stored, the next is filled, if it is told to go ahead so: it must be settled then, whatever comes.
type spool struct {
	blobs  blobStore
	ahead  bool
	buf    []byte // not in a chunk yet
	inBuf  int    // objects in buf
	chunks []orbit.Chunk
	sizes  []int32 // of every object, in bytes

	storing chan stored // gives what became of the last of chunks; nil: that is known
	spare   []byte      // room for buf
	err     error       // a chunk could not be stored

	mark struct { // where the current item began
		buf, inBuf, chunks, sizes int
		saved                     []byte // buf as it was, once a chunk was cut since
		cut                       bool
	}
}

// stored is what became of a chunk.
type stored struct {
	name string
	data []byte
	err  error
}

// newSpool makes one that fills the room of a scratch first.
func newSpool(blobs blobStore, s *scratch) spool {
	return spool{blobs: blobs, ahead: true, buf: s.outputs, sizes: s.sizes}
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
	s.settle()
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
	if s.settle(); s.err != nil {
		return orbit.Payload{}, s.err
	}
	return orbit.Payload{Chunks: s.chunks}, nil
}

// cut makes a chunk of buf. Where it goes ahead, an error may be that of the chunk before.
func (s *spool) cut(ctx context.Context) error {
	if !s.mark.cut {
		s.mark.cut, s.mark.saved = true, append([]byte(nil), s.buf[:s.mark.buf]...)
	}
	if s.settle(); s.err != nil {
		return s.err
	}
	s.chunks = append(s.chunks, orbit.Chunk{Size: len(s.buf), Count: s.inBuf})
	data, done := s.buf, make(chan stored, 1)
	s.storing = done
	put := func() {
		name, err := s.blobs.Put(ctx, data)
		done <- stored{name, data, err}
	}
	s.buf, s.spare, s.inBuf = s.spare, nil, 0
	if s.ahead {
		go put() // settle waits for it
	} else {
		put()
		s.settle()
		s.buf, s.spare = s.spare, nil
	}
	if s.buf == nil {
		s.buf = make([]byte, 0, cap(data)) // as much will come again, as a rule
	}
	return s.err
}

// settle waits until the last chunk is stored. An error stays: without it nothing of the bundle is of use.
func (s *spool) settle() {
	if s.storing == nil {
		return
	}
	done := <-s.storing
	s.storing = nil
	s.chunks[len(s.chunks)-1].Blob, s.spare = done.name, done.data[:0]
	if s.err == nil {
		s.err = done.err
	}
}
