package pdf

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// unreachable is the error of a connection that failed.
func (d *doclingClient) unreachable(err error) error {
	if wrapped := new(url.Error); errors.As(err, &wrapped) {
		err = wrapped.Err // the URL is told below
	}
	return orbit.Transient(orbit.CodeUnavailable, "docling at %s can't be reached (%v): check that it runs", d.shown, err)
}

// refusal turns an HTTP error into whose fault it is.
func (d *doclingClient) refusal(res *http.Response, body []byte) error {
	detail := res.Status
	var told struct {
		Detail any `json:"detail"`
	}
	if json.Unmarshal(body, &told) == nil && told.Detail != nil {
		detail = fmt.Sprintf("%s, %.200v", res.Status, told.Detail)
	}
	switch code := res.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return orbit.Permanent(orbit.CodeDenied, "docling at %s refused this node (%s): check its API key", d.shown, detail)
	case code == http.StatusRequestEntityTooLarge:
		return orbit.Permanent(orbit.CodeTooLarge, "docling at %s takes no file of this size (%s): split the file", d.shown, detail)
	case service.Passing(code):
		return orbit.RetryAfter(service.RetryAfter(res.Header.Get("Retry-After"), time.Now()), orbit.CodeUnavailable,
			"docling at %s is not able to do this now (%s)", d.shown, detail)
	default:
		return orbit.Permanent(orbit.CodeRejected, "docling at %s refused the document (%s): check the file and the step's config", d.shown, detail)
	}
}
