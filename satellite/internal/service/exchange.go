package service

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/vault"
)

// Exchange is a request and its answer, as far as failures are told of it.
type Exchange struct {
	Name  string        // begins every sentence: "POST https://example.com/v1"
	Limit time.Duration // what the exchange may take
	Mask  *vault.Masker // of secrets that the service might repeat; nil: none

	// What to do next, the ends of sentences.
	Denied      string // 401 and 403: which field to check; "": they are refusals like any other
	Certificate string // the server's certificate is not valid
	TooLarge    string // the answer is
}

// Refusal judges an answer that is not 2xx; status is its number, line the number and its words.
func (e *Exchange) Refusal(status int, line string, header http.Header, body string) *orbit.Error {
	message := e.Name + " answered " + strings.TrimSpace(line)
	if said := Excerpt(e.Mask.Text(body)); said != "" {
		message += ": " + said
	}
	switch {
	case Passing(status):
		return orbit.RetryAfter(RetryAfter(header.Get("Retry-After"), time.Now()), orbit.CodeUnavailable, "%s", message)
	case e.Denied != "" && (status == http.StatusUnauthorized || status == http.StatusForbidden):
		return orbit.Permanent(orbit.CodeDenied, "%s; %s", message, e.Denied)
	case e.Denied != "" && status == http.StatusRequestEntityTooLarge:
		return orbit.Permanent(orbit.CodeTooLarge, "%s", message)
	}
	return orbit.Permanent(orbit.CodeRejected, "%s", message)
}

// Passing tells whether a status speaks of the service's state rather than of the request.
func Passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

// Fault judges why no answer came, or not all of one. It repeats no URL's query: net/http's own errors do.
func (e *Exchange) Fault(err error) *orbit.Error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var (
		own     *orbit.Error
		cert    *tls.CertificateVerificationError
		dns     *net.DNSError
		timeout net.Error
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, ErrTooLarge):
		return orbit.Permanent(orbit.CodeTooLarge, "%s answered with %s", e.Name, e.TooLarge)
	case errors.As(err, &cert):
		return orbit.Permanent(orbit.CodeRejected, "%s: the server's certificate is not valid (%v); %s", e.Name, cert.Err, e.Certificate)
	case errors.Is(err, context.DeadlineExceeded):
		return orbit.Transient(orbit.CodeTimeout, "%s gave no full answer within %s", e.Name, e.Limit)
	case errors.As(err, &dns):
		return orbit.Transient(orbit.CodeUnavailable, "%s: the host %s cannot be found", e.Name, dns.Name)
	case errors.As(err, &timeout) && timeout.Timeout():
		return orbit.Transient(orbit.CodeTimeout, "%s: the server does not answer (%v)", e.Name, Cause(err))
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return orbit.Transient(orbit.CodeUnavailable, "%s: the connection was closed in the middle of the answer", e.Name)
	}
	return orbit.Transient(orbit.CodeUnavailable, "%s cannot be reached: %v", e.Name, Cause(err))
}
