// Package orbit is the vocabulary of Exosphere Orbit: the words that every other package needs, and nothing that does
// something by itself. It owns the identity of work (ids, lineages), the data that travels (objects, bundles, records),
// the states of runs and items, the classes of hardware, the description of a satellite, and the shapes of the HTTP API.
//
//	Bundle ──(node runs it)──► Record ──(names)──► Bundle …
//	 items of one step          write-once result    the children
//
// It does no I/O, starts no goroutine and reads no clock.
package orbit
