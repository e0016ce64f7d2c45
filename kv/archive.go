package kv

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"time"
)

// Archive says where the messages of a closed run are put away.
type Archive struct {
	Blob    string `json:"blob"`    // its index
	Entries int    `json:"entries"` // messages
	Last    uint64 `json:"last"`    // sequence that the last of them had in its stream; 0: there were none
}

// Entry is one message of an archive.
type Entry struct {
	Seq  uint64 // that it had in its stream
	Time time.Time
	Key  string // the end of its subject: of a record, its bundle
	Data []byte
}

const (
	// archivePiece is about how much of an archive is compressed into one blob: small enough to be read for one entry.
	archivePiece = 1 << 20
	// maxArchiveIndex bounds what an index may unpack to: eight bytes an entry for some tens of millions of them.
	maxArchiveIndex = 512 << 20
	archiveVersion  = 1
)

// An archive is blobs of compressed entries, and an index of them that lies in a blob of its own:
//
//	index   version, number of pieces, of each: blob, first and last sequence, entries, a hash of each entry's key
//	piece   entries: sequence, time, key, data
//
// The only piece of a short archive lies behind the index, in the same blob. The same entries make the same blobs, whoever
// puts them away.
type archivePieceInfo struct {
	blob        string // "": behind the index
	first, last uint64
	keys        []uint64 // hashes, in order
}

// ArchiveWriter puts entries away. It is for one goroutine.
type ArchiveWriter struct {
	blobs  *Blobs
	pieces []archivePieceInfo
	now    archivePieceInfo
	buf    []byte // of the piece at hand
	total  int
}

// NewArchive begins an archive.
func (b *Blobs) NewArchive() *ArchiveWriter { return &ArchiveWriter{blobs: b} }

// Add puts an entry away; they come in the order of their sequences.
func (w *ArchiveWriter) Add(ctx context.Context, e Entry) error {
	if len(w.now.keys) == 0 {
		w.now.first = e.Seq
	}
	w.now.last = e.Seq
	w.now.keys = append(w.now.keys, hashKey(e.Key))
	w.buf = binary.AppendUvarint(w.buf, e.Seq)
	w.buf = binary.AppendVarint(w.buf, e.Time.UnixNano())
	w.buf = appendBytes(w.buf, []byte(e.Key))
	w.buf = appendBytes(w.buf, e.Data)
	w.total++
	if len(w.buf) < archivePiece {
		return nil
	}
	return w.cut(ctx)
}

// Close writes the index. Dying before leaves blobs that nothing names yet; the same entries make them again.
func (w *ArchiveWriter) Close(ctx context.Context) (*Archive, error) {
	last := w.now.last
	var behind []byte
	switch {
	case len(w.pieces) == 0:
		w.pieces, behind = append(w.pieces, w.now), w.buf
	case len(w.now.keys) > 0:
		if err := w.cut(ctx); err != nil {
			return nil, err
		}
		last = w.pieces[len(w.pieces)-1].last
	default:
		last = w.pieces[len(w.pieces)-1].last
	}
	index := binary.AppendUvarint([]byte{archiveVersion}, uint64(len(w.pieces)))
	for _, p := range w.pieces {
		index = appendBytes(index, []byte(p.blob))
		for _, n := range []uint64{p.first, p.last, uint64(len(p.keys))} {
			index = binary.AppendUvarint(index, n)
		}
		for _, k := range p.keys {
			index = binary.BigEndian.AppendUint64(index, k)
		}
	}
	name, err := w.blobs.Put(ctx, Pack(append(index, behind...)))
	if err != nil {
		return nil, err
	}
	return &Archive{Blob: name, Entries: w.total, Last: last}, nil
}

func (w *ArchiveWriter) cut(ctx context.Context) error {
	var err error
	if w.now.blob, err = w.blobs.Put(ctx, Pack(w.buf)); err != nil {
		return err
	}
	w.pieces = append(w.pieces, w.now)
	w.now, w.buf = archivePieceInfo{}, w.buf[:0]
	return nil
}

// ArchiveReader reads an archive. It is for one goroutine.
type ArchiveReader struct {
	blobs  *Blobs
	pieces []archivePieceInfo
	behind []byte // entries of the only piece
	at     int    // piece whose entries are at hand
	data   []byte
}

// OpenArchive reads the index of an archive.
func (b *Blobs) OpenArchive(ctx context.Context, a *Archive) (*ArchiveReader, error) {
	packed, err := b.Get(ctx, a.Blob)
	if err != nil {
		return nil, fmt.Errorf("open an archive: %w", err)
	}
	data, err := Unpack(packed, maxArchiveIndex)
	r := &ArchiveReader{blobs: b, at: -1}
	if err != nil || len(data) == 0 || data[0] != archiveVersion {
		return nil, damaged(a.Blob)
	}
	c := cutter{data: data[1:]}
	for range c.number() {
		p := archivePieceInfo{blob: string(c.bytes()), first: c.number(), last: c.number()}
		n := c.number()
		if c.bad || n > uint64(len(c.data)/8) {
			return nil, damaged(a.Blob)
		}
		p.keys = make([]uint64, n)
		for i := range p.keys {
			p.keys[i] = binary.BigEndian.Uint64(c.data[8*i:])
		}
		c.data = c.data[8*n:]
		r.pieces = append(r.pieces, p)
	}
	if c.bad {
		return nil, damaged(a.Blob)
	}
	r.behind = c.data
	return r, nil
}

// Each calls f for every entry from a sequence on, in order.
func (r *ArchiveReader) Each(ctx context.Context, from uint64, f func(Entry) error) error {
	for i := range r.pieces {
		if r.pieces[i].last < from {
			continue
		}
		if err := r.piece(ctx, i, func(e Entry) error {
			if e.Seq < from {
				return nil
			}
			return f(e)
		}); err != nil {
			return err
		}
	}
	return nil
}

// Get reads the entry with a key: ErrNotFound where there is none.
func (r *ArchiveReader) Get(ctx context.Context, key string) (Entry, error) {
	hash, found := hashKey(key), errors.New("found")
	for i := range r.pieces {
		for _, k := range r.pieces[i].keys {
			if k != hash {
				continue
			}
			var got Entry
			err := r.piece(ctx, i, func(e Entry) error {
				if e.Key != key {
					return nil
				}
				got = e
				return found
			})
			if errors.Is(err, found) {
				return got, nil
			}
			if err != nil {
				return Entry{}, err
			}
			break // another key with the same hash
		}
	}
	return Entry{}, fmt.Errorf("%s in the archive: %w", key, ErrNotFound)
}

// Blobs names the blobs that the archive consists of beside its index.
func (r *ArchiveReader) Blobs() []string {
	var names []string
	for _, p := range r.pieces {
		if p.blob != "" {
			names = append(names, p.blob)
		}
	}
	return names
}

// piece calls f for the entries of one piece, which stays at hand.
func (r *ArchiveReader) piece(ctx context.Context, i int, f func(Entry) error) error {
	p := r.pieces[i]
	if p.blob == "" {
		r.at, r.data = i, r.behind
	} else if r.at != i {
		packed, err := r.blobs.Get(ctx, p.blob)
		if err != nil {
			return fmt.Errorf("read an archive: %w", err)
		}
		if r.data, err = Unpack(packed, 4*archivePiece); err != nil {
			return damaged(p.blob)
		}
		r.at = i
	}
	c := cutter{data: r.data}
	for len(c.data) > 0 {
		e := Entry{Seq: c.number(), Time: c.time(), Key: string(c.bytes()), Data: c.bytes()}
		if c.bad {
			return damaged(p.blob)
		}
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

func damaged(blob string) error { return fmt.Errorf("the archive in blob %s is damaged", blob) }

func hashKey(key string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // never fails
	return h.Sum64()
}

func appendBytes(buf, b []byte) []byte {
	return append(binary.AppendUvarint(buf, uint64(len(b))), b...)
}

// Pack makes a byte string smaller.
func Pack(data []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed) // a level that exists; writes to memory do not fail
	_, _ = w.Write(data)
	_ = w.Close()
	return out.Bytes()
}

// Unpack gives what Pack got, if that is no more than most bytes.
func Unpack(packed []byte, most int64) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(data)) > most {
		err = errors.New("it unpacks to too much")
	}
	return data, err
}

// cutter takes pieces off a byte string; bad: it ended too early.
type cutter struct {
	data []byte
	bad  bool
}

func (c *cutter) number() uint64 {
	n, size := binary.Uvarint(c.data)
	if size <= 0 {
		c.data, c.bad = nil, true
		return 0
	}
	c.data = c.data[size:]
	return n
}

func (c *cutter) time() time.Time {
	n, size := binary.Varint(c.data)
	if size <= 0 {
		c.data, c.bad = nil, true
		return time.Time{}
	}
	c.data = c.data[size:]
	return time.Unix(0, n).UTC()
}

func (c *cutter) bytes() []byte {
	n := c.number()
	if n > uint64(len(c.data)) {
		c.data, c.bad = nil, true
		return nil
	}
	b := c.data[:n:n]
	c.data = c.data[n:]
	return b
}
