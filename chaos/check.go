package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/orbittest"
)

// evidence is everything that the check looks at.
type evidence struct {
	store   *orbittest.Store
	ops     []op
	moves   *observer
	effects []caller       // what the world did, by number
	outputs map[string]int // leaf outputs that the API gave, by run
	items   map[string]int // items that the API gave, by run
	begun   time.Time
	ended   time.Time // of the load
}

// check holds the evidence against what a run promises, and puts what it counted into the report.
func check(e *evidence, r *report) (violations []string) {
	accepted, wrong := acceptances(e.ops, e.store)
	violations = append(violations, wrong...)
	violations = append(violations, e.store.Violations(accepted)...)
	violations = append(violations, e.moves.violations(e.store.Recorded())...)
	wrong, r.Registers, r.Stale = registers(append(slices.Clone(e.ops), last(e)...))
	violations = append(violations, wrong...)
	violations = append(violations, checkEffects(e, r)...)
	violations = append(violations, checkAnswers(e)...)
	r.count(e, len(accepted))
	return violations
}

// acceptances gives the runs that there must be: those that a client was told of, and those of which the answer was lost. The
// same key always made the same run, and with another request none.
func acceptances(ops []op, store *orbittest.Store) (accepted, wrong []string) {
	known, byKey := map[string]bool{}, map[string]string{}
	maybe := map[string]int{} // starts without key or answer, by cluster
	for _, o := range ops {
		switch {
		case o.Kind != opStart:
		case o.Other && o.Result == resultOK:
			wrong = append(wrong, fmt.Sprintf("the key %s was accepted with another request, as run %s", o.Key, o.Run))
		case o.Other:
		case o.Result == resultOK:
			known[o.Run] = true
			if key := o.Cluster + " " + o.Key; o.Key != "" {
				if was, ok := byKey[key]; ok && was != o.Run {
					wrong = append(wrong, fmt.Sprintf("the key %s made two runs, %s and %s", o.Key, was, o.Run))
				}
				byKey[key] = o.Run
			}
		case o.Result == resultUnknown && o.Key != "":
			if id := keyed(o); store.Runs()[id] != nil {
				known[id] = true
			}
		case o.Result == resultUnknown:
			maybe[o.Cluster]++
		}
	}
	for id, doc := range store.Runs() {
		if !known[id] && maybe[doc.Cluster] > 0 && doc.Request == "" {
			maybe[doc.Cluster]--
			known[id] = true
		}
	}
	for id := range known {
		accepted = append(accepted, id)
	}
	slices.Sort(accepted)
	return accepted, wrong
}

// last is one more read of every run that clients knew of: of its document as it lies there in the end.
func last(e *evidence) (reads []op) {
	var end time.Duration
	known := map[string]bool{}
	for _, o := range e.ops {
		end = max(end, o.Return, o.Call)
		if o.Run != "" {
			known[o.Run] = true
		}
	}
	for id, doc := range e.store.Runs() {
		if known[id] {
			reads = append(reads, op{Kind: opRead, Gateway: "the store", Run: id, Call: end + 1, Return: end + 2, Result: resultOK, State: doc.State})
		}
	}
	return reads
}

// checkEffects holds what webhooks returned against what the world did: each result that was committed is one that the world
// gave to this run, and no two items share one.
func checkEffects(e *evidence, r *report) (wrong []string) {
	used := map[int]string{}
	for _, m := range e.store.Records() {
		rec, err := orbit.DecodeRecord(m.Data)
		if err != nil {
			continue // told by the store
		}
		doc := e.store.Runs()[rec.Run]
		if doc == nil {
			continue
		}
		plan := e.store.Plan(doc.Plan)
		if plan == nil {
			continue
		}
		if s, ok := plan.Step(rec.Step); !ok || !strings.HasSuffix(s.Uses, "/call-webhook") {
			continue
		}
		objects, err := objectsOf(e.store, rec)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("run %s: %v", rec.Run, err))
			continue
		}
		next := 0
		for _, res := range rec.Results {
			item := rec.Run + " " + orbit.ItemID(rec.Step, res.Lineage)
			if res.State == orbit.ItemFailed && res.Error != nil && (res.Error.Retryable || res.Error.Code == orbit.CodePoisoned) {
				r.WornOut++
			}
			for range res.Outputs {
				if next >= len(objects) {
					break // told by the store
				}
				var got struct {
					Body struct {
						Run    string
						N      int
						Effect *int
					}
				}
				text := objects[next]
				next++
				if err := json.Unmarshal(text, &got); err != nil || got.Body.Effect == nil {
					wrong = append(wrong, fmt.Sprintf("run %s: item %s returned what no webhook answers: %s", rec.Run, item, text))
					continue
				}
				n := *got.Body.Effect
				switch was, ok := used[n]; {
				case n < 0 || n >= len(e.effects) || e.effects[n].Run != rec.Run || got.Body.Run != rec.Run || e.effects[n].N != got.Body.N:
					wrong = append(wrong, fmt.Sprintf("run %s: item %s returned effect %d, which the world has not given it", rec.Run, item, n))
				case ok:
					wrong = append(wrong, fmt.Sprintf("two items returned effect %d: %s and %s", n, was, item))
				default:
					used[n] = item
				}
			}
		}
	}
	r.Effects, r.Extra = len(e.effects), len(e.effects)-len(used)
	return wrong
}

// objectsOf gives the JSON of all objects of a record.
func objectsOf(store *orbittest.Store, rec *orbit.Record) (all [][]byte, err error) {
	pieces := [][]byte{rec.Outputs.Inline}
	for _, c := range rec.Outputs.Chunks {
		data, err := store.Blob(c.Blob)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, data)
	}
	for _, data := range pieces {
		for len(data) > 0 {
			o, _, rest, ok := orbit.NextOutput(data)
			if !ok {
				return nil, fmt.Errorf("the outputs of bundle %s are damaged", rec.Bundle)
			}
			text, err := o.AppendJSON(nil)
			if err != nil {
				return nil, err
			}
			all, data = append(all, text), rest
		}
	}
	return all, nil
}

// checkAnswers holds what the API gave of ended runs against their documents.
func checkAnswers(e *evidence) (wrong []string) {
	leaves := map[string]int{}
	for _, m := range e.store.Records() {
		rec, err := orbit.DecodeRecord(m.Data)
		if err != nil || e.store.Runs()[rec.Run] == nil {
			continue // told by the store
		}
		plan := e.store.Plan(e.store.Runs()[rec.Run].Plan)
		if plan == nil {
			continue
		}
		if s, ok := plan.Step(rec.Step); ok && s.Leaf() {
			for _, res := range rec.Results {
				leaves[rec.Run] += res.Outputs
			}
		}
	}
	for id, doc := range e.store.Runs() {
		if !doc.State.Terminal() || doc.State == orbit.RunCancelled {
			continue // late records of a cancelled run are shown, and counted nowhere
		}
		all := 0
		for _, s := range doc.Satellites {
			for _, n := range s.Items {
				all += n
			}
		}
		if got, ok := e.items[id]; ok && got != all {
			wrong = append(wrong, fmt.Sprintf("run %s: the API listed %d items, its document counts %d", id, got, all))
		}
		if got, ok := e.outputs[id]; ok && got != leaves[id] {
			wrong = append(wrong, fmt.Sprintf("run %s: the API gave %d leaf outputs, its ledger holds %d", id, got, leaves[id]))
		}
	}
	return wrong
}
