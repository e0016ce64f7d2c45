package orbit_test

import (
	"bytes"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"github.com/exospherehost/orbit"
)

// The forms that most items and results have are written and read by code of their own. So each is tried on both sides of every
// limit of that code, and its bytes are held against those of a msgpack encoder.
func TestFramesAreTheSameOnBothSidesOfTheShortWay(t *testing.T) {
	for _, lineage := range []int{1, 31, 32, 40} {
		for _, n := range []int{0, 127, 128} {
			for _, size := range []int{1, 255, 256} {
				l, o := orbit.Lineage(bytes.Repeat([]byte("7"), lineage)), orbit.Object(bytes.Repeat([]byte{0xc3}, size))
				b := bundleOf(1)
				b.Items = []orbit.Item{{Lineage: l, Attempt: n, Value: orbit.Value{Object: o}}}
				frame := b.Encode()
				if want := encoded(t, []any{[]any{string(l), number(n), []byte(o), []any{}}}); !bytes.HasSuffix(frame, want) {
					t.Errorf("an item of lineage %d, attempt %d, %d bytes is written as %x, want %x at the end", lineage, n, size, frame, want)
				}
				back, err := orbit.DecodeBundle(frame)
				if err != nil || back.Items[0].Lineage != l || back.Items[0].Attempt != n || !bytes.Equal(back.Items[0].Value.Object, o) {
					t.Errorf("an item of lineage %d, attempt %d, %d bytes is read as %+v: %v", lineage, n, size, back, err)
				}
				rec := recordOf(1)
				rec.Results = []orbit.Result{{Lineage: l, State: orbit.ItemSucceeded, Attempt: n, Outputs: size}}
				if frame, want := rec.Encode(), encoded(t, []any{[]any{string(l), 0, number(n), number(size), nil, nil}}); !bytes.HasSuffix(frame, append(want, 0xc2)) {
					t.Errorf("a result of lineage %d, attempt %d, %d outputs is written as %x, want %x at the end", lineage, n, size, frame, want)
				}
			}
		}
	}
}

// number is one as frames have it: short ones in a byte, others in two at least.
func number(n int) any {
	if n < 128 {
		return n
	}
	return msgpack.RawMessage{msgpcode.Uint16, byte(n >> 8), byte(n)}
}

// encoded is what a msgpack encoder makes of it.
func encoded(t *testing.T, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	enc := msgpack.NewEncoder(&out)
	enc.UseCompactInts(true)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
