package main

import (
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/streams"
)

func TestARunAsItShouldBeIsFoundInOrder(t *testing.T) {
	found, r := record(t).check()
	if len(found) > 0 {
		t.Fatalf("found: %s", strings.Join(found, "\n"))
	}
	if r.Accepted != 1 || r.Records != 5 || r.Again != 1 || r.Runs[orbit.RunSucceeded] != 1 || r.Items[orbit.ItemSucceeded] != 5 || r.Effects != 2 || r.Extra != 0 || r.Registers != 1 {
		t.Errorf("counted: %+v", r)
	}
}

func TestPlantedViolationsAreCaught(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(w *recorded)
		want  string
	}{
		{"a run that never ends", func(w *recorded) { w.doc.State = orbit.RunRunning }, "it has not ended (running)"},
		{"an end that is left again", func(w *recorded) { w.moves.moves[w.doc.ID][4] = orbit.RunRunning }, "went from succeeded to running"},
		{"two ends", func(w *recorded) { w.moves.moves[w.doc.ID][4] = orbit.RunFailed }, "went from succeeded to failed"},
		{"a wrong verdict", func(w *recorded) { w.doc.State = orbit.RunPartial }, "it ended as partial; its ledger says succeeded"},
		{"a wrong count", func(w *recorded) { w.doc.Satellites[0].Items[3]++ }, "its document counts"},
		{"a lost item", func(w *recorded) { w.records[ofLastToo] = nil }, "it ended with 1 items outstanding"},
		{"a lost retry", func(w *recorded) { w.records[ofRetry], w.records[ofLastToo] = nil, nil }, "it ended with 1 items outstanding"},
		{"a child without recorded parent", func(w *recorded) { w.records[ofRetry] = nil }, "was committed before, or without, a record that names it"},
		{"a child committed before its parent", func(w *recorded) {
			w.records[ofCall], w.records[ofLast] = w.records[ofLast], w.records[ofCall]
		}, "was committed before, or without, a record that names it"},
		{"a child queued before its parent was recorded", func(w *recorded) {
			w.moves.queued[90] = queued{w.doc.ID, w.records[ofCall].Bundle, "call", w.records[ofNumbers].Bundle}
		}, "was queued (at 90) before its parent"},
		{"a bundle with two records", func(w *recorded) { w.records = append(w.records, w.records[ofLast]) }, "has two records"},
		{"an item with two results", func(w *recorded) {
			w.records[ofLastToo].Results[0].Lineage = "0.0.0"
		}, "last/0.0.0 has two results"},
		{"children that the outputs do not imply", func(w *recorded) {
			w.records[ofNumbers].Kids = kids(orbit.Kid{Step: "call", Count: 2}, orbit.Kid{Step: "call", Ordinal: 1, First: 2, Count: 1})
		}, "were due next"},
		{"outputs without children", func(w *recorded) { w.records[ofNumbers].Kids = kids(orbit.Kid{Step: "call", Count: 1}) }, "names 1 of 2 items of call"},
		{"births that are not told", func(w *recorded) { w.records[ofCall].Born = nil }, "gives birth to 1 items of last"},
		{"objects that are missing", func(w *recorded) { w.records[ofNumbers].Outputs = objects(map[string]any{"n": 0}) }, "should hold 2 objects and holds 1"},
		{"an accepted run that is gone", func(w *recorded) {
			w.doc, w.records = nil, nil
		}, "was accepted and is not there"},
		{"a run that nobody asked for", func(w *recorded) { w.ops = nil }, "is there and nobody asked for it"},
		{"a key that made two runs", func(w *recorded) { w.ops[1].Run = orbit.HashID("another") }, "the key key-1 made two runs"},
		{"a key accepted with another request", func(w *recorded) { w.ops[1].Other = true }, "was accepted with another request"},
		{"work that nobody named", func(w *recorded) {
			b := orbit.Bundle{ID: orbit.HashID("b"), Run: w.doc.ID, Step: "last", Parent: w.doc.ID, Items: []orbit.Item{{Lineage: "0.7"}}}
			w.foreign = append(w.foreign, streams.Stored{Seq: 900, Subject: "orbit.work.cpu.core.6h.0." + w.doc.ID, Data: b.Encode()})
		}, "and no record names it"},
		{"a secret in a record", func(w *recorded) {
			w.records[ofLast].Outputs = objects(map[string]any{"n": "CANARY-inline-4711"})
		}, "a secret can be read in stream ORBIT_0"},
		{"a secret in base64", func(w *recorded) {
			w.records[ofLast].Outputs = objects(map[string]any{"n": "eENBTkFSWS1pbmxpbmU="})
		}, "a secret can be read in stream ORBIT_0"},
		{"a secret in passing", func(w *recorded) { w.moves.hear("orbit.work.x", 1, []byte("CANARY-file-0815")) }, "a secret was published on orbit.work.x"},
		{"two items with one effect", func(w *recorded) { w.records[ofRetry].Outputs = w.records[ofCall].Outputs }, "two items returned effect 0"},
		{"an effect that never was", func(w *recorded) { w.effects = w.effects[:1] }, "returned effect 1, which the world has not given it"},
		{"an effect of another run", func(w *recorded) { w.effects[0].Run = "other" }, "returned effect 0, which the world has not given it"},
		{"outputs that the API kept back", func(w *recorded) { w.outputs[w.doc.ID] = 1 }, "the API gave 1 leaf outputs, its ledger holds 2"},
		{"items that the API kept back", func(w *recorded) { w.items[w.doc.ID] = 4 }, "the API listed 4 items, its document counts 5"},
		{"a client told of another end", func(w *recorded) { w.ops[3].State = orbit.RunFailed }, "no order of its operations explains"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := record(t)
			c.spoil(w)
			found, _ := w.check()
			if !strings.Contains(strings.Join(found, "\n"), c.want) {
				t.Errorf("want %q, found %d:\n%s", c.want, len(found), strings.Join(found, "\n"))
			}
		})
	}
}

func TestARunWhoseAnswerWasLostMayBeThereOrNot(t *testing.T) {
	for _, key := range []string{"key-1", ""} {
		w := record(t)
		w.ops = []op{{Kind: opStart, Cluster: w.plan.Identifier, Key: key, Call: 1, Return: 2, Result: resultUnknown}}
		if key == "" {
			w.doc.Request = ""
		}
		if found, r := w.check(); len(found) > 0 || r.Accepted != 1 {
			t.Errorf("with key %q, there: %v", key, found)
		}
		w.doc, w.records, w.moves = nil, nil, newObserver()
		if found, r := w.check(); len(found) > 0 || r.Accepted != 0 {
			t.Errorf("with key %q, not there: %v", key, found)
		}
	}
}

func TestOneLostAnswerExplainsOneRun(t *testing.T) {
	w := record(t)
	w.doc.Request = ""
	w.ops = []op{{Kind: opStart, Cluster: "chaos/another", Call: 1, Return: 2, Result: resultUnknown}}
	if found, _ := w.check(); !strings.Contains(strings.Join(found, "\n"), "nobody asked for it") {
		t.Errorf("found: %v", found)
	}
}
