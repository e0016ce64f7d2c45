package node

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// list gives everything as the value of a list.
func (s *spool) list(ctx context.Context) (orbit.Value, error) {
	all, err := s.payload(ctx)
	if err != nil {
		return orbit.Value{}, err
	}
	if all.Chunks != nil {
		return orbit.Value{List: all.Chunks}, nil
	}
	objects := make([]orbit.Object, 0, len(s.sizes))
	for rest := all.Inline; len(rest) > 0; {
		o, _, after, ok := orbit.NextOutput(rest)
		if !ok {
			break
		}
		objects, rest = append(objects, o), after
	}
	return orbit.Value{Object: orbit.NewList(objects)}, nil
}

// united is the default input of a join: the objects of each parent, as {parent: [objects]}.
func (e *execution) united(it *orbit.Item) (orbit.Object, error) {
	in := make(map[string]orbit.Object, len(e.step.Parents))
	for i, l := range e.step.Live {
		if !slices.Contains(e.step.Parents, l.Step) || i >= len(it.Live) {
			continue
		}
		o, err := cluster.Load(it.Live[i], e.blobs)
		if err != nil {
			return nil, err
		}
		if !l.Many { // the scope itself
			o = orbit.NewList([]orbit.Object{o})
		}
		in[l.Step] = o
	}
	return orbit.NewMap(in), nil
}

// lists gives what united does, object by object, so that a list of any length takes little memory.
func (e *execution) lists(it *orbit.Item) map[string]iter.Seq2[orbit.Object, error] {
	lists := make(map[string]iter.Seq2[orbit.Object, error], len(e.step.Parents))
	for i, l := range e.step.Live {
		if !slices.Contains(e.step.Parents, l.Step) || i >= len(it.Live) {
			continue
		}
		v := it.Live[i]
		lists[l.Step] = func(yield func(orbit.Object, error) bool) {
			err := cluster.Each(v, l.Many, e.blobs, func(o orbit.Object) error {
				if !yield(o, nil) {
					return errEnough
				}
				return nil
			})
			if err != nil && !errors.Is(err, errEnough) {
				yield(nil, err)
			}
		}
	}
	return lists
}

var errEnough = errors.New("the reader has enough")
