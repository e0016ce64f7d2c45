package orbit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// ErrFrame is the cause of every error about bytes that are no bundle or record.
var ErrFrame = errors.New("not a well-formed frame")

// frameWriter writes the fields of a frame in order; every frame is a msgpack array that begins with its version. It
// appends to a slice rather than going through an encoder: frames are made for every item, and this takes half the time.
type frameWriter struct{ buf []byte }

// newFrameWriter makes room for about size bytes.
func newFrameWriter(size int) *frameWriter { return &frameWriter{buf: make([]byte, 0, size)} }

func (w *frameWriter) done() []byte { return w.buf }
func (w *frameWriter) null()        { w.buf = append(w.buf, msgpcode.Nil) }

func (w *frameWriter) array(n int) {
	switch {
	case n < 16:
		w.buf = append(w.buf, msgpcode.FixedArrayLow|byte(n))
	case n < 1<<16:
		w.buf = binary.BigEndian.AppendUint16(append(w.buf, msgpcode.Array16), uint16(n))
	default:
		w.buf = binary.BigEndian.AppendUint32(append(w.buf, msgpcode.Array32), uint32(n))
	}
}

func (w *frameWriter) mapping(n int) {
	switch {
	case n < 16:
		w.buf = append(w.buf, msgpcode.FixedMapLow|byte(n))
	case n < 1<<16:
		w.buf = binary.BigEndian.AppendUint16(append(w.buf, msgpcode.Map16), uint16(n))
	default:
		w.buf = binary.BigEndian.AppendUint32(append(w.buf, msgpcode.Map32), uint32(n))
	}
}

// object writes a value that is encoded already.
func (w *frameWriter) object(o Object) {
	if len(o) == 0 {
		w.null()
		return
	}
	w.buf = append(w.buf, o...)
}

func (w *frameWriter) str(s string) {
	switch n := len(s); {
	case n < 32:
		w.buf = append(w.buf, msgpcode.FixedStrLow|byte(n))
	case n < 1<<8:
		w.buf = append(w.buf, msgpcode.Str8, byte(n))
	case n < 1<<16:
		w.buf = binary.BigEndian.AppendUint16(append(w.buf, msgpcode.Str16), uint16(n))
	default:
		w.buf = binary.BigEndian.AppendUint32(append(w.buf, msgpcode.Str32), uint32(n))
	}
	w.buf = append(w.buf, s...)
}

func (w *frameWriter) bin(b []byte) { w.buf = appendBin(w.buf, b) }

func (w *frameWriter) int(n int64) {
	switch {
	case n >= -32 && n < 128:
		w.buf = append(w.buf, byte(n))
	case n >= 0 && n < 1<<16:
		w.buf = binary.BigEndian.AppendUint16(append(w.buf, msgpcode.Uint16), uint16(n))
	case n >= 0 && n < 1<<32:
		w.buf = binary.BigEndian.AppendUint32(append(w.buf, msgpcode.Uint32), uint32(n))
	default:
		w.buf = binary.BigEndian.AppendUint64(append(w.buf, msgpcode.Int64), uint64(n))
	}
}

// number writes a number of an object, in the shortest form that there is for it.
func (w *frameWriter) number(n int64) {
	switch {
	case n >= -32 && n < 128:
		w.buf = append(w.buf, byte(n))
	case n >= 0 && n < 1<<8:
		w.buf = append(w.buf, msgpcode.Uint8, byte(n))
	case n >= 0 && n < 1<<16:
		w.buf = binary.BigEndian.AppendUint16(append(w.buf, msgpcode.Uint16), uint16(n))
	case n >= 0 && n < 1<<32:
		w.buf = binary.BigEndian.AppendUint32(append(w.buf, msgpcode.Uint32), uint32(n))
	case n >= 0:
		w.buf = binary.BigEndian.AppendUint64(append(w.buf, msgpcode.Uint64), uint64(n))
	case n >= math.MinInt8:
		w.buf = append(w.buf, msgpcode.Int8, byte(n))
	case n >= math.MinInt16:
		w.buf = binary.BigEndian.AppendUint16(append(w.buf, msgpcode.Int16), uint16(n))
	case n >= math.MinInt32:
		w.buf = binary.BigEndian.AppendUint32(append(w.buf, msgpcode.Int32), uint32(n))
	default:
		w.buf = binary.BigEndian.AppendUint64(append(w.buf, msgpcode.Int64), uint64(n))
	}
}

func (w *frameWriter) float(f float64) {
	w.buf = binary.BigEndian.AppendUint64(append(w.buf, msgpcode.Double), math.Float64bits(f))
}

func (w *frameWriter) flag(b bool) {
	if b {
		w.buf = append(w.buf, msgpcode.True)
	} else {
		w.buf = append(w.buf, msgpcode.False)
	}
}

// appendBin appends a byte string.
func appendBin(buf, b []byte) []byte {
	switch n := len(b); {
	case n < 1<<8:
		buf = append(buf, msgpcode.Bin8, byte(n))
	case n < 1<<16:
		buf = binary.BigEndian.AppendUint16(append(buf, msgpcode.Bin16), uint16(n))
	default:
		buf = binary.BigEndian.AppendUint32(append(buf, msgpcode.Bin32), uint32(n))
	}
	return append(buf, b...)
}

// frameReader reads the fields of a frame in order. Its first error stays; byte strings are slices of the frame, and a
// length is believed only as far as the frame reaches. What comes in nearly every item is read without a call for each byte.
type frameReader struct {
	data []byte
	many bool // many strings will be read: then they are parts of the frame, too
	at   int
	err  error
}

func newFrameReader(data []byte) *frameReader { return &frameReader{data: data} }

func (r *frameReader) left() int { return len(r.data) - r.at }

func (r *frameReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s at byte %d", ErrFrame, fmt.Sprintf(format, args...), r.at)
	}
	r.at = len(r.data)
}

// code takes the byte that says what comes; 0xc1, which msgpack never uses, after an error.
func (r *frameReader) code() byte {
	if r.at >= len(r.data) {
		r.fail("it ends too early")
		return 0xc1
	}
	c := r.data[r.at]
	r.at++
	return c
}

// number takes an unsigned number of size bytes.
func (r *frameReader) number(size int) uint64 {
	if r.left() < size {
		r.fail("it ends too early")
		return 0
	}
	var n uint64
	for _, b := range r.data[r.at : r.at+size] {
		n = n<<8 | uint64(b)
	}
	r.at += size
	return n
}

func (r *frameReader) array() int {
	var n uint64
	switch c := r.code(); {
	case msgpcode.IsFixedArray(c):
		n = uint64(c & msgpcode.FixedArrayMask)
	case c == msgpcode.Array16:
		n = r.number(2)
	case c == msgpcode.Array32:
		n = r.number(4)
	default:
		r.fail("no array where one belongs")
	}
	if n > uint64(r.left()) { // every element takes a byte at least
		r.fail("an array of %d elements in %d bytes", n, r.left())
		return 0
	}
	return int(n)
}

// fields reads the length of an array that must hold n fields; more are from a later version and are an error too, because
// a frame carries its version.
func (r *frameReader) fields(n int) {
	if n < 16 && r.at < len(r.data) && r.data[r.at] == msgpcode.FixedArrayLow|byte(n) && n < r.left() {
		r.at++
		return
	}
	if got := r.array(); r.err == nil && got != n {
		r.fail("%d fields where %d belong", got, n)
	}
}

// span takes a string or byte string and gives where it lies. Null is empty.
func (r *frameReader) span() (from, to int) {
	if r.at+1 < len(r.data) {
		n, head := -1, 1
		if c := r.data[r.at]; msgpcode.IsFixedString(c) {
			n = int(c & msgpcode.FixedStrMask)
		} else if c == msgpcode.Bin8 {
			n, head = int(r.data[r.at+1]), 2
		}
		if from = r.at + head; n >= 0 && from+n <= len(r.data) {
			r.at = from + n
			return from, r.at
		}
	}
	var n uint64
	switch c := r.code(); {
	case msgpcode.IsFixedString(c):
		n = uint64(c & msgpcode.FixedStrMask)
	case c == msgpcode.Bin8 || c == msgpcode.Str8:
		n = r.number(1)
	case c == msgpcode.Bin16 || c == msgpcode.Str16:
		n = r.number(2)
	case c == msgpcode.Bin32 || c == msgpcode.Str32:
		n = r.number(4)
	case c == msgpcode.Nil:
	default:
		r.fail("no text where some belongs")
	}
	if n > uint64(r.left()) {
		r.fail("a text of %d bytes in %d", n, r.left())
		n = 0
	}
	from = r.at
	r.at += int(n)
	return from, r.at
}

func (r *frameReader) bin() []byte {
	from, to := r.span()
	if from == to {
		return nil
	}
	return r.data[from:to:to]
}

func (r *frameReader) str() string {
	from, to := r.span()
	if from == to {
		return ""
	}
	if !r.many {
		return string(r.data[from:to])
	}
	return r.part(from, to)
}

// part is a part of the frame, which is not empty, as a string. Nobody writes to a frame: its byte strings are parts of it as well.
func (r *frameReader) part(from, to int) string { return unsafe.String(&r.data[from], to-from) }

func (r *frameReader) int() int64 {
	if r.at < len(r.data) && r.data[r.at] < 0x80 {
		r.at++
		return int64(r.data[r.at-1])
	}
	switch c := r.code(); {
	case msgpcode.IsFixedNum(c):
		return int64(int8(c))
	case c == msgpcode.Uint8:
		return int64(r.number(1))
	case c == msgpcode.Uint16:
		return int64(r.number(2))
	case c == msgpcode.Uint32:
		return int64(r.number(4))
	case c == msgpcode.Uint64:
		return int64(r.number(8))
	case c == msgpcode.Int8:
		return int64(int8(r.number(1)))
	case c == msgpcode.Int16:
		return int64(int16(r.number(2)))
	case c == msgpcode.Int32:
		return int64(int32(r.number(4)))
	case c == msgpcode.Int64:
		return int64(r.number(8))
	}
	r.fail("no number where one belongs")
	return 0
}

// count reads a number of things that cannot be negative.
func (r *frameReader) count() int {
	n := r.int()
	if n < 0 || n > 1<<40 {
		r.fail("a count of %d", n)
		return 0
	}
	return int(n)
}

func (r *frameReader) flag() bool {
	c := r.code()
	if c != msgpcode.True && c != msgpcode.False {
		r.fail("no yes or no where one belongs")
	}
	return c == msgpcode.True
}

// isNull takes a null and tells so; anything else is left to be read.
func (r *frameReader) isNull() bool {
	if r.left() == 0 {
		r.fail("it ends too early")
		return true
	}
	if r.data[r.at] != msgpcode.Nil {
		return false
	}
	r.at++
	return true
}

// isArray tells whether an array comes next.
func (r *frameReader) isArray() bool {
	if r.left() == 0 {
		r.fail("it ends too early")
		return false
	}
	c := r.data[r.at]
	return msgpcode.IsFixedArray(c) || c == msgpcode.Array16 || c == msgpcode.Array32
}

// isEmptyArray takes an array without elements and tells so; anything else is left to be read.
func (r *frameReader) isEmptyArray() bool {
	if r.left() == 0 || r.data[r.at] != msgpcode.FixedArrayLow {
		return false
	}
	r.at++
	return true
}

func (r *frameReader) end() error {
	if r.err == nil && r.left() != 0 {
		r.fail("%d bytes too many", r.left())
	}
	return r.err
}
