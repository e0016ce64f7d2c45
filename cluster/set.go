package cluster

import (
	"iter"
	"math/bits"
)

// set is a set of steps by their index.
type set []uint64

func newSet(size int) set { return make(set, (size+63)/64) }

func (s set) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }

// add tells whether i was new.
func (s set) add(i int) bool {
	isNew := !s.has(i)
	s[i/64] |= 1 << (i % 64)
	return isNew
}

// all gives what is in the set, the least first.
func (s set) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(64*i + bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}

// union adds another set, and tells whether something in it was new.
func (s set) union(o set) bool {
	grown := false
	for i, word := range o {
		grown = grown || word&^s[i] != 0
		s[i] |= word
	}
	return grown
}
