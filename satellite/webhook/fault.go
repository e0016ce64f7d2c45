package webhook

import (
	"net/http"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// refusal turns an answer that is not 2xx into the error of the attempt.
func refusal(resp *http.Response, a *answer) *orbit.Error {
	last := resp.Request // after a redirect it is the last request that was refused
	if a.status >= 300 && a.status <= 399 && a.header.Get("Location") != "" {
		return orbit.Permanent(orbit.CodeRejected, "%s answered %s, which is not followed as follow-redirects is false", service.Name(last), strings.TrimSpace(resp.Status))
	}
	return exchange(last, 0).Refusal(a.status, resp.Status, a.header, a.text())
}

// fault judges why no answer came, or not all of one.
func fault(req *http.Request, limit time.Duration, err error) *orbit.Error {
	return exchange(req, limit).Fault(err)
}

// exchange says what the user of this satellite can do. Any service may be on the other side, so that 401 and 403 are
// refusals like any other: which field holds the key is not known.
func exchange(req *http.Request, limit time.Duration) *service.Exchange {
	return &service.Exchange{
		Name:        service.Name(req),
		Limit:       limit,
		Certificate: "mend it, or set verify-ssl: false for a server you trust",
		TooLarge:    "more than " + maxAnswer.String() + "; let it write a file and return the place",
	}
}
