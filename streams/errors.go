package streams

import (
	"errors"
	"fmt"
)

// What can go wrong with a write.
var (
	// ErrExists: the write expected an empty or unchanged subject, and someone was first.
	ErrExists = errors.New("someone was first")
	// ErrUnknown: no answer came. The write may or may not have happened; the same bytes may be sent again.
	ErrUnknown = errors.New("the NATS server did not answer in time")
	// ErrClosed: the publisher was stopped.
	ErrClosed = errors.New("the publisher is closed")
	// ErrNoStream: nothing stores this subject.
	ErrNoStream = errors.New("no stream stores this subject; is a gateway running against this NATS server?")
	// ErrQueues: a stream would have more consumers than it can serve.
	ErrQueues = errors.New("there are too many queues")
	// ErrNotFound: there is no such message.
	ErrNotFound = errors.New("no such message")
)

// ServerError is a refusal by the JetStream server.
type ServerError struct {
	Code        int    `json:"err_code"`
	Description string `json:"description"`
}

// Error implements error.
func (e *ServerError) Error() string {
	return fmt.Sprintf("JetStream refused: %s (%d)", e.Description, e.Code)
}

// Error codes of JetStream that mean something to the protocol.
const (
	codeWrongLastSequence = 10071 // a CAS was lost
	codeCASPending        = 10164 // a CAS on a replicated stream while another is under way
	codeClusterBusy       = 10158
	codeUnavailable       = 10008 // no leader just now
	codeNoStream          = 10059
	codeNoConsumer        = 10014
)
