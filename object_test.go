package orbit_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"math/big"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
	"pgregory.net/rapid"

	"github.com/exospherehost/orbit"
)

// jsonValues draws values as encoding/json gives them.
func jsonValues() *rapid.Generator[any] {
	leaf := rapid.OneOf(rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.String().AsAny(), rapid.IntRange(-1<<53, 1<<53).AsAny(),
		rapid.Float64Range(-1e300, 1e300).AsAny())
	var at func(depth int) *rapid.Generator[any]
	at = func(depth int) *rapid.Generator[any] {
		if depth == 0 {
			return leaf
		}
		return rapid.OneOf(leaf, rapid.SliceOfN(at(depth-1), 0, 5).AsAny(), rapid.MapOfN(rapid.String(), at(depth-1), 0, 5).AsAny())
	}
	return at(4)
}

// decoded is what encoding/json makes of a text.
func decoded(t interface{ Fatalf(string, ...any) }, text []byte) any {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestObjectsSayWhatTheirJSONSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, err := json.Marshal(jsonValues().Draw(t, "value"))
		if err != nil {
			t.Fatalf("%v", err)
		}
		o, err := orbit.ParseObject(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		back, err := o.MarshalJSON()
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(decoded(t, back), decoded(t, text)) {
			t.Fatalf("%s came back as %s", text, back)
		}
		v, err := o.Value()
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := orbit.NewObject(v)
		if err != nil || !bytes.Equal(again, o) {
			t.Fatalf("%s has the bytes %x, and %x once decoded and encoded: %v", text, o, again, err)
		}
	})
}

func TestNumbersKeepTheirValue(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-1": "-1", "9223372036854775807": "9223372036854775807", "-9223372036854775808": "-9223372036854775808",
		"9007199254740993":    "9007199254740993", // past what a float holds
		"9223372036854775808": "9223372036854775808", "18446744073709551616": "18446744073709552000", "1e21": "1e+21", "0.1": "0.1", "1.5e-9": "1.5e-9",
		"1e308": "1e+308", "5e-324": "5e-324",
	} {
		o, err := orbit.ParseObject([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := o.MarshalJSON(); err != nil || string(got) != want && !reflect.DeepEqual(decoded(t, got), decoded(t, []byte(want))) {
			t.Errorf("%s came back as %s, %v", text, got, err)
		}
	}
}

func TestGoNumbersOfEveryKindAreTaken(t *testing.T) {
	for _, v := range []any{7, int32(7), int64(7), uint32(7), uint64(7), float32(7), 7.0, json.Number("7"), big.NewInt(7)} {
		o, err := orbit.NewObject(v)
		if text, _ := o.MarshalJSON(); err != nil || string(text) != "7" {
			t.Errorf("%T: %s, %v", v, text, err)
		}
	}
	huge, _ := new(big.Int).SetString("1"+strings.Repeat("0", 30), 10)
	for _, v := range []any{uint64(math.MaxUint64), huge} {
		if got, err := orbit.MustObject(v).Value(); err != nil || reflect.TypeOf(got).Kind() != reflect.Float64 {
			t.Errorf("%v: %v, %v", v, got, err)
		}
	}
}

func TestWhatJSONHasNotIsNoObject(t *testing.T) {
	tooBig, _ := new(big.Int).SetString("1"+strings.Repeat("0", 400), 10)
	for _, v := range []any{math.NaN(), math.Inf(1), float32(math.Inf(-1)), json.Number("1e999"), json.Number("one"), tooBig, struct{}{}, make(chan int),
		[]any{1, []any{func() {}}}, map[string]any{"a": math.NaN()}, map[int]any{}} {
		if o, err := orbit.NewObject(v); err == nil {
			t.Errorf("%T %v became %x", v, v, o)
		}
	}
}

func TestTextsThatAreNotOneJSONValueAreRefused(t *testing.T) {
	for _, text := range []string{"", " ", "{", "{} {}", "1 2", "{}]", "1}", "[1],", "{} x", "nul", "'a'", "NaN", "1e999"} {
		if o, err := orbit.ParseObject([]byte(text)); err == nil {
			t.Errorf("%q became %x", text, o)
		}
	}
	if _, err := orbit.ParseObject([]byte(" {\"a\": 1}\n\t ")); err != nil {
		t.Errorf("space around a value: %v", err)
	}
}

func TestNestingHasALimit(t *testing.T) {
	nested := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	o, err := orbit.ParseObject(nested(200))
	if err != nil {
		t.Fatalf("200 levels: %v", err)
	}
	if _, err := o.Value(); err != nil {
		t.Errorf("200 levels cannot be decoded: %v", err)
	}
	if _, err := orbit.ParseObject(nested(300)); err == nil || !strings.Contains(err.Error(), "200") {
		t.Errorf("300 levels: %v", err)
	}
	if _, err := orbit.Object(bytes.Repeat([]byte{0x91}, 1<<20)).Value(); err == nil {
		t.Error("a frame of a million levels is decoded")
	}
}

func TestKeysAreSortedSoThatEqualValuesHaveEqualBytes(t *testing.T) {
	a, _ := orbit.ParseObject([]byte(`{"b": 1, "a": [{"y": 1, "x": 2}]}`))
	b, _ := orbit.ParseObject([]byte(`{"a": [{"x": 2, "y": 1}], "b": 1}`))
	if !bytes.Equal(a, b) {
		t.Errorf("%x and %x", a, b)
	}
	for _, same := range []string{"1", "1.0", "1e0", "10e-1", "100.00E-2"} {
		if o, _ := orbit.ParseObject([]byte(same)); !bytes.Equal(o, orbit.MustObject(1)) {
			t.Errorf("%s has the bytes %x", same, o)
		}
	}
	if text, _ := a.MarshalJSON(); string(text) != `{"a":[{"x":2,"y":1}],"b":1}` {
		t.Errorf("%s", text)
	}
}

func TestTextIsNotEscapedForHTML(t *testing.T) {
	if text, _ := orbit.MustObject("a<b>&c \u2028").MarshalJSON(); !strings.HasPrefix(string(text), `"a<b>&c`) {
		t.Errorf("%s", text)
	}
}

func TestNullIsTheZeroObject(t *testing.T) {
	for _, o := range []orbit.Object{nil, {}, orbit.MustObject(nil)} {
		text, err := o.MarshalJSON()
		if v, verr := o.Value(); !o.IsNull() || o.IsMap() || err != nil || verr != nil || string(text) != "null" || v != nil {
			t.Errorf("%x: %s, %v", o, text, err)
		}
	}
	if o := orbit.MustObject(map[string]any{}); !o.IsMap() || o.IsNull() {
		t.Error("an empty map is taken for null, or for no map")
	}
	if orbit.MustObject([]any{}).IsMap() || orbit.MustObject("x").IsMap() {
		t.Error("a list or a string is taken for a map")
	}
	big := map[string]any{}
	for i := range 100_000 {
		big[strings.Repeat("k", i%7)+string(rune('a'+i%26))+big1(i)] = i
	}
	if !orbit.MustObject(big).IsMap() {
		t.Error("a large map is taken for none")
	}
}

func big1(i int) string { text, _ := json.Marshal(i); return string(text) }

func TestDamagedObjectsAreErrors(t *testing.T) {
	whole := orbit.MustObject(map[string]any{"list": []any{1, 2.5, "text", nil, true}, "n": 1 << 40})
	for n := 1; n < len(whole); n++ {
		if v, err := whole[:n].Value(); err == nil {
			t.Errorf("the first %d of %d bytes are decoded to %v", n, len(whole), v)
		}
	}
	if _, err := raw(append(bytes.Clone(whole), 0xc0)).value(); err == nil {
		t.Error("bytes too many are not noticed")
	}
}

type raw []byte

func (r raw) value() (any, error) { return orbit.Object(r).Value() }

// hostile are short frames that claim to hold much.
var hostile = map[string][]byte{
	"list": {0xdd, 0xff, 0xff, 0xff, 0xff}, "map": {0xdf, 0xff, 0xff, 0xff, 0xff}, "text": {0xdb, 0xff, 0xff, 0xff, 0xff}, "bytes": {0xc6, 0xff, 0xff, 0xff, 0xff},
	"lists in lists": bytes.Repeat([]byte{0xdd, 0x00, 0x00, 0x40, 0x00}, 64<<10/5), "ext": {0xc9, 0xff, 0xff, 0xff, 0xff, 1},
}

// allocated measures what f allocates, in bytes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestHostileObjectsTakeLittleMemory(t *testing.T) {
	for name, data := range hostile {
		if got := allocated(func() {
			if _, err := orbit.Object(data).Value(); err == nil {
				t.Errorf("%s: decoded", name)
			}
		}); got > 4<<20 { // msgpack reads a text in steps of a megabyte
			t.Errorf("%s: %d bytes of frame took %d KiB", name, len(data), got>>10)
		}
	}
}

// reference encodes by the msgpack library, which is what other languages read.
func reference(t interface{ Fatalf(string, ...any) }, enc *msgpack.Encoder, v any) {
	var err error
	switch v := v.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			err = enc.EncodeInt(int64(v))
		} else {
			err = enc.EncodeFloat64(v)
		}
	case int:
		err = enc.EncodeInt(int64(v))
	case []any:
		err = enc.EncodeArrayLen(len(v))
		for _, e := range v {
			reference(t, enc, e)
		}
	case map[string]any:
		err = enc.EncodeMapLen(len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			reference(t, enc, k)
			reference(t, enc, v[k])
		}
	default:
		err = enc.Encode(v)
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
}

func TestObjectsHaveTheBytesThatTheLibraryWrites(t *testing.T) {
	numbers := rapid.OneOf(rapid.Int().AsAny(), rapid.Float64Range(-1e300, 1e300).AsAny(), rapid.SampledFrom([]any{-1 << 63, -1<<31 - 1, -1 << 31, -1<<15 - 1, -1 << 15, -129, -128, -33, -32, -1, 0,
		127, 128, 255, 256, 1<<16 - 1, 1 << 16, 1<<32 - 1, 1 << 32, 1<<63 - 1}))
	texts := rapid.Map(rapid.SampledFrom([]int{0, 31, 32, 255, 256, 1<<16 - 1, 1 << 16}), func(n int) any { return strings.Repeat("x", n) })
	lists := rapid.Map(rapid.SampledFrom([]int{15, 16, 1<<16 - 1, 1 << 16}), func(n int) any { return make([]any, n) })
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.OneOf(jsonValues(), numbers, texts, lists).Draw(t, "value")
		var want bytes.Buffer
		reference(t, msgpack.NewEncoder(&want), v)
		got, err := orbit.NewObject(v)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("%v is % x, by the library % x", v, []byte(got), want.Bytes())
		}
	})
}

func TestFieldsAreTheObjectOfTheirMap(t *testing.T) {
	f := orbit.NewFields(3, 0)
	f.Number("a", -70000)
	f.Text("b", "text")
	f.Text("c", "")
	got, err := f.Object()
	if want := orbit.MustObject(map[string]any{"a": -70000, "b": "text", "c": ""}); err != nil || !bytes.Equal(got, want) {
		t.Errorf("% x, %v, want % x", []byte(got), err, []byte(want))
	}
	for name, names := range map[string][]string{"too few": {"a"}, "too many": {"a", "b", "c"}, "out of order": {"b", "a"}, "twice": {"a", "a"}} {
		f := orbit.NewFields(2, 10)
		for _, n := range names {
			f.Text(n, "x")
		}
		if o, err := f.Object(); err == nil {
			t.Errorf("%s: %v", name, o)
		}
	}
}
