package mesh

import "time"

// State is what the gossip says of a machine. memberlist keeps its suspicions to itself: a machine that stops answering
// stays Alive until the suspicion has been confirmed, some 5 seconds in a small orbit, and is Dead then.
type State string

// The states of a Peer.
const (
	Alive State = "alive"
	Left  State = "left" // it said goodbye
	Dead  State = "dead" // it stopped answering
)

// Change is what has become of a machine.
type Change string

// The changes that OnChange hears of. Changes that come faster than they are heard are merged per machine: the last one
// of Joined, Departed and Died counts, and Updated is part of a Joined that is still waiting.
const (
	Joined   Change = "joined"   // seen for the first time, or back again
	Updated  Change = "updated"  // has a new digest
	Departed Change = "departed" // said goodbye
	Died     Change = "died"     // stopped answering
)

// Peer is another machine as the gossip shows it.
type Peer struct {
	Name    string
	Role    string // Node or Gateway; empty where its metadata cannot be read
	Address string // host:port of its gossip
	State   State
	Since   time.Time // of State, by our clock
	Digest  *Digest   // nil where it has sent none that we can read; shared, so do not change it
}
