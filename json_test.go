package orbit_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestRunsAreWrittenAsEncodingJSONWouldWriteThem compares with the reflection that the hand-written form replaces: a field
// that is added to one and forgotten in the other shows here.
func TestRunsAreWrittenAsEncodingJSONWouldWriteThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := func() time.Time {
			return time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "seconds"), rapid.Int64Range(0, 999).Draw(t, "ns")*1000).UTC()
		}
		maybe := func() *time.Time {
			if at := at(); rapid.Bool().Draw(t, "there") {
				return &at
			}
			return nil
		}
		text := rapid.String()
		run := &orbit.Run{ID: text.Draw(t, "id"), Cluster: text.Draw(t, "cluster"), Version: text.Draw(t, "version"), State: rapid.SampledFrom(orbit.RunStates[:]).Draw(t, "state"),
			Round: rapid.Int().Draw(t, "round"), SLA: orbit.Duration(rapid.Int64Range(0, 1e15).Draw(t, "sla")), CreatedAt: at(), StartedAt: maybe(), Deadline: at(), FinishedAt: maybe(),
			DeadlineMissed: rapid.Bool().Draw(t, "missed"), Error: text.Draw(t, "error"),
			Trigger: orbit.RunTrigger{Type: text.Draw(t, "type"), At: at(), Payload: orbit.MustObject(map[string]any{text.Draw(t, "key"): rapid.Int().Draw(t, "n")})}}
		for range rapid.IntRange(0, 3).Draw(t, "satellites") {
			s := orbit.RunSatellite{Identifier: text.Draw(t, "identifier"), Uses: text.Draw(t, "uses"), Part: "main", Class: text.Draw(t, "class")}
			for i := range s.Items {
				s.Items[i] = rapid.IntRange(0, 1e9).Draw(t, "items")
			}
			run.Satellites = append(run.Satellites, s)
		}
		got, err := run.AppendJSON([]byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(run)
		if err != nil {
			t.Fatal(err)
		}
		var a, b any
		if err := json.Unmarshal(got[1:], &a); err != nil {
			t.Fatalf("%v in %s", err, got)
		}
		if err := json.Unmarshal(want, &b); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b, a); diff != "" {
			t.Fatalf("(-encoding/json +own):\n%s", diff)
		}
		back := &orbit.Run{}
		if err := json.Unmarshal(got[1:], back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(run.Satellites, back.Satellites); diff != "" {
			t.Fatalf("read back (-written +read):\n%s", diff)
		}
	})
}

// TestObjectsAreWrittenWithoutDecodingAsWithIt compares the two ways on every kind of value.
func TestObjectsAreWrittenWithoutDecodingAsWithIt(t *testing.T) {
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		kinds := []*rapid.Generator[any]{rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int().AsAny(), rapid.IntRange(-40000, 70000).AsAny(), rapid.String().AsAny(),
			rapid.StringMatching(`[a-z ]{20,300}`).AsAny(), rapid.Float64Range(-1e300, 1e300).AsAny()}
		if depth > 0 {
			kinds = append(kinds, rapid.SliceOfN(rapid.Deferred(func() *rapid.Generator[any] { return value(depth - 1) }), 0, 20).AsAny(),
				rapid.MapOfN(rapid.StringMatching(`[a-zé"]{0,40}`), rapid.Deferred(func() *rapid.Generator[any] { return value(depth - 1) }), 0, 20).AsAny())
		}
		return rapid.OneOf(kinds...)
	}
	rapid.Check(t, func(t *rapid.T) {
		v := value(3).Draw(t, "value")
		o, err := orbit.NewObject(v)
		if err != nil {
			t.Fatal(err)
		}
		text, err := o.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		decoded, err := o.Value()
		if err != nil {
			t.Fatal(err)
		}
		slow, err := json.Marshal(decoded)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if err := json.Unmarshal(slow, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s, and by way of its value %s", text, slow)
		}
	})
}

func TestObjectWithKeysOutOfOrderIsWrittenSorted(t *testing.T) {
	o := orbit.Object{0x82, 0xa1, 'b', 1, 0xa1, 'a', 2}
	if text, err := o.AppendJSON(nil); err != nil || string(text) != `{"a":2,"b":1}` {
		t.Errorf("%s, %v", text, err)
	}
	for _, bad := range []orbit.Object{{0x82, 0xa1, 'b', 1}, {0xd9}, {0xda, 0}, {0xdc, 0}, {0xdd, 0xff, 0xff, 0xff, 0xff}, {0xcd, 1}, {0xc1}, {1, 2}, {0xa5, 'x'}} {
		if text, err := bad.AppendJSON(nil); err == nil {
			t.Errorf("% x gives %s", []byte(bad), text)
		}
	}
}
