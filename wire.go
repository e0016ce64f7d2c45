package orbit

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// ErrFrame is the cause of every error about bytes that are no bundle or record.
var ErrFrame = errors.New("not a well-formed frame")

// frameWriter writes the fields of a frame in order; every frame is a msgpack array that begins with its version.
type frameWriter struct {
	buf bytes.Buffer
	enc *msgpack.Encoder
}

func newFrameWriter() *frameWriter {
	w := &frameWriter{enc: msgpack.GetEncoder()}
	w.enc.Reset(&w.buf)
	return w
}

// Errors are left out: a bytes.Buffer takes everything.
func (w *frameWriter) array(n int)  { _ = w.enc.EncodeArrayLen(n) }
func (w *frameWriter) str(s string) { _ = w.enc.EncodeString(s) }
func (w *frameWriter) bin(b []byte) { _ = w.enc.EncodeBytes(b) }
func (w *frameWriter) int(n int64)  { _ = w.enc.EncodeInt(n) }
func (w *frameWriter) done() []byte { msgpack.PutEncoder(w.enc); return w.buf.Bytes() }
func (w *frameWriter) flag(b bool)  { _ = w.enc.EncodeBool(b) }
func (w *frameWriter) size() int    { return w.buf.Len() }
func (w *frameWriter) raw(b []byte) { w.buf.Write(b) }
func (w *frameWriter) null()        { _ = w.enc.EncodeNil() }

// frameReader reads the fields of a frame in order. Its first error stays; byte strings are slices of the frame, and a
// length is believed only as far as the frame reaches.
type frameReader struct {
	data []byte
	r    *bytes.Reader
	dec  *msgpack.Decoder
	err  error
}

func newFrameReader(data []byte) *frameReader {
	r := &frameReader{data: data, r: bytes.NewReader(data), dec: msgpack.GetDecoder()}
	r.dec.Reset(r.r)
	return r
}

func (r *frameReader) close() { msgpack.PutDecoder(r.dec) }

func (r *frameReader) fail(err error) {
	if r.err == nil {
		if err == nil {
			err = errors.New("a field is out of bounds")
		}
		r.err = fmt.Errorf("%w: %w", ErrFrame, err)
	}
}

func (r *frameReader) array() int {
	if r.err != nil {
		return 0
	}
	n, err := r.dec.DecodeArrayLen()
	if err != nil || n < 0 || n > r.r.Len() {
		r.fail(err)
		return 0
	}
	return n
}

// fields reads the length of an array that must hold at least n fields; more are from a later version and are an error
// too, because a frame carries its version.
func (r *frameReader) fields(n int) {
	if got := r.array(); r.err == nil && got != n {
		r.fail(fmt.Errorf("%d fields where %d belong", got, n))
	}
}

func (r *frameReader) bin() []byte {
	if r.err != nil {
		return nil
	}
	n, err := r.dec.DecodeBytesLen()
	if err != nil || n > r.r.Len() {
		r.fail(err)
		return nil
	}
	if n <= 0 {
		return nil
	}
	at := len(r.data) - r.r.Len()
	_, _ = r.r.Seek(int64(n), 1) // within bounds
	return r.data[at : at+n : at+n]
}

func (r *frameReader) str() string { return string(r.bin()) }

func (r *frameReader) int() int64 {
	if r.err != nil {
		return 0
	}
	n, err := r.dec.DecodeInt64()
	if err != nil {
		r.fail(err)
	}
	return n
}

// count reads a number of things that cannot be negative.
func (r *frameReader) count() int {
	n := r.int()
	if n < 0 || n > 1<<40 {
		r.fail(fmt.Errorf("a count of %d", n))
		return 0
	}
	return int(n)
}

func (r *frameReader) flag() bool {
	if r.err != nil {
		return false
	}
	b, err := r.dec.DecodeBool()
	if err != nil {
		r.fail(err)
	}
	return b
}

// isNull reads a null and tells so; anything else is left to be read.
func (r *frameReader) isNull() bool {
	if r.err != nil {
		return true
	}
	c, err := r.dec.PeekCode()
	if err != nil {
		r.fail(err)
		return true
	}
	if c == msgpcode.Nil {
		_ = r.dec.DecodeNil()
		return true
	}
	return false
}

// isArray tells whether an array comes next.
func (r *frameReader) isArray() bool {
	if r.err != nil {
		return false
	}
	c, err := r.dec.PeekCode()
	if err != nil {
		r.fail(err)
		return false
	}
	return msgpcode.IsFixedArray(c) || c == msgpcode.Array16 || c == msgpcode.Array32
}

func (r *frameReader) end() error {
	if r.err == nil && r.r.Len() != 0 {
		r.fail(fmt.Errorf("%d bytes too many", r.r.Len()))
	}
	return r.err
}
