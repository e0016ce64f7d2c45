package cluster

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

// union adds another set, and tells whether something in it was new.
func (s set) union(o set) bool {
	grown := false
	for i, bits := range o {
		grown = grown || bits&^s[i] != 0
		s[i] |= bits
	}
	return grown
}
