package cluster

import (
	"fmt"
	"slices"
	"sync"

	"github.com/exospherehost/orbit"
)

// Blobs reads a blob by name: how the pure functions of this package reach what is too large for a message.
type Blobs func(name string) ([]byte, error)

// Group cuts the outputs of a bundle into bundles of a child step: at most k items each, and at most
// orbit.MaxBundleBytes. sizes are the bytes that each output takes as an item of the child. The result goes into the
// record and is never computed again: another grouping, by another node or at another time, would lose and double items.
func Group(step string, sizes []int, k int) []orbit.Kid {
	k = min(max(k, 1), orbit.MaxBundleItems)
	var kids []orbit.Kid
	for i := 0; i < len(sizes); {
		n, size := 0, 0
		for i+n < len(sizes) && n < k && (n == 0 || size+sizes[i+n] <= orbit.MaxBundleBytes) {
			size += sizes[i+n]
			n++
		}
		kids = append(kids, orbit.Kid{Kind: orbit.KidChild, Step: step, Ordinal: len(kids), First: i, Count: n})
		i += n
	}
	return kids
}

// Next gives every child and failure bundle that a committed bundle implies, as its record names them: the same bundles,
// whoever asks and whenever. Retry bundles are RetryBundle's, and joins are released by the Tally. emit is called in the
// order of the record; the items of its bundle are good until it returns.
func (p *Plan) Next(b *orbit.Bundle, rec *orbit.Record, blobs Blobs, emit func(*Step, *orbit.Bundle) error) error {
	parent, ok := p.Step(rec.Step)
	if !ok {
		return fmt.Errorf("the plan has no step %s", rec.Step)
	}
	if len(rec.Results) != len(b.Items) {
		return fmt.Errorf("%w: the record of bundle %s has %d results for %d items", orbit.ErrFrame, rec.Bundle, len(rec.Results), len(b.Items))
	}
	out := newOutputs(rec, blobs)
	room := newItemRoom()
	defer room.release()
	return EachKid(rec, blobs, func(k orbit.Kid) error {
		child, ok := p.Step(k.Step)
		if !ok {
			return fmt.Errorf("the plan has no step %s", k.Step)
		}
		switch k.Kind {
		case orbit.KidRetry:
			return nil
		case orbit.KidFailure:
			nb, err := p.failureBundle(b, rec, parent, child, k, blobs)
			if err != nil {
				return err
			}
			return emit(child, nb)
		}
		nb := &orbit.Bundle{ID: orbit.BundleID(k.Step, b.ID, k.Ordinal), Run: b.Run, Round: b.Round, Step: k.Step, Parent: b.ID, Ordinal: k.Ordinal, Plan: b.Plan,
			Accepted: b.Accepted, Deadline: b.Deadline, TriggerAt: b.TriggerAt, TriggerType: b.TriggerType, Items: room.of(k.Count)}
		if err := out.seek(k.First); err != nil {
			return err
		}
		var live []orbit.Value
		lineages := make([]byte, 0, k.Count*(len(b.Items[0].Lineage)+6)) // of all items, one after the other
		of, ends := -1, make([]int, k.Count)
		for i := range nb.Items {
			value, result, ordinal, err := out.next()
			if err != nil {
				return err
			}
			if result != of { // the same for all objects of one item
				if live, err = liveFor(child, parent, &b.Items[result], blobs); err != nil {
					return err
				}
				of = result
			}
			lineages = b.Items[result].Lineage.AppendChild(lineages, ordinal)
			ends[i] = len(lineages)
			nb.Items[i] = orbit.Item{Value: value, Live: live}
		}
		for i, from, all := 0, 0, orbit.Lineage(lineages); i < len(ends); i++ {
			nb.Items[i].Lineage = all[from:ends[i]]
			from = ends[i]
		}
		return emit(child, nb)
	})
}

// itemRoom holds the items of one bundle after the other: there are as many as there are outputs, and none outlives its turn.
type itemRoom struct{ used []orbit.Item }

var itemRooms sync.Pool

func newItemRoom() *itemRoom {
	if r, ok := itemRooms.Get().(*itemRoom); ok {
		return r
	}
	return &itemRoom{}
}

// of gives n items; each is to be written whole.
func (r *itemRoom) of(n int) []orbit.Item {
	if n > len(r.used) {
		r.used = slices.Grow(r.used[:0], n)[:n]
	}
	return r.used[:n]
}

// release gives the room to whoever is next. What its items point to is not kept.
func (r *itemRoom) release() {
	clear(r.used)
	r.used = r.used[:0]
	itemRooms.Put(r)
}

// FailureKids are the bundles with which the failed ones of a step's results go to the first failure steps. Where First is the
// place of the result, Ordinal is that among the failed ones.
func (p *Plan) FailureKids(s *Step, results []orbit.Result) []orbit.Kid {
	w := p.wiring()
	if !w.starts[s.Identifier] {
		return nil
	}
	var kids []orbit.Kid
	for _, first := range w.firsts {
		failed := 0
		for i := range results {
			if results[i].State == orbit.ItemFailed {
				kids = append(kids, orbit.Kid{Kind: orbit.KidFailure, Step: first.Identifier, Ordinal: failed, First: i, Count: 1})
				failed++
			}
		}
	}
	return kids
}

// failureBundle is the bundle that takes a failed item to a first failure step: it brings what failed and why, and those of
// the item's values that failure steps read. What the item could not see is null.
func (p *Plan) failureBundle(b *orbit.Bundle, rec *orbit.Record, failed, first *Step, k orbit.Kid, blobs Blobs) (*orbit.Bundle, error) {
	if k.First < 0 || k.First >= len(rec.Results) || rec.Results[k.First].Error == nil {
		return nil, fmt.Errorf("%w: the record of bundle %s names a failure that it has not", orbit.ErrFrame, rec.Bundle)
	}
	r, from := &rec.Results[k.First], &b.Items[k.First]
	item := orbit.ItemID(rec.Step, r.Lineage)
	what, err := whatFailed(rec.Step, r)
	if err != nil {
		return nil, err
	}
	it := orbit.Item{Lineage: r.Lineage, Value: orbit.Value{Object: what}, Live: make([]orbit.Value, len(first.Live))}
	for i, l := range first.Live {
		var v orbit.Value
		if l.Step == failed.Feeder() {
			v = from.Value
		} else if at := slices.IndexFunc(failed.Live, func(f Live) bool { return f.Step == l.Step }); at >= 0 && at < len(from.Live) {
			v = from.Live[at]
		}
		if it.Live[i], err = prune(v, l.Fields, blobs); err != nil {
			return nil, err
		}
	}
	return &orbit.Bundle{ID: orbit.FailureBundleID(first.Identifier, rec.Bundle, item), Run: b.Run, Round: b.Round, Step: first.Identifier, Parent: b.ID, Ordinal: k.Ordinal, Plan: b.Plan,
		Accepted: b.Accepted, Deadline: b.Deadline, TriggerAt: b.TriggerAt, TriggerType: b.TriggerType, Items: []orbit.Item{it}}, nil
}

// whatFailed is what failure steps get: the sentence, and where it comes from.
func whatFailed(step string, r *orbit.Result) (orbit.Object, error) {
	return orbit.NewObject(map[string]any{"error": r.Error.Message, "code": string(r.Error.Code), "satellite": step, "item": orbit.ItemID(step, r.Lineage)})
}

// EachKid calls f for every bundle that the record names, in order.
func EachKid(rec *orbit.Record, blobs Blobs, f func(orbit.Kid) error) error {
	piece := func(data []byte) error {
		kids, err := orbit.DecodeKids(data)
		if err != nil {
			return err
		}
		for _, k := range kids {
			if err := f(k); err != nil {
				return err
			}
		}
		return nil
	}
	if rec.Kids.Chunks == nil {
		return piece(rec.Kids.Inline)
	}
	for _, c := range rec.Kids.Chunks {
		data, err := blobs(c.Blob)
		if err != nil {
			return err
		}
		if err := piece(data); err != nil {
			return err
		}
	}
	return nil
}

// RetryBundle is the retry bundle that a record names: its items as they came in, one attempt older. like gives what all
// bundles of the run have in common.
func RetryBundle(rec *orbit.Record, k orbit.Kid, like orbit.Bundle) (*orbit.Bundle, error) {
	nb := like
	nb.ID, nb.Run, nb.Step, nb.Parent, nb.Ordinal = orbit.RetryBundleID(rec.Step, rec.Bundle, k.Ordinal), rec.Run, rec.Step, rec.Bundle, k.Ordinal
	nb.Items = nil
	at := 0
	for i := range rec.Results {
		r := &rec.Results[i]
		if r.State != orbit.ItemRetrying {
			continue
		}
		if at >= k.First && at < k.First+k.Count {
			if r.Input == nil {
				return nil, fmt.Errorf("%w: the record of bundle %s does not repeat the input of %s", orbit.ErrFrame, rec.Bundle, orbit.ItemID(rec.Step, r.Lineage))
			}
			it := *r.Input
			it.Attempt = r.Attempt
			nb.Items = append(nb.Items, it)
		}
		at++
	}
	if len(nb.Items) != k.Count {
		return nil, fmt.Errorf("%w: the record of bundle %s names %d retries and has %d", orbit.ErrFrame, rec.Bundle, k.Count, len(nb.Items))
	}
	return &nb, nil
}

// liveFor is what an item of child carries of its ancestors, given the item of its parent step.
func liveFor(child, parent *Step, it *orbit.Item, blobs Blobs) ([]orbit.Value, error) {
	if len(child.Live) == 0 {
		return nil, nil
	}
	live := make([]orbit.Value, len(child.Live))
	for i, l := range child.Live {
		var from orbit.Value
		if l.Step == parent.Feeder() {
			from = it.Value
		} else {
			at := slices.IndexFunc(parent.Live, func(p Live) bool { return p.Step == l.Step })
			if at < 0 || at >= len(it.Live) {
				return nil, fmt.Errorf("an item of %s carries no %s, which %s needs", parent.Identifier, l.Step, child.Identifier)
			}
			from = it.Live[at]
		}
		v, err := prune(from, l.Fields, blobs)
		if err != nil {
			return nil, err
		}
		live[i] = v
	}
	return live, nil
}

// LiveSize is about the bytes of live values that each item of child carries, given the item of its parent step.
func LiveSize(child, parent *Step, it *orbit.Item) int {
	size := 0
	for _, l := range child.Live {
		if l.Step == parent.Feeder() {
			size += it.Value.Size()
		} else if at := slices.IndexFunc(parent.Live, func(p Live) bool { return p.Step == l.Step }); at >= 0 && at < len(it.Live) {
			size += it.Live[at].Size()
		}
	}
	return size
}

// prune keeps the given top-level fields of an object; none given: all of it, which may stay a reference.
func prune(v orbit.Value, fields []string, blobs Blobs) (orbit.Value, error) {
	if len(fields) == 0 || v.List != nil { // a list was made of such objects
		return v, nil
	}
	o, err := Load(v, blobs)
	if err != nil {
		return orbit.Value{}, err
	}
	whole, err := o.Value()
	if err != nil {
		return orbit.Value{}, err
	}
	m, ok := whole.(map[string]any)
	if !ok { // a payload that is no object: the error comes where it is read
		return v, nil
	}
	kept := make(map[string]any, len(fields))
	for _, f := range fields {
		if e, ok := m[f]; ok {
			kept[f] = e
		}
	}
	if len(kept) == len(m) {
		return v, nil
	}
	o, err = orbit.NewObject(kept)
	return orbit.Value{Object: o}, err
}

// EachOf calls f for every object of a list that lies in blobs. One blob is in memory at a time.
func EachOf(list []orbit.Chunk, blobs Blobs, f func(orbit.Object) error) error {
	for _, c := range list {
		data, err := blobs(c.Blob)
		if err != nil {
			return err
		}
		for len(data) > 0 {
			o, _, rest, ok := orbit.NextOutput(data)
			if !ok {
				return fmt.Errorf("%w: the list in blob %s is damaged", orbit.ErrFrame, c.Blob)
			}
			if err := f(o); err != nil {
				return err
			}
			data = rest
		}
	}
	return nil
}

// Each calls f for every object of a list, or for the one object that the value is.
func Each(v orbit.Value, list bool, blobs Blobs, f func(orbit.Object) error) error {
	if v.List != nil {
		return EachOf(v.List, blobs, f)
	}
	o, err := Load(v, blobs)
	if err != nil {
		return err
	}
	if !list {
		return f(o)
	}
	return o.Elements(f)
}

// Load gives the object behind a value.
func Load(v orbit.Value, blobs Blobs) (orbit.Object, error) {
	if v.List != nil {
		var all []orbit.Object
		err := EachOf(v.List, blobs, func(o orbit.Object) error {
			all = append(all, o)
			return nil
		})
		return orbit.NewList(all), err
	}
	if v.Ref == nil {
		return v.Object, nil
	}
	data, err := blobs(v.Ref.Blob)
	if err != nil {
		return nil, err
	}
	if v.Ref.Offset < 0 || v.Ref.Length < 0 || v.Ref.Offset+v.Ref.Length > len(data) {
		return nil, fmt.Errorf("%w: a reference past the end of blob %s", orbit.ErrFrame, v.Ref.Blob)
	}
	return orbit.Object(data[v.Ref.Offset : v.Ref.Offset+v.Ref.Length]), nil
}
