// Package arch holds the rules of the house, as tests: who may import whom, what the pure packages must not touch, and that
// ARCHITECTURE.md names files that exist. It has no code of its own.
package arch
