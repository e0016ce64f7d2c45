package main

import "math/bits"

// bitmap is a set of the numbers from 0 to below some limit, a bit each: a million take 122 KiB.
type bitmap struct {
	words []uint64
	limit int
}

func newBitmap(limit int) *bitmap { return &bitmap{make([]uint64, (limit+63)/64), limit} }

// add puts a number in. It tells whether it belongs here and is new.
func (b *bitmap) add(n int) bool {
	if n < 0 || n >= b.limit {
		return false
	}
	word, bit := &b.words[n/64], uint64(1)<<(n%64)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}

// count is how many numbers are in.
func (b *bitmap) count() (n int) {
	for _, w := range b.words {
		n += bits.OnesCount64(w)
	}
	return n
}
