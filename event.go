package orbit

import "time"

// EventKind says what happened to a run.
type EventKind string

// The kinds of events.
const (
	EventAccepted  EventKind = "accepted"
	EventRunning   EventKind = "running"
	EventRetrying  EventKind = "item-retrying"
	EventFailed    EventKind = "item-failed"
	EventDeadline  EventKind = "deadline-missed"
	EventCancelled EventKind = "cancelled"
	EventEnded     EventKind = "ended"
)

// EventKinds lists every kind.
var EventKinds = [...]EventKind{EventAccepted, EventRunning, EventRetrying, EventFailed, EventDeadline, EventCancelled, EventEnded}

// RunEvent is one thing that happened to a run.
type RunEvent struct {
	Time      time.Time  `json:"time"`
	Kind      EventKind  `json:"kind"`
	Message   string     `json:"message"`
	State     RunState   `json:"state,omitempty"` // of the run from here on, where that changed
	Satellite string     `json:"satellite,omitempty"`
	Item      string     `json:"item,omitempty"`
	Attempt   int        `json:"attempt,omitempty"`
	Node      string     `json:"node,omitempty"`
	Due       *time.Time `json:"due,omitempty"` // of the next attempt
	Error     *Error     `json:"error,omitempty"`
}
