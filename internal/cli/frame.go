package cli

import (
	"time"

	"github.com/exospherehost/orbit"
)

// The JSON forms of what travels as bytes, for people who look at it. Nothing reads them back.

type bundleFrame struct {
	Type        string      `json:"type"` // "bundle"
	ID          string      `json:"id"`
	Run         string      `json:"run"`
	Step        string      `json:"step"`
	Parent      string      `json:"parent"`
	Ordinal     int         `json:"ordinal"`
	Plan        string      `json:"plan"`
	Accepted    *time.Time  `json:"accepted"`
	Deadline    *time.Time  `json:"deadline"`
	TriggerAt   *time.Time  `json:"trigger_at"`
	TriggerType string      `json:"trigger_type"`
	Items       []itemFrame `json:"items"`
}

type itemFrame struct {
	Lineage orbit.Lineage `json:"lineage"`
	Attempt int           `json:"attempt"`
	Value   any           `json:"value"`
	Live    []any         `json:"live,omitempty"`
}

type recordFrame struct {
	Type         string        `json:"type"` // "record"
	Bundle       string        `json:"bundle"`
	Run          string        `json:"run"`
	Step         string        `json:"step"`
	Parent       string        `json:"parent"`
	Ordinal      int           `json:"ordinal"`
	Node         string        `json:"node"`
	Started      *time.Time    `json:"started"`
	Finished     *time.Time    `json:"finished"`
	Counts       countsFrame   `json:"counts"`
	Born         []bornFrame   `json:"born"`
	FailureItems int           `json:"failure_items"`
	Usage        orbit.Usage   `json:"usage,omitempty"`
	Kids         any           `json:"kids"`
	Results      []resultFrame `json:"results"`
	Outputs      any           `json:"outputs"`
}

type countsFrame struct {
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
	Retry     int `json:"retry"`
	Again     int `json:"again"`
}

type bornFrame struct {
	Step  string `json:"step"`
	Items int    `json:"items"`
}

type resultFrame struct {
	Lineage orbit.Lineage   `json:"lineage"`
	State   orbit.ItemState `json:"state"`
	Attempt int             `json:"attempt"`
	Outputs int             `json:"outputs"`
	Error   *orbit.Error    `json:"error,omitempty"`
	Input   *itemFrame      `json:"input,omitempty"`
	Usage   orbit.Usage     `json:"usage,omitempty"`
}

type kidFrame struct {
	Kind    string     `json:"kind"`
	Step    string     `json:"step"`
	Ordinal int        `json:"ordinal"`
	First   int        `json:"first"`
	Count   int        `json:"count"`
	Due     *time.Time `json:"due,omitempty"`
}

type refFrame struct {
	Blob   string `json:"blob"`
	Offset int    `json:"offset"`
	Length int    `json:"length"`
}

type chunkFrame struct {
	Blob  string `json:"blob"`
	Size  int    `json:"size"`
	Count int    `json:"count"`
}

func newBundleFrame(b *orbit.Bundle) *bundleFrame {
	f := &bundleFrame{Type: "bundle", ID: b.ID, Run: b.Run, Step: b.Step, Parent: b.Parent, Ordinal: b.Ordinal, Plan: b.Plan, Accepted: milli(b.Accepted),
		Deadline: milli(b.Deadline), TriggerAt: milli(b.TriggerAt), TriggerType: b.TriggerType}
	for i := range b.Items {
		f.Items = append(f.Items, newItemFrame(&b.Items[i]))
	}
	return f
}

func newItemFrame(it *orbit.Item) itemFrame {
	f := itemFrame{Lineage: it.Lineage, Attempt: it.Attempt, Value: valueFrame(it.Value)}
	for _, v := range it.Live {
		f.Live = append(f.Live, valueFrame(v))
	}
	return f
}

func valueFrame(v orbit.Value) any {
	if v.Ref != nil {
		return refFrame{v.Ref.Blob, v.Ref.Offset, v.Ref.Length}
	}
	if _, err := v.Object.Value(); err != nil {
		return []byte(v.Object) // damaged: shown in base64 rather than not at all
	}
	return v.Object
}

func newRecordFrame(rec *orbit.Record) *recordFrame {
	c := rec.Counts
	f := &recordFrame{Type: "record", Bundle: rec.Bundle, Run: rec.Run, Step: rec.Step, Parent: rec.Parent, Ordinal: rec.Ordinal, Node: rec.Node,
		Started: milli(rec.Started), Finished: milli(rec.Finished), Counts: countsFrame{c.Succeeded, c.Failed, c.Skipped, c.Retry, c.Again},
		Born: []bornFrame{}, FailureItems: rec.FailureItems, Usage: rec.Usage, Results: []resultFrame{}}
	for _, b := range rec.Born {
		f.Born = append(f.Born, bornFrame(b))
	}
	for i := range rec.Results {
		r := &rec.Results[i]
		rf := resultFrame{Lineage: r.Lineage, State: r.State, Attempt: r.Attempt, Outputs: r.Outputs, Error: r.Error, Usage: r.Usage}
		if r.Input != nil {
			input := newItemFrame(r.Input)
			rf.Input = &input
		}
		f.Results = append(f.Results, rf)
	}
	f.Kids = payloadFrame(rec.Kids, func(data []byte) (any, bool) {
		kids, err := orbit.DecodeKids(data)
		return newKidFrames(kids), err == nil
	})
	f.Outputs = payloadFrame(rec.Outputs, func(data []byte) (any, bool) { return splitOutputs(data) })
	return f
}

// payloadFrame shows the entries of a payload, or the blobs they lie in.
func payloadFrame(p orbit.Payload, entries func([]byte) (any, bool)) any {
	if p.Chunks != nil {
		chunks := []chunkFrame{}
		for _, c := range p.Chunks {
			chunks = append(chunks, chunkFrame(c))
		}
		return map[string]any{"chunks": chunks}
	}
	if list, ok := entries(p.Inline); ok {
		return list
	}
	return p.Inline // damaged: shown in base64 rather than not at all
}

func newKidFrames(kids []orbit.Kid) []kidFrame {
	frames := []kidFrame{}
	for _, k := range kids {
		kind := "unknown"
		if names := [...]string{orbit.KidChild: "child", orbit.KidRetry: "retry", orbit.KidFailure: "failure"}; int(k.Kind) < len(names) {
			kind = names[k.Kind]
		}
		frames = append(frames, kidFrame{kind, k.Step, k.Ordinal, k.First, k.Count, milli(k.Due)})
	}
	return frames
}

// milli gives Unix milliseconds as a time; nil for 0, which means none.
func milli(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := time.UnixMilli(ms).UTC()
	return &t
}
