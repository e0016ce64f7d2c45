package files

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
)

// maxRefusal is how much of an error's body is read: its word for the error is all that is wanted.
const maxRefusal = 64 << 10

// plainWord is what a service's word for an error looks like. Nothing else that it wrote is repeated: it may hold a secret.
var plainWord = regexp.MustCompile(`^[A-Za-z]{1,64}$`)

// unreachable judges why no answer came, or not all of one.
func (r *rest) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var told *orbit.Error
	if errors.As(err, &told) { // of the body that was to be sent
		return told
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return orbit.Transient(orbit.CodeUnavailable, "%s at %s cannot be reached (%s); check the endpoint and the network", r.title, r.host, netReason(err))
}

// refused is an error together with the service's word for it.
type refused struct {
	told *orbit.Error
	word string
}

// Error implements error.
func (r *refused) Error() string { return r.told.Message }

// Unwrap gives what the satellite reports.
func (r *refused) Unwrap() error { return r.told }

// refusal turns an answer that is not 2xx into a sentence and says whose fault it is.
func (r *rest) refusal(resp *http.Response, c call) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
	if err != nil {
		body = nil
	}
	word := r.word(resp, body)
	return &refused{r.judge(resp, word, c), word}
}

func (r *rest) judge(resp *http.Response, word string, c call) *orbit.Error {
	status := resp.StatusCode
	told := "HTTP " + strconv.Itoa(status)
	if plainWord.MatchString(word) {
		told += ", " + word
	}
	what := c.at.what()
	switch {
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		return orbit.RetryAfter(retryAfter(resp.Header.Get("Retry-After"), time.Now()), orbit.CodeUnavailable,
			"%s at %s cannot serve %s at the moment (%s); try again later", r.title, r.host, what, told)
	case (status == http.StatusUnauthorized || status == http.StatusForbidden) && !r.signed:
		return orbit.Permanent(orbit.CodeDenied, "%s at %s cannot be %s without credentials (%s); add %s to secrets", what, r.host, c.deed.done, told, r.keys)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return orbit.Permanent(orbit.CodeDenied, "the credentials in secrets may not %s %s at %s (%s); check %s, and what they are allowed",
			c.deed.verb, what, r.host, told, r.keys)
	case word == "ContainerNotFound":
		return orbit.Permanent(orbit.CodeNotFound, "%s was not found at %s; check its name and the account", c.at.where(), r.host)
	case status == http.StatusNotFound, status == http.StatusGone:
		return orbit.Permanent(orbit.CodeNotFound, "%s was not found at %s; check bucket and path", what, r.host)
	case word == "BlobArchived", word == "BlobBeingRehydrated":
		return orbit.Permanent(orbit.CodeRejected, "%s is archived and cannot be %s at %s; restore it first", what, c.deed.done, r.host)
	}
	return orbit.Permanent(orbit.CodeRejected, "%s at %s rejects the request for %s (%s); check the path and the endpoint", r.title, r.host, what, told)
}

// maxWait caps what Retry-After may ask for: a run has a deadline.
const maxWait = time.Hour

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
