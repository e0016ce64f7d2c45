package orbit

import "time"

// WhyCode names the kind of reason for which work of a run waits. It is stable: scripts may match it.
type WhyCode string

// The reasons, from what only a person can mend to what passes by itself.
const (
	WhyNoNode      WhyCode = "no-node"     // no machine is of the class
	WhyNoPool      WhyCode = "no-pool"     // no such machine hosts the pool
	WhyModel       WhyCode = "model"       // its server is not up on any
	WhyPaused      WhyCode = "paused"      // the run is
	WhyRetry       WhyCode = "retry"       // an attempt failed, and the next is not due yet
	WhyDelay       WhyCode = "delay"       // of the satellite in its cluster
	WhyStore       WhyCode = "store"       // the server's store is nearly full, and the work would make more
	WhyConcurrency WhyCode = "concurrency" // as many items as may run at once do
	WhyQueued      WhyCode = "queued"      // other work comes first
	WhyRunning     WhyCode = "running"     // nothing: a machine is at it
	WhyJoin        WhyCode = "join"        // some of what it unites has not ended
	WhyDependency  WhyCode = "dependency"  // a satellite before it is still at work
	WhyEnded       WhyCode = "ended"       // nothing is waited for any more
)

// WhyCodes lists every code in the order in which reasons are told.
var WhyCodes = [...]WhyCode{WhyNoNode, WhyNoPool, WhyModel, WhyPaused, WhyRetry, WhyDelay, WhyStore, WhyConcurrency, WhyQueued, WhyRunning, WhyJoin, WhyDependency, WhyEnded}

// Why says what a run waits for.
type Why struct {
	Run     string      `json:"run"`
	State   RunState    `json:"state"`
	Reasons []WhyReason `json:"reasons"` // one at least
}

// WhyReason is the one reason for which an item waits, or most open items of a satellite do.
type WhyReason struct {
	Satellite string     `json:"satellite"` // empty: of the run as a whole
	Item      *string    `json:"item"`      // null: of several items, or of none yet
	Items     int        `json:"items"`     // open items it is told for
	Code      WhyCode    `json:"code"`
	Reason    string     `json:"reason"`        // for a person
	Hint      string     `json:"hint"`          // what would change it, or is to be looked at next
	Due       *time.Time `json:"due,omitempty"` // of retry and delay: when it goes on
}
