package cluster

import (
	"fmt"

	"github.com/exospherehost/orbit"
)

// outputs is a cursor over the objects of a record.
type outputs struct {
	rec   *orbit.Record
	blobs Blobs

	at    int    // index of the next object
	chunk int    // the chunk it lies in
	data  []byte // rest of the chunk
	whole int    // size of the chunk
	long  []byte // the object given last, where it was long

	result  int // result that the next object belongs to
	ordinal int // its position among that result's objects
}

func newOutputs(rec *orbit.Record, blobs Blobs) *outputs {
	o := &outputs{rec: rec, blobs: blobs}
	o.rewind()
	return o
}

func (o *outputs) rewind() {
	o.at, o.chunk, o.result, o.ordinal = 0, -1, 0, 0
	o.data, o.whole = nil, 0
	if o.rec.Outputs.Chunks == nil {
		o.data, o.whole = o.rec.Outputs.Inline, len(o.rec.Outputs.Inline)
	}
}

// seek moves to the object at an index; going back starts over.
func (o *outputs) seek(index int) error {
	if index < o.at {
		o.rewind()
	}
	for o.at < index {
		if len(o.data) == 0 && o.rec.Outputs.Chunks != nil && o.chunk+1 < len(o.rec.Outputs.Chunks) {
			if c := o.rec.Outputs.Chunks[o.chunk+1]; o.at+c.Count <= index { // not one of its objects is wanted
				o.chunk++
				o.at += c.Count
				o.pass(c.Count)
				continue
			}
		}
		if _, _, _, err := o.next(); err != nil {
			return err
		}
	}
	return nil
}

// next gives an object, by reference where it is long, with the result it belongs to and its position there.
func (o *outputs) next() (v orbit.Value, result, ordinal int, err error) {
	for len(o.data) == 0 {
		o.chunk++
		if o.chunk >= len(o.rec.Outputs.Chunks) {
			return v, 0, 0, fmt.Errorf("the record of bundle %s names more objects than it has", o.rec.Bundle)
		}
		if o.data, err = o.blobs(o.rec.Outputs.Chunks[o.chunk].Blob); err != nil {
			return v, 0, 0, err
		}
		o.whole = len(o.data)
	}
	offset := o.whole - len(o.data)
	object, head, rest, ok := orbit.NextOutput(o.data)
	if !ok {
		return v, 0, 0, fmt.Errorf("the outputs of bundle %s are damaged at byte %d", o.rec.Bundle, offset)
	}
	o.data = rest
	o.at++
	o.pass(0)
	result, ordinal = o.result, o.ordinal
	o.ordinal++
	if len(object) > orbit.MaxInline && o.chunk >= 0 {
		o.long = object
		return orbit.Value{Ref: &orbit.Ref{Blob: o.rec.Outputs.Chunks[o.chunk].Blob, Offset: offset + head, Length: len(object)}}, result, ordinal, nil
	}
	return orbit.Value{Object: object}, result, ordinal, nil
}

// pass moves n objects on among the results, and past results that have no more.
func (o *outputs) pass(n int) {
	o.ordinal += n
	for o.result < len(o.rec.Results)-1 && o.ordinal >= o.rec.Results[o.result].Outputs {
		o.ordinal -= o.rec.Results[o.result].Outputs
		o.result++
	}
}

// EachOutput calls f for every object of a record with the result it belongs to and its position there. Long objects come whole.
func EachOutput(rec *orbit.Record, blobs Blobs, f func(result, ordinal int, o orbit.Object) error) error {
	total := 0
	for i := range rec.Results {
		total += rec.Results[i].Outputs
	}
	out := newOutputs(rec, blobs)
	for range total {
		v, result, ordinal, err := out.next()
		if err != nil {
			return err
		}
		object := v.Object
		if v.Ref != nil { // it lies in the chunk at hand
			object = orbit.Object(out.long)
		}
		if err := f(result, ordinal, object); err != nil {
			return err
		}
	}
	return nil
}

// Objects gives the objects of a record one by one, wherever they lie. Asked for in order, each is read once.
type Objects struct {
	out   *outputs
	first []int // index of each result's first object
}

// NewObjects reads from a record. It is for one goroutine.
func NewObjects(rec *orbit.Record, blobs Blobs) *Objects {
	o := &Objects{out: newOutputs(rec, blobs), first: make([]int, len(rec.Results))}
	for i := 1; i < len(rec.Results); i++ {
		o.first[i] = o.first[i-1] + rec.Results[i-1].Outputs
	}
	return o
}

// At gives one object of one result.
func (o *Objects) At(result, ordinal int) (orbit.Object, error) {
	rec := o.out.rec
	if ordinal < 0 || ordinal >= rec.Results[result].Outputs {
		return nil, fmt.Errorf("the record of bundle %s has no object %d for its item %d", rec.Bundle, ordinal, result)
	}
	if err := o.out.seek(o.first[result] + ordinal); err != nil {
		return nil, err
	}
	return o.out.object()
}

// object gives the next object whole, however long it is.
func (o *outputs) object() (orbit.Object, error) {
	v, _, _, err := o.next()
	if err != nil {
		return nil, err
	}
	if v.Ref != nil { // it lies in the chunk at hand
		return orbit.Object(o.long), nil
	}
	return v.Object, nil
}
