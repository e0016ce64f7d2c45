package mesh

import "errors"

// What may keep us from joining. Both come wrapped in a sentence that names the seed.
var (
	// ErrKey: a seed answers, but its gossip key is not ours. Trying again does not help.
	ErrKey = errors.New("the gossip key does not match")

	// ErrNoSeed: no seed can be reached. It may come later; the search goes on.
	ErrNoSeed = errors.New("no gossip seed answers")
)
