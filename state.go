package orbit

// RunState is where a run stands.
type RunState string

// The states of a run. The last four are terminal.
const (
	RunPending   RunState = "pending"
	RunRunning   RunState = "running"
	RunPaused    RunState = "paused"
	RunSucceeded RunState = "succeeded"
	RunPartial   RunState = "partial"
	RunFailed    RunState = "failed"
	RunCancelled RunState = "cancelled"
)

// RunStates lists every run state.
var RunStates = [...]RunState{RunPending, RunRunning, RunPaused, RunSucceeded, RunPartial, RunFailed, RunCancelled}

// Terminal tells whether a run in this state has ended.
func (s RunState) Terminal() bool {
	switch s {
	case RunSucceeded, RunPartial, RunFailed, RunCancelled:
		return true
	}
	return false
}

// CanMove tells whether a run may go from s to t within one round.
func (s RunState) CanMove(t RunState) bool {
	switch s {
	case RunPending:
		return t == RunRunning || t == RunPaused || t == RunCancelled
	case RunRunning:
		return t == RunPaused || t.Terminal()
	case RunPaused:
		return t == RunRunning || t.Terminal()
	}
	return false
}

// ItemState is where an item stands.
type ItemState string

// The states of an item. The last four are terminal.
const (
	ItemWaiting   ItemState = "waiting"
	ItemRunning   ItemState = "running"
	ItemRetrying  ItemState = "retrying"
	ItemSucceeded ItemState = "succeeded"
	ItemFailed    ItemState = "failed"
	ItemSkipped   ItemState = "skipped"
	ItemCancelled ItemState = "cancelled"
)

// ItemStates lists every item state in the order in which tables show them.
var ItemStates = [...]ItemState{ItemWaiting, ItemRunning, ItemRetrying, ItemSucceeded, ItemFailed, ItemSkipped, ItemCancelled}

// Terminal tells whether an item in this state has ended.
func (s ItemState) Terminal() bool {
	switch s {
	case ItemSucceeded, ItemFailed, ItemSkipped, ItemCancelled:
		return true
	}
	return false
}

// CanMove tells whether an item may go from s to t within one round.
func (s ItemState) CanMove(t ItemState) bool {
	switch s {
	case ItemWaiting, ItemRetrying:
		return t == ItemRunning || t.Terminal()
	case ItemRunning:
		return t != ItemRunning
	}
	return false
}
