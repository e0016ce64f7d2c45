package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/exospherehost/orbit"
)

// maxWait caps what Retry-After may ask for: a run has a deadline, and an item that sleeps for a day misses it.
const maxWait = time.Hour

// refusal turns an answer that is not 2xx into the error of the attempt.
func refusal(resp *http.Response, a *answer) *orbit.Error {
	last := resp.Request // after a redirect it is the last request that was refused
	message := name(last) + " answered " + strings.TrimSpace(resp.Status)
	if said := excerpt(a.text()); said != "" {
		message += ": " + said
	}
	switch {
	case a.status == http.StatusRequestTimeout, a.status == http.StatusTooEarly, a.status == http.StatusTooManyRequests, a.status >= 500:
		return orbit.RetryAfter(retryAfter(a.header.Get("Retry-After"), time.Now()), orbit.CodeUnavailable, "%s", message)
	case a.status >= 300 && a.status <= 399 && a.header.Get("Location") != "":
		return orbit.Permanent(orbit.CodeRejected, "%s answered %s, which is not followed as follow-redirects is false", name(last), resp.Status)
	}
	return orbit.Permanent(orbit.CodeRejected, "%s", message)
}

// fault judges why no answer came, or not all of one. It repeats no URL's query: net/http's own errors do.
func fault(req *http.Request, limit time.Duration, err error) *orbit.Error {
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
	case errors.Is(err, errTooLarge):
		return orbit.Permanent(orbit.CodeTooLarge, "%s answered with more than %s; let it write a file and return the place", name(req), maxAnswer)
	case errors.As(err, &cert):
		return orbit.Permanent(orbit.CodeRejected, "%s: the server's certificate is not valid (%v); mend it, or set verify-ssl: false for a server you trust", name(req), cert.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return orbit.Transient(orbit.CodeTimeout, "%s gave no full answer within %s", name(req), limit)
	case errors.As(err, &dns):
		return orbit.Transient(orbit.CodeUnavailable, "%s: the host %s cannot be found", name(req), dns.Name)
	case errors.As(err, &timeout) && timeout.Timeout():
		return orbit.Transient(orbit.CodeTimeout, "%s: the server does not answer (%v)", name(req), cause(err))
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return orbit.Transient(orbit.CodeUnavailable, "%s: the connection was closed in the middle of the answer", name(req))
	}
	return orbit.Transient(orbit.CodeUnavailable, "%s cannot be reached: %v", name(req), cause(err))
}

// cause gives the innermost reason of a network error: "connection refused".
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// retryAfter reads the header's seconds or date; 0 where it says nothing usable.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(maxWait/time.Second))) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxWait)
}

// name is method and URL of a request, for an error.
func name(req *http.Request) string { return req.Method + " " + bare(req.URL) }

// bare writes a URL without what may be secret in it: user, password, query and fragment.
func bare(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// excerpt gives the first 200 characters of a body, on one line.
func excerpt(text string) string {
	const most = 200
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	runes := []rune(text)
	if len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
