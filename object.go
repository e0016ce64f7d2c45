package orbit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// Object is one JSON value in msgpack encoding: what a satellite returns (then always a map), or a trigger's payload
// (any JSON value). It is kept encoded because most of the time it only passes through. The zero Object is null.
// Equal values have equal bytes: map keys are sorted and numbers take their shortest form.
type Object []byte

// maxObjectDepth bounds nesting, so that a hostile value cannot exhaust the stack.
const maxObjectDepth = 200

// trusted is the number of elements that room is made for on the word of a frame: with more, lists in lists that all claim
// to be long would take a thousand times the memory of the frame.
const trusted = 64

var errObject = errors.New("not a well-formed object")

// NewObject encodes a JSON-like value: nil, bool, string, Go numbers, json.Number, *big.Int, []any, map[string]any, and
// slices of maps. Anything else is an error, and so are NaN and the infinities, which JSON has not.
func NewObject(v any) (Object, error) {
	w := newFrameWriter(roughly(v))
	if err := w.value(v, 0); err != nil {
		return nil, err
	}
	return w.done(), nil
}

// Fields writes an object field by field, for who makes a great many that are alike: it takes a third of the time of NewObject with
// a map. Fields are written in the byte order of their names, each once: equal values have equal bytes.
type Fields struct {
	w        frameWriter
	n, count int
	last     string
	wrong    bool
}

// NewFields begins an object of n fields that takes about size bytes.
func NewFields(n, size int) *Fields {
	f := &Fields{w: frameWriter{buf: make([]byte, 0, size)}, n: n}
	f.w.mapping(n)
	return f
}

// Text writes a field that is a string.
func (f *Fields) Text(name, value string) {
	f.name(name)
	f.w.str(value)
}

// Number writes a field that is a whole number.
func (f *Fields) Number(name string, value int64) {
	f.name(name)
	f.w.number(value)
}

func (f *Fields) name(name string) {
	f.wrong = f.wrong || f.count > 0 && name <= f.last
	f.last = name
	f.count++
	f.w.str(name)
}

// Object gives the object, once. It is an error if the fields were not as they must be.
func (f *Fields) Object() (Object, error) {
	if f.wrong || f.count != f.n {
		return nil, fmt.Errorf("an object of %d fields got %d, or they were not in order", f.n, f.count)
	}
	return f.w.done(), nil
}

// NewList is the list of objects that are encoded already.
func NewList(objects []Object) Object {
	size := 5
	for _, o := range objects {
		size += len(o)
	}
	w := newFrameWriter(size)
	w.array(len(objects))
	for _, o := range objects {
		w.object(o)
	}
	return w.done()
}

// NewMap is the map of values that are encoded already, by their keys.
func NewMap(values map[string]Object) Object {
	size := 5
	for k, o := range values {
		size += len(k) + len(o) + 5
	}
	w := newFrameWriter(size)
	w.mapping(len(values))
	for _, k := range slices.Sorted(maps.Keys(values)) {
		w.str(k)
		w.object(values[k])
	}
	return w.done()
}

// MustObject is NewObject for values that are known to be JSON-like, such as literals in code.
func MustObject(v any) Object {
	o, err := NewObject(v)
	if err != nil {
		panic(err)
	}
	return o
}

// ParseObject encodes one JSON text.
func ParseObject(text []byte) (Object, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("more than one JSON value")
	}
	return NewObject(v)
}

// Value decodes the object: nil, bool, string, int, float64, []any, map[string]any (a number past the range of int
// comes as float64).
func (o Object) Value() (any, error) {
	if len(o) == 0 {
		return nil, nil
	}
	r := bytes.NewReader(o)
	dec := msgpack.GetDecoder()
	defer msgpack.PutDecoder(dec)
	dec.Reset(r)
	v, err := decodeValue(dec, r, 0)
	if err == nil && r.Len() != 0 {
		err = errObject
	}
	return v, err
}

// Elements calls f for every element of a list.
func (o Object) Elements(f func(Object) error) error {
	r := bytes.NewReader(o)
	dec := msgpack.NewDecoder(r)
	n, err := dec.DecodeArrayLen()
	if err != nil {
		return errObject
	}
	for range n {
		from := len(o) - r.Len()
		if err := dec.Skip(); err != nil {
			return errObject
		}
		if err := f(o[from : len(o)-r.Len()]); err != nil {
			return err
		}
	}
	return nil
}

// IsNull tells whether the object is null.
func (o Object) IsNull() bool { return len(o) == 0 || (len(o) == 1 && o[0] == msgpcode.Nil) }

// IsMap tells whether the object is a JSON object rather than a scalar or a list.
func (o Object) IsMap() bool {
	return len(o) > 0 && (msgpcode.IsFixedMap(o[0]) || o[0] == msgpcode.Map16 || o[0] == msgpcode.Map32)
}

// UnmarshalJSON reads the object from JSON.
func (o *Object) UnmarshalJSON(text []byte) error {
	v, err := ParseObject(text)
	*o = v
	return err
}

// roughly is about the room that a value takes, as far as it can be seen without going deep.
func roughly(v any) int {
	switch v := v.(type) {
	case string:
		return len(v) + 5
	case Object:
		return len(v) + 1
	case map[string]any:
		size := 5
		for k, e := range v {
			size += len(k) + 5 + scalar
			if text, ok := e.(string); ok {
				size += len(text)
			}
		}
		return size
	}
	return scalar
}

// scalar is the most that a number takes.
const scalar = 9

// value encodes a value behind what is there. It writes what the msgpack library would, in a third of its time: most of what
// satellites return comes through here.
func (w *frameWriter) value(v any, depth int) error {
	if depth > maxObjectDepth {
		return fmt.Errorf("nested deeper than %d levels", maxObjectDepth)
	}
	switch v := v.(type) {
	case nil:
		w.null()
	case bool:
		w.flag(v)
	case string:
		w.str(v)
	case int:
		w.number(int64(v))
	case int32:
		w.number(int64(v))
	case int64:
		w.number(v)
	case uint32:
		w.number(int64(v))
	case uint64:
		if v > math.MaxInt64 {
			w.float(float64(v))
			return nil
		}
		w.number(int64(v))
	case float32:
		return w.decimal(float64(v))
	case float64:
		return w.decimal(v)
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			w.number(i)
			return nil
		}
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return fmt.Errorf("number %q: %w", string(v), err)
		}
		return w.decimal(f)
	case *big.Int:
		if v.IsInt64() {
			w.number(v.Int64())
			return nil
		}
		f, _ := new(big.Float).SetInt(v).Float64()
		return w.decimal(f)
	case Object:
		w.object(v)
	case []any:
		w.array(len(v))
		for _, e := range v {
			if err := w.value(e, depth+1); err != nil {
				return err
			}
		}
	case []string:
		w.array(len(v))
		for _, e := range v {
			w.str(e)
		}
	case []map[string]any:
		w.array(len(v))
		for _, e := range v {
			if err := w.value(e, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		w.mapping(len(v))
		var few [16]string // most maps have no more
		keys := few[:0]
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			w.str(k)
			if err := w.value(v[k], depth+1); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("a value of type %T is not JSON", v)
	}
	return nil
}

func (w *frameWriter) decimal(f float64) error {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return errors.New("NaN and infinity are not JSON")
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 { // 1.0 is 1
		w.number(int64(f))
		return nil
	}
	w.float(f)
	return nil
}

func decodeValue(dec *msgpack.Decoder, r *bytes.Reader, depth int) (any, error) {
	if depth > maxObjectDepth {
		return nil, errObject
	}
	c, err := dec.PeekCode()
	if err != nil {
		return nil, err
	}
	switch {
	case c == msgpcode.Nil:
		return nil, dec.DecodeNil()
	case c == msgpcode.True || c == msgpcode.False:
		return dec.DecodeBool()
	case c == msgpcode.Float || c == msgpcode.Double:
		return dec.DecodeFloat64()
	case msgpcode.IsString(c):
		return dec.DecodeString()
	case msgpcode.IsFixedNum(c) || (c >= msgpcode.Uint8 && c <= msgpcode.Int64):
		if c == msgpcode.Uint64 {
			u, err := dec.DecodeUint64()
			if u > math.MaxInt64 {
				return float64(u), err
			}
			return int(u), err
		}
		i, err := dec.DecodeInt64()
		return int(i), err
	case msgpcode.IsFixedArray(c) || c == msgpcode.Array16 || c == msgpcode.Array32:
		n, err := dec.DecodeArrayLen()
		if err != nil || n < 0 || n > r.Len() { // every element takes a byte at least
			return nil, errObject
		}
		list := make([]any, 0, min(n, trusted))
		for range n {
			e, err := decodeValue(dec, r, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
		return list, nil
	case msgpcode.IsFixedMap(c) || c == msgpcode.Map16 || c == msgpcode.Map32:
		n, err := dec.DecodeMapLen()
		if err != nil || n < 0 || n > r.Len()/2 {
			return nil, errObject
		}
		m := make(map[string]any, min(n, trusted))
		for range n {
			k, err := dec.DecodeString()
			if err != nil {
				return nil, err
			}
			if m[k], err = decodeValue(dec, r, depth+1); err != nil {
				return nil, err
			}
		}
		return m, nil
	}
	return nil, errObject
}
