package fault

// Bugs that a test binary built with the tag `planted` can plant, to show that the scenarios catch them. In every other
// build Planted is the constant false and leaves no trace.
const (
	AckBeforeRecord = "ack-before-record"
	ChildrenFirst   = "children-before-record"
	OwnChildren     = "own-children-after-lost-cas"
	DedupeForCAS    = "dedupe-instead-of-cas"
	CheckpointFirst = "checkpoint-before-effects"
	JoinUncounted   = "joins-not-counted"
	LimitForgets    = "limit-forgets-retries"
	AckBeforePark   = "ack-before-parked"
	DocumentFirst   = "document-before-marker"
)
