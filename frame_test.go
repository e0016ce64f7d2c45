package orbit_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/exospherehost/orbit"
)

var (
	texts   = rapid.StringN(0, 20, 60)
	counts  = rapid.IntRange(0, 1<<40)
	objects = rapid.Custom(func(t *rapid.T) orbit.Object { return orbit.MustObject(jsonValues().Draw(t, "object")) })
	values  = rapid.Custom(func(t *rapid.T) orbit.Value {
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			return orbit.Value{}
		case 1:
			return orbit.Value{Ref: &orbit.Ref{Blob: texts.Draw(t, "blob"), Offset: counts.Draw(t, "offset"), Length: counts.Draw(t, "length")}}
		}
		return orbit.Value{Object: objects.Draw(t, "object")}
	})
	items = rapid.Custom(func(t *rapid.T) orbit.Item {
		return orbit.Item{Lineage: lineageOf(ordinals(t, "lineage")), Attempt: rapid.IntRange(0, 99).Draw(t, "attempt"), Value: values.Draw(t, "value"),
			Live: rapid.SliceOfN(values, 0, 4).Draw(t, "live")}
	})
	bundles = rapid.Custom(func(t *rapid.T) *orbit.Bundle {
		id := rapid.Custom(func(t *rapid.T) string { return orbit.HashID(texts.Draw(t, "of")) })
		return &orbit.Bundle{ID: id.Draw(t, "id"), Run: id.Draw(t, "run"), Step: texts.Draw(t, "step"), Parent: id.Draw(t, "parent"), Ordinal: counts.Draw(t, "ordinal"),
			Plan: texts.Draw(t, "plan"), Accepted: rapid.Int64().Draw(t, "accepted"), Deadline: rapid.Int64().Draw(t, "deadline"),
			TriggerAt: rapid.Int64().Draw(t, "at"), TriggerType: texts.Draw(t, "type"), Items: rapid.SliceOfN(items, 1, 8).Draw(t, "items")}
	})
	payloads = rapid.Custom(func(t *rapid.T) orbit.Payload {
		if rapid.Bool().Draw(t, "inline") {
			return orbit.Payload{Inline: rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "bytes")}
		}
		return orbit.Payload{Chunks: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) orbit.Chunk {
			return orbit.Chunk{Blob: texts.Draw(t, "blob"), Size: counts.Draw(t, "size"), Count: counts.Draw(t, "count")}
		}), 1, 5).Draw(t, "chunks")}
	})
	usages  = rapid.MapOfN(texts, rapid.Int64Range(0, math.MaxInt64), 0, orbit.MaxUsage)
	results = rapid.Custom(func(t *rapid.T) orbit.Result {
		r := orbit.Result{Lineage: lineageOf(ordinals(t, "lineage")), Attempt: rapid.IntRange(0, 99).Draw(t, "attempt"), Outputs: counts.Draw(t, "outputs"),
			State: rapid.SampledFrom([]orbit.ItemState{orbit.ItemSucceeded, orbit.ItemFailed, orbit.ItemSkipped, orbit.ItemRetrying}).Draw(t, "state")}
		if r.State == orbit.ItemFailed || r.State == orbit.ItemRetrying {
			r.Error = &orbit.Error{Code: orbit.Code(texts.Draw(t, "code")), Message: texts.Draw(t, "message"), Retryable: rapid.Bool().Draw(t, "retryable")}
		}
		if r.State == orbit.ItemRetrying {
			it := items.Draw(t, "input")
			r.Input = &it
		}
		r.Usage = usages.Draw(t, "usage")
		return r
	})
	records = rapid.Custom(func(t *rapid.T) *orbit.Record {
		n := func(label string) int { return counts.Draw(t, label) }
		return &orbit.Record{Bundle: texts.Draw(t, "bundle"), Run: texts.Draw(t, "run"), Step: texts.Draw(t, "step"), Parent: texts.Draw(t, "parent"), Ordinal: n("ordinal"),
			Node: texts.Draw(t, "node"), Started: rapid.Int64().Draw(t, "started"), Finished: rapid.Int64().Draw(t, "finished"),
			Counts: orbit.Counts{Succeeded: n("succeeded"), Failed: n("failed"), Skipped: n("skipped"), Retry: n("retry"), Again: n("again")}, FailureItems: n("failure items"),
			Born: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) orbit.Born {
				return orbit.Born{Step: texts.Draw(t, "step"), Items: counts.Draw(t, "items")}
			}), 0, 4).Draw(t, "born"),
			Kids: payloads.Draw(t, "kids"), Results: rapid.SliceOfN(results, 0, 6).Draw(t, "results"), Outputs: payloads.Draw(t, "outputs"), Usage: usages.Draw(t, "usage")}
	})
	kids = rapid.Custom(func(t *rapid.T) orbit.Kid {
		return orbit.Kid{Kind: rapid.SampledFrom([]orbit.KidKind{orbit.KidChild, orbit.KidRetry, orbit.KidFailure}).Draw(t, "kind"), Step: texts.Draw(t, "step"),
			Ordinal: counts.Draw(t, "ordinal"), First: counts.Draw(t, "first"), Count: rapid.IntRange(1, orbit.MaxBundleItems).Draw(t, "count"), Due: rapid.Int64().Draw(t, "due")}
	})
)

func TestBundlesAreDecodedAsTheyWereEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := bundles.Draw(t, "bundle")
		data := b.Encode()
		got, err := orbit.DecodeBundle(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		if !bytes.Equal(got.Encode(), data) {
			t.Fatal("encoded again, the bytes are others: a replay would be another message")
		}
		cut := rapid.IntRange(0, len(data)-1).Draw(t, "cut")
		if _, err := orbit.DecodeBundle(data[:cut]); !errors.Is(err, orbit.ErrFrame) {
			t.Fatalf("%d of %d bytes: %v", cut, len(data), err)
		}
		if _, err := orbit.DecodeBundle(append(bytes.Clone(data), 0)); !errors.Is(err, orbit.ErrFrame) {
			t.Fatalf("a byte too many: %v", err)
		}
	})
}

func TestRecordsAreDecodedAsTheyWereEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rec := records.Draw(t, "record")
		data := rec.Encode()
		got, err := orbit.DecodeRecord(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rec, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		head, err := orbit.DecodeRecordHead(data)
		if err != nil {
			t.Fatal(err)
		}
		rec.Kids, rec.Outputs, rec.Results = orbit.Payload{}, orbit.Payload{}, nil
		if diff := cmp.Diff(rec, head, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		cut := rapid.IntRange(0, len(data)-1).Draw(t, "cut")
		if _, err := orbit.DecodeRecord(data[:cut]); !errors.Is(err, orbit.ErrFrame) {
			t.Fatalf("%d of %d bytes: %v", cut, len(data), err)
		}
	})
}

func TestKidsAreDecodedAsTheyWereAppended(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(kids, 0, 20).Draw(t, "kids")
		var data []byte
		for _, k := range want {
			data = orbit.AppendKid(data, k)
		}
		got, err := orbit.DecodeKids(data)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}

func TestOutputsAreTakenOffAsTheyWereAppended(t *testing.T) {
	want := []orbit.Object{nil, orbit.MustObject(nil), orbit.MustObject(strings.Repeat("a", 253)), orbit.MustObject(strings.Repeat("a", 300)), orbit.MustObject(strings.Repeat("a", 70_000))}
	var data []byte
	for _, o := range want {
		data = orbit.AppendOutput(data, o)
	}
	at := 0
	for i, rest := 0, data; len(rest) > 0; i++ {
		o, head, next, ok := orbit.NextOutput(rest)
		if !ok || !bytes.Equal(o, want[i]) || !bytes.Equal(data[at+head:at+head+len(o)], want[i]) {
			t.Fatalf("object %d of %d bytes came as %d bytes", i, len(want[i]), len(o))
		}
		if cap(o) != len(o) {
			t.Fatalf("appending to object %d would overwrite the next", i)
		}
		at, rest = at+head+len(o), next
	}
	for n := range len(data) {
		rest := data[:n]
		for ok := true; ok && len(rest) > 0; { // must end, and must not run over
			_, _, rest, ok = orbit.NextOutput(rest)
		}
	}
	if _, _, _, ok := orbit.NextOutput([]byte{0xc6, 0xff, 0xff, 0xff, 0xff}); ok {
		t.Error("an object of 4 GiB is found in five bytes")
	}
}

func sample() *orbit.Bundle {
	id := orbit.HashID("sample")
	return &orbit.Bundle{ID: id, Run: id, Step: "s", Parent: id, Plan: "p", Items: []orbit.Item{{Lineage: "0", Value: orbit.Value{Object: orbit.MustObject(1)}}}}
}

func TestBundlesThatCannotBeRunAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*orbit.Bundle){
		"without items":           func(b *orbit.Bundle) { b.Items = nil },
		"with too many items":     func(b *orbit.Bundle) { b.Items = make([]orbit.Item, orbit.MaxBundleItems+1) },
		"without an id":           func(b *orbit.Bundle) { b.ID = "" },
		"of a wildcard run":       func(b *orbit.Bundle) { b.Run = ">" },
		"of a parent with dots":   func(b *orbit.Bundle) { b.Parent = "a.b" },
		"with a negative ordinal": func(b *orbit.Bundle) { b.Ordinal = -1 },
		"with negative attempts":  func(b *orbit.Bundle) { b.Items[0].Attempt = -1 },
		"with a negative offset":  func(b *orbit.Bundle) { b.Items[0].Value = orbit.Value{Ref: &orbit.Ref{Blob: "b", Offset: -1}} },
	} {
		b := sample()
		spoil(b)
		if got, err := orbit.DecodeBundle(b.Encode()); !errors.Is(err, orbit.ErrFrame) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	b := sample()
	b.Items = make([]orbit.Item, orbit.MaxBundleItems)
	if _, err := orbit.DecodeBundle(b.Encode()); err != nil {
		t.Errorf("the most items: %v", err)
	}
	later := sample().Encode()
	later[1] = 2 // the version
	if _, err := orbit.DecodeBundle(later); !errors.Is(err, orbit.ErrFrame) || !strings.Contains(err.Error(), "version 2; this program knows version 1") {
		t.Errorf("a later version: %v", err)
	}
}

func TestRecordsWithTooManyResultsAreRefused(t *testing.T) {
	rec := &orbit.Record{Results: make([]orbit.Result, orbit.MaxBundleItems+1)}
	for i := range rec.Results {
		rec.Results[i].State = orbit.ItemSucceeded
	}
	if _, err := orbit.DecodeRecord(rec.Encode()); !errors.Is(err, orbit.ErrFrame) {
		t.Error(err)
	}
	rec.Results = rec.Results[1:]
	if _, err := orbit.DecodeRecord(rec.Encode()); err != nil {
		t.Errorf("the most results: %v", err)
	}
	rec.Results[7].State = orbit.ItemRunning // no result can be that
	if got, err := orbit.DecodeRecord(rec.Encode()); err == nil && got.Results[7].State != orbit.ItemSucceeded {
		t.Errorf("a running result became %s", got.Results[7].State)
	}
}

func TestKidsOfNoItemsOrTooManyAreRefused(t *testing.T) {
	for _, n := range []int{0, -1, orbit.MaxBundleItems + 1} {
		if got, err := orbit.DecodeKids(orbit.AppendKid(nil, orbit.Kid{Step: "s", Count: n})); !errors.Is(err, orbit.ErrFrame) {
			t.Errorf("%d items: %+v, %v", n, got, err)
		}
	}
}

// memoryOf is the most that decoding may take: a value of a byte in a frame is 32 bytes in memory, and a few fixed things.
func memoryOf(frame []byte) uint64 { return 256*uint64(len(frame)) + 128<<10 }

func FuzzDecodeBundle(f *testing.F) {
	f.Add(sample().Encode())
	for _, data := range hostile {
		data = data[:min(len(data), 200)] // long seeds make fuzzing slow
		f.Add(data)
		f.Add(append([]byte{0x9c, 1}, bytes.Repeat(data, 12)...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var b *orbit.Bundle
		var err error
		if got := allocated(func() { b, err = orbit.DecodeBundle(data) }); got > memoryOf(data) {
			t.Errorf("%d bytes of frame took %d bytes", len(data), got)
		}
		if err != nil {
			if !errors.Is(err, orbit.ErrFrame) {
				t.Errorf("an error that is not ErrFrame: %v", err)
			}
			return
		}
		again, err := orbit.DecodeBundle(b.Encode())
		if diff := cmp.Diff(b, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}

func FuzzDecodeRecord(f *testing.F) {
	rec := &orbit.Record{Bundle: orbit.HashID("b"), Run: orbit.HashID("r"), Step: "s", Results: []orbit.Result{{Lineage: "0.1", State: orbit.ItemRetrying,
		Error: orbit.Transient(orbit.CodeTimeout, "late"), Input: &sample().Items[0]}}, Born: []orbit.Born{{Step: "t", Items: 3}}}
	f.Add(rec.Encode())
	rec.Usage = orbit.Usage{orbit.PromptTokens: 12, orbit.CompletionTokens: 1 << 40}
	rec.Results[0].Usage = rec.Usage
	f.Add(rec.Encode())
	for _, data := range hostile {
		data = data[:min(len(data), 200)] // long seeds make fuzzing slow
		f.Add(data)
		f.Add(append([]byte{0x9e, 1}, bytes.Repeat(data, 14)...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var rec *orbit.Record
		var err error
		if got := allocated(func() { rec, err = orbit.DecodeRecord(data) }); got > memoryOf(data) {
			t.Errorf("%d bytes of frame took %d bytes", len(data), got)
		}
		_, herr := orbit.DecodeRecordHead(data)
		if err == nil && herr != nil {
			t.Errorf("the whole is decoded, its head is not: %v", herr)
		}
		if err != nil {
			if !errors.Is(err, orbit.ErrFrame) || herr != nil && !errors.Is(herr, orbit.ErrFrame) {
				t.Errorf("errors that are not ErrFrame: %v, %v", err, herr)
			}
			return
		}
		again, err := orbit.DecodeRecord(rec.Encode())
		if diff := cmp.Diff(rec, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
}

func FuzzDecodeKids(f *testing.F) {
	f.Add(orbit.AppendKid(orbit.AppendKid(nil, orbit.Kid{Step: "s", Count: 1}), orbit.Kid{Kind: orbit.KidRetry, Step: "t", Count: 256, Due: 1}))
	for _, data := range hostile {
		data = data[:min(len(data), 200)] // long seeds make fuzzing slow
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var kids []orbit.Kid
		var err error
		if got := allocated(func() { kids, err = orbit.DecodeKids(data) }); got > memoryOf(data) {
			t.Errorf("%d bytes took %d bytes", len(data), got)
		}
		if err != nil {
			if !errors.Is(err, orbit.ErrFrame) {
				t.Errorf("an error that is not ErrFrame: %v", err)
			}
			return
		}
		var again []byte
		for _, k := range kids {
			again = orbit.AppendKid(again, k)
		}
		if back, err := orbit.DecodeKids(again); err != nil || !cmp.Equal(kids, back, cmpopts.EquateEmpty()) {
			t.Errorf("%+v became %+v, %v", kids, back, err)
		}
	})
}

func FuzzObjectValue(f *testing.F) {
	f.Add([]byte(orbit.MustObject(map[string]any{"a": []any{1, "b", 2.5, nil, true}})))
	for _, data := range hostile {
		data = data[:min(len(data), 200)] // long seeds make fuzzing slow
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := orbit.Object(data).Value()
		if err != nil {
			return
		}
		if _, err := orbit.NewObject(v); err != nil && !strings.Contains(err.Error(), "NaN") {
			t.Errorf("%v is decoded and cannot be encoded: %v", v, err)
		}
	})
}
