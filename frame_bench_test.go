package orbit_test

import (
	"fmt"
	"testing"

	"github.com/exospherehost/orbit"
)

// small is an object as small as most of them.
var small = map[string]any{"n": 12345, "text": "an object as small as most of them", "ok": true}

func BenchmarkObjectEncode(b *testing.B) {
	for b.Loop() {
		if _, err := orbit.NewObject(small); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkObjectDecode(b *testing.B) {
	o := orbit.MustObject(small)
	for b.Loop() {
		if _, err := o.Value(); err != nil {
			b.Fatal(err)
		}
	}
}

// sizes of bundles that are worth telling apart: alone, and as many as a light step gets.
var sizes = []int{1, 100}

func bundleOf(items int) *orbit.Bundle {
	run := orbit.HashID("run")
	bd := &orbit.Bundle{ID: orbit.BundleID("step-2", run, 7), Run: run, Step: "step-2", Parent: orbit.BundleID("step-1", run, 7), Ordinal: 7, Plan: orbit.HashID("plan"),
		Accepted: 1_700_000_000_000, Deadline: 1_700_021_600_000, TriggerAt: 1_700_000_000_000, TriggerType: "api-call"}
	for i := range items {
		bd.Items = append(bd.Items, orbit.Item{Lineage: orbit.RootLineage.Child(12000 + i).Child(0), Value: orbit.Value{Object: orbit.MustObject(small)}})
	}
	return bd
}

func recordOf(items int) *orbit.Record {
	bd := bundleOf(items)
	rec := &orbit.Record{Bundle: bd.ID, Run: bd.Run, Step: bd.Step, Parent: bd.Parent, Ordinal: bd.Ordinal, Node: "node-1", Started: bd.Accepted, Finished: bd.Accepted + 5,
		Counts: orbit.Counts{Succeeded: items}, Born: []orbit.Born{{Step: "step-3", Items: items}}}
	rec.Kids.Inline = orbit.AppendKid(nil, orbit.Kid{Step: "step-3", Count: items})
	for i := range bd.Items {
		rec.Results = append(rec.Results, orbit.Result{Lineage: bd.Items[i].Lineage, State: orbit.ItemSucceeded, Attempt: 1, Outputs: 1})
		rec.Outputs.Inline = orbit.AppendOutput(rec.Outputs.Inline, bd.Items[i].Value.Object)
	}
	return rec
}

// frames runs a benchmark at each size, with the bytes of the frame.
func frames(b *testing.B, frame func(items int) []byte, f func(b *testing.B, items int, data []byte)) {
	for _, items := range sizes {
		b.Run(fmt.Sprintf("items=%d", items), func(b *testing.B) {
			data := frame(items)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			f(b, items, data)
		})
	}
}

func BenchmarkBundleEncode(b *testing.B) {
	frames(b, func(n int) []byte { return bundleOf(n).Encode() }, func(b *testing.B, items int, _ []byte) {
		bd := bundleOf(items)
		for b.Loop() {
			bd.Encode()
		}
	})
}

func BenchmarkBundleDecode(b *testing.B) {
	frames(b, func(n int) []byte { return bundleOf(n).Encode() }, func(b *testing.B, _ int, data []byte) {
		for b.Loop() {
			if _, err := orbit.DecodeBundle(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRecordEncode(b *testing.B) {
	frames(b, func(n int) []byte { return recordOf(n).Encode() }, func(b *testing.B, items int, _ []byte) {
		rec := recordOf(items)
		for b.Loop() {
			rec.Encode()
		}
	})
}

func BenchmarkRecordDecode(b *testing.B) {
	frames(b, func(n int) []byte { return recordOf(n).Encode() }, func(b *testing.B, _ int, data []byte) {
		for b.Loop() {
			if _, err := orbit.DecodeRecord(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// The head is all that folding reads of most records.
func BenchmarkRecordHeadDecode(b *testing.B) {
	frames(b, func(n int) []byte { return recordOf(n).Encode() }, func(b *testing.B, _ int, data []byte) {
		for b.Loop() {
			if _, err := orbit.DecodeRecordHead(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkBundleID(b *testing.B) {
	parent := orbit.HashID("parent")
	b.ReportAllocs()
	for b.Loop() {
		orbit.BundleID("step-2", parent, 7)
	}
}
