package fault

// Bugs that a test binary built with the tag `planted` can plant, to show that the scenarios catch them. In every other
// build Planted is the constant false and leaves no trace. Each breaks one rule of the protocol, named behind it.
const (
	AckBeforeRecord = "ack-before-record"           // an ack is not a commit: everyone acks after record and children
	ChildrenFirst   = "children-before-record"      // the record is written before the children that it names
	OwnChildren     = "own-children-after-lost-cas" // the record alone says how children are grouped; nobody groups again
	DedupeForCAS    = "dedupe-instead-of-cas"       // a record is write-once by its expected sequence, for ever
	CheckpointFirst = "checkpoint-before-effects"   // a checkpoint follows the answers to all effects of its records
	JoinUncounted   = "joins-not-counted"           // a join is outstanding from the birth of its scope object
	LimitForgets    = "limit-forgets-retries"       // an item that is tried again belongs to what a limit has let go
	AckBeforePark   = "ack-before-parked"           // what a paused run parks is stored before it leaves its queue
	DocumentFirst   = "document-before-marker"      // a round begins with its marker in the ledger
	PendingLeft     = "pending-run-left"            // any leader launches an accepted run from its document alone
	LeaderInIDs     = "leader-in-ids"               // every effect is a function of the ledger, whoever leads
	ClosedRuns      = "closed-run-runs"             // children of a record that comes after a run was closed never run
)
