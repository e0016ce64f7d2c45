package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/kv"
	"github.com/exospherehost/orbit/streams"
)

// What a request can be refused with; each is one sentence for a person.

func problem(status int, format string, args ...any) *orbit.Problem {
	return &orbit.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *orbit.Problem {
	return problem(http.StatusNotFound, format, args...)
}

func conflict(format string, args ...any) *orbit.Problem {
	return problem(http.StatusConflict, format, args...)
}

func invalid(format string, args ...any) *orbit.Problem {
	return problem(http.StatusUnprocessableEntity, format, args...)
}

func badRequest(format string, args ...any) *orbit.Problem {
	return problem(http.StatusBadRequest, format, args...)
}

// asProblem gives any error a status and a sentence.
func asProblem(err error) *orbit.Problem {
	var p *orbit.Problem
	var full *streams.ServerError
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, kv.ErrNotFound):
		return notFound("%s", err)
	case errors.Is(err, streams.ErrQueues):
		return conflict("%s", err)
	case errors.Is(err, kv.ErrConflict):
		return conflict("%s; try again", err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, streams.ErrUnknown), errors.Is(err, streams.ErrClosed),
		errors.Is(err, streams.ErrNoStream), errors.Is(err, nats.ErrNoResponders), errors.Is(err, nats.ErrTimeout), errors.Is(err, jetstream.ErrNoStreamResponse):
		return problem(http.StatusServiceUnavailable, "the NATS server does not answer: %s; try again", err)
	case errors.As(err, &full):
		return problem(http.StatusServiceUnavailable, "the NATS server cannot store this now: %s; look at its disk and limits", full.Description)
	}
	return problem(http.StatusInternalServerError, "%s", err)
}
