package remote

import (
	"crypto/tls"
	"encoding/json"
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
	"github.com/exospherehost/orbit/satellite"
)

// refusal is the error of an answer that is not 2xx. The status says whether another attempt may help, unless the service
// says it itself.
func (r *Remote) refusal(resp *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, int64(maxRefusal))) // cut or broken off, its beginning will do
	code, retry := orbit.CodeRejected, false
	hint := ""
	switch s := resp.StatusCode; {
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		code, hint = orbit.CodeDenied, "; check the secrets in the step's config"
	case s == http.StatusRequestTimeout, s == http.StatusTooEarly, s == http.StatusTooManyRequests, s >= 500:
		code, retry = orbit.CodeUnavailable, true
	case s >= 300 && s <= 399:
		hint = ", a redirect, which is not followed; write the address it leads to as url"
	}
	var said struct {
		Error json.RawMessage `json:"error"`
	}
	fault := &satellite.Fault{}
	_ = json.Unmarshal(text, &said) // any other text is shown as it is
	if json.Unmarshal(said.Error, fault) != nil {
		if json.Unmarshal(said.Error, &fault.Message) != nil {
			fault.Message = excerpt(string(text))
		}
	}
	if fault.Message = r.place() + " answered " + strings.TrimSpace(resp.Status) + hint + colon(fault.Message); fault.RetryAfter == 0 {
		fault.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now()).Seconds()
		if !retry { // a header alone makes nothing worth another attempt
			fault.RetryAfter = 0
		}
	}
	return fault.AsError(r.spec.Name, code, retry)
}

func colon(text string) string {
	if text = strings.TrimSpace(text); text == "" {
		return ""
	}
	return ": " + text
}

// judged gives any error of an exchange its form. It repeats no URL's query: net/http's own errors do.
func (r *Remote) judged(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	var (
		own     *orbit.Error
		taker   emitError
		cert    *tls.CertificateVerificationError
		dns     *net.DNSError
		timeout net.Error
	)
	switch name := r.spec.Name + ": " + r.place(); {
	case err == nil:
		return nil
	case errors.As(err, &taker):
		return taker.error
	case errors.As(err, &own):
		return own
	case errors.Is(err, satellite.ErrAnswer):
		return orbit.Permanent(orbit.CodeInternal, "%s answered with %v", name, err)
	case errors.Is(err, errTooLarge):
		return orbit.Permanent(orbit.CodeTooLarge, "%s answered with more than %s, or a line of more than %s; let it write a file and return the place", name, maxAnswer, maxLine)
	case errors.Is(err, errCut), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return orbit.Transient(orbit.CodeUnavailable, "%s ended its answer before it was done", name)
	case errors.As(err, &cert):
		return orbit.Permanent(orbit.CodeRejected, "%s: the server's certificate is not valid (%v); mend it", name, cert.Err)
	case errors.As(err, &dns):
		return orbit.Transient(orbit.CodeUnavailable, "%s: the host %s cannot be found", name, dns.Name)
	case errors.As(err, &timeout) && timeout.Timeout():
		return orbit.Transient(orbit.CodeTimeout, "%s: the server does not answer (%v)", name, cause(err))
	}
	return orbit.Transient(orbit.CodeUnavailable, "%s cannot be reached: %v", r.spec.Name+": "+r.place(), cause(err))
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

// retryAfter reads the header's seconds or date (RFC 9110, 10.2.3); 0 where it says nothing usable.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(seconds, 0), int(satellite.MaxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(at.Sub(now), 0)
}

// excerpt gives the first 200 characters of a body, on one line.
func excerpt(text string) string {
	const most = 200
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
