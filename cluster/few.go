package cluster

import "slices"

// few is a set of what is mostly few: nothing is allocated for up to eight. The zero set is empty.
type few[T comparable] struct {
	first [8]T
	n     int
	rest  map[T]bool
}

// add tells whether v was new.
func (f *few[T]) add(v T) bool {
	switch {
	case f.has(v):
		return false
	case f.n < len(f.first):
		f.first[f.n] = v
		f.n++
		return true
	case f.rest == nil:
		f.rest = map[T]bool{}
	}
	f.rest[v] = true
	return true
}

func (f *few[T]) has(v T) bool { return slices.Contains(f.first[:f.n], v) || f.rest[v] }
