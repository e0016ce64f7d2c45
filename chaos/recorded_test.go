package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/compile"
	"github.com/exospherehost/orbit/internal/orbittest"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite/catalog"
	"github.com/exospherehost/orbit/streams"
)

const recordedFile = `version: 0.0.1b
cluster:
  identifier: chaos/recorded
  sla: 6h
  trigger: api-call
  satellites:
    - {uses: exospherehost/jq, identifier: numbers, config: {query: "range(2)"}}
    - {uses: exospherehost/call-webhook, identifier: call, config: {url: "http://127.0.0.1/call"}}
    - {uses: exospherehost/jq, identifier: last, config: {query: ".body"}}
`

// recorded is a small experiment as it might have been recorded: one run with a key, of one object that becomes two, of which
// one calls its webhook twice. A test spoils a piece of it and looks whether that is noticed.
type recorded struct {
	t       *testing.T
	plan    *cluster.Plan
	doc     *kv.Run
	records []*orbit.Record // in stream order
	foreign []streams.Stored
	ops     []op
	moves   *observer
	effects []caller
	outputs map[string]int
	items   map[string]int
}

// Places in recorded.records.
const (
	ofNumbers = iota
	ofCall    // one item succeeded, one is to be tried again
	ofLast    // the child of the one
	ofRetry
	ofLastToo
)

func record(t *testing.T) *recorded {
	t.Helper()
	specs, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	compiled := cluster.Compile("recorded.yml", []byte(recordedFile), compile.Options(specs, placement.DefaultClasses()))
	if compiled.Plan == nil {
		t.Fatalf("%+v", compiled.Diagnostics)
	}
	w := &recorded{t: t, plan: compiled.Plan, moves: newObserver(), effects: []caller{}, outputs: map[string]int{}, items: map[string]int{}}
	start := op{Kind: opStart, Gateway: "gateway-1", Cluster: w.plan.Identifier, Key: "key-1", Call: 1, Return: 2, Result: resultOK, State: orbit.RunPending}
	run := keyed(start)
	start.Run = run
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w.doc = &kv.Run{Plan: w.plan.Hash(), Request: "r", Run: orbit.Run{ID: run, Cluster: w.plan.Identifier, State: orbit.RunSucceeded, Round: 1, CreatedAt: at, StartedAt: &at, FinishedAt: &at}}
	for name, n := range map[string]int{"numbers": 1, "call": 2, "last": 2} {
		w.doc.Satellites = append(w.doc.Satellites, orbit.RunSatellite{Identifier: name, Items: orbit.CountItems(map[orbit.ItemState]int{orbit.ItemSucceeded: n})})
	}

	root := orbit.BundleID("numbers", run, 0)
	call := orbit.BundleID("call", root, 0)
	again := orbit.RetryBundleID("call", call, 0)
	w.effects = []caller{{run, "s", 0}, {run, "s", 1}}
	answer := func(n int) map[string]any {
		return map[string]any{"status": 200, "headers": map[string]any{}, "body": map[string]any{"run": run, "n": n, "effect": n}}
	}
	input := &orbit.Item{Lineage: "0.1", Value: orbit.Value{Object: orbit.MustObject(map[string]any{"n": 1})}}
	w.records = []*orbit.Record{
		{Bundle: root, Parent: run, Step: "numbers", Counts: orbit.Counts{Succeeded: 1}, Born: []orbit.Born{{Step: "call", Items: 2}},
			Kids:    kids(orbit.Kid{Step: "call", Count: 2}),
			Results: []orbit.Result{{Lineage: "0", State: orbit.ItemSucceeded, Attempt: 1, Outputs: 2}}, Outputs: objects(map[string]any{"n": 0}, map[string]any{"n": 1})},
		{Bundle: call, Parent: root, Step: "call", Counts: orbit.Counts{Succeeded: 1, Retry: 1}, Born: []orbit.Born{{Step: "last", Items: 1}},
			Kids: kids(orbit.Kid{Step: "last", Count: 1}, orbit.Kid{Kind: orbit.KidRetry, Step: "call", Count: 1}),
			Results: []orbit.Result{{Lineage: "0.0", State: orbit.ItemSucceeded, Attempt: 1, Outputs: 1},
				{Lineage: "0.1", State: orbit.ItemRetrying, Attempt: 1, Error: &orbit.Error{Code: orbit.CodeUnavailable, Message: "503", Retryable: true}, Input: input}},
			Outputs: objects(answer(0))},
		{Bundle: orbit.BundleID("last", call, 0), Parent: call, Step: "last", Counts: orbit.Counts{Succeeded: 1},
			Results: []orbit.Result{{Lineage: "0.0.0", State: orbit.ItemSucceeded, Attempt: 1, Outputs: 1}}, Outputs: objects(map[string]any{"n": 0})},
		{Bundle: again, Parent: call, Step: "call", Counts: orbit.Counts{Succeeded: 1, Again: 1}, Born: []orbit.Born{{Step: "last", Items: 1}},
			Kids:    kids(orbit.Kid{Step: "last", Count: 1}),
			Results: []orbit.Result{{Lineage: "0.1", State: orbit.ItemSucceeded, Attempt: 2, Outputs: 1}}, Outputs: objects(answer(1))},
		{Bundle: orbit.BundleID("last", again, 0), Parent: again, Step: "last", Counts: orbit.Counts{Succeeded: 1},
			Results: []orbit.Result{{Lineage: "0.1.0", State: orbit.ItemSucceeded, Attempt: 1, Outputs: 1}}, Outputs: objects(map[string]any{"n": 1})},
	}
	for i, r := range w.records {
		r.Run = run
		w.moves.queued[uint64(100*i+50)] = queued{run, r.Bundle, r.Step, r.Parent} // before its record, after its parent's
	}
	w.moves.queued[350] = queued{run, again, "call", call}
	w.moves.moves[run] = map[uint64]orbit.RunState{1: orbit.RunPending, 2: orbit.RunRunning, 3: orbit.RunSucceeded}
	read := op{Kind: opRead, Gateway: "gateway-2", Run: run, Call: 5, Return: 6, Result: resultOK, State: orbit.RunRunning}
	end := read
	end.Call, end.Return, end.State = 9, 10, orbit.RunSucceeded
	w.ops = []op{start, start, read, end}
	w.ops[1].Call, w.ops[1].Return = 3, 4
	w.outputs[run], w.items[run] = 2, 5
	return w
}

func kids(all ...orbit.Kid) (p orbit.Payload) {
	for _, k := range all {
		p.Inline = orbit.AppendKid(p.Inline, k)
	}
	return p
}

func objects(all ...map[string]any) (p orbit.Payload) {
	for _, o := range all {
		p.Inline = orbit.AppendOutput(p.Inline, orbit.MustObject(o))
	}
	return p
}

// evidence is the experiment as the check sees it. The i-th record has the sequence 100(i+1).
func (w *recorded) evidence() *evidence {
	w.t.Helper()
	messages := map[string][]streams.Stored{}
	put := func(stream, subject string, seq uint64, data []byte) {
		messages[stream] = append(messages[stream], streams.Stored{Seq: seq, Subject: subject, Data: data})
	}
	if w.doc != nil {
		text, err := json.Marshal(w.doc)
		if err != nil {
			w.t.Fatal(err)
		}
		put("KV_"+kv.RunsBucket, "$KV."+kv.RunsBucket+"."+w.doc.ID, 3, text)
	}
	put("KV_"+kv.PlansBucket, "$KV."+kv.PlansBucket+"."+w.plan.Hash(), 1, w.plan.Encode())
	for i, r := range w.records {
		if r != nil {
			put(streams.StreamName(0), streams.RecordSubject(0, r.Run, r.Bundle), uint64(100*(i+1)), r.Encode())
		}
	}
	messages[streams.StreamName(0)] = append(messages[streams.StreamName(0)], w.foreign...)
	store, err := orbittest.NewStore(messages, func(name string) ([]byte, error) { return nil, fmt.Errorf("there is no blob %s", name) })
	if err != nil {
		w.t.Fatal(err)
	}
	return &evidence{store: store, ops: slices.Clone(w.ops), moves: w.moves, effects: w.effects, outputs: w.outputs, items: w.items}
}

// check gives what is found.
func (w *recorded) check() ([]string, *report) {
	w.t.Helper()
	r := newReport(&settings{seed: 1, length: time.Minute})
	return check(w.evidence(), r), r
}
