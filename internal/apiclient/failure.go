package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/exospherehost/orbit"
)

// Unreachable is the error of a request that got no answer: nobody listens, or the connection broke.
type Unreachable struct {
	URL string
	Err error
}

// Error is a sentence; the cause is left to Unwrap.
func (e *Unreachable) Error() string { return "no gateway answers at " + e.URL }

// Unwrap gives what went wrong on the network.
func (e *Unreachable) Unwrap() error { return e.Err }

// Foreign is the error of an answer that no gateway gives: another program listens there, or a proxy is in between.
type Foreign struct {
	URL     string
	Request string // "GET /v1/runs"
	Status  int
}

// Error is a sentence.
func (e *Foreign) Error() string {
	return fmt.Sprintf("what listens at %s is no gateway: its answer to %s was %d %s; check --gateway", e.URL, e.Request, e.Status, http.StatusText(e.Status))
}

// Passing tells whether a request that failed with err may succeed when it is made again a little later.
func Passing(err error) bool {
	var gone *Unreachable
	var foreign *Foreign
	var problem *orbit.Problem
	status := 0
	switch {
	case errors.As(err, &gone):
		return true
	case errors.As(err, &foreign):
		status = foreign.Status
	case errors.As(err, &problem):
		status = problem.Status
	}
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// broken is the error of a request without a whole answer. Where the caller has given up, it is the context's.
func (c *Client) broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &Unreachable{URL: c.base, Err: err}
}

// refusal reads the problem document of an answer.
func (c *Client) refusal(r request, resp *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20)) // diagnostics of a large file are well below that
	problem := &orbit.Problem{}
	isJSON := strings.Contains(resp.Header.Get("Content-Type"), "json")
	if err == nil && isJSON && json.Unmarshal(text, problem) == nil && (problem.Title != "" || problem.Detail != "") {
		problem.Status = resp.StatusCode
		return problem
	}
	if resp.StatusCode == http.StatusUnauthorized {
		return &orbit.Problem{Title: "a token is needed", Status: resp.StatusCode}
	}
	return &Foreign{URL: c.base, Request: r.method + " " + r.path, Status: resp.StatusCode}
}
