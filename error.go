package orbit

import (
	"errors"
	"fmt"
	"time"
)

// Code names a kind of failure. It is stable: scripts may match it.
type Code string

// What can be wrong with an item. internal/service maps API errors; these are the codes of the work itself.
const (
	CodeInvalidInput  Code = "invalid_input"  // the item's own data: damaged file, failed template, bad argument
	CodeInvalidConfig Code = "invalid_config" // the step's config does not fit once its expressions are resolved
	CodeNotFound      Code = "not_found"      // a file, folder or bucket that is not there
	CodeDenied        Code = "denied"         // credentials missing or refused
	CodeRejected      Code = "rejected"       // the other side understood and said no: HTTP 4xx
	CodeUnavailable   Code = "unavailable"    // the other side is down, overloaded or unreachable
	CodeTimeout       Code = "timeout"        // the time limit of an attempt has passed
	CodeTooLarge      Code = "too_large"      // past a stated limit
	CodePanic         Code = "panic"          // a satellite crashed; the node did not
	CodePoisoned      Code = "poisoned"       // its node died again and again while it ran
	CodeSecret        Code = "secret_missing" // a declared secret has no value
	CodeJoin          Code = "join"           // too few of what a join unites succeeded
	CodeNoSatellite   Code = "unknown_satellite"
	CodeInternal      Code = "internal"
)

// Error is what went wrong with an item, in one sentence for a person.
type Error struct {
	Code      Code   `json:"code"`
	Message   string `json:"message"`   // what, where, what to do; no secret, no stack trace
	Retryable bool   `json:"retryable"` // the surroundings are at fault: another attempt may succeed

	After time.Duration `json:"-"` // the service's own wait before the next attempt; 0 where it named none
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Permanent is an error that no further attempt can mend: the input is at fault.
func Permanent(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Transient is an error of the surroundings: the item is tried again.
func Transient(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Retryable: true}
}

// RetryAfter is Transient with the wait that the service asked for.
func RetryAfter(wait time.Duration, code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Retryable: true, After: wait}
}

// AsError gives err as an *Error. An error that does not say whose fault it is counts as transient: trying again is the
// mistake that costs least.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: CodeInternal, Message: err.Error(), Retryable: true}
}
