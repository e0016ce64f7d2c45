package webhook

import (
	"context"
	"crypto/tls"
	"net/http"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// clients holds one HTTP client for each combination of follow-redirects and verify-ssl. The two transports are shared
// by all items, so that connections are used again.
type clients struct {
	verifying, trusting *http.Transport
	byOptions           map[options]*http.Client
}

type options struct{ follow, verify bool }

func newClients() *clients {
	c := &clients{verifying: service.NewTransport(nil), trusting: service.NewTransport(&tls.Config{InsecureSkipVerify: true}), byOptions: map[options]*http.Client{}}
	for _, follow := range []bool{true, false} {
		redirect := stay
		if follow {
			redirect = checkRedirect
		}
		c.byOptions[options{follow, true}] = &http.Client{Transport: c.verifying, CheckRedirect: redirect}
		c.byOptions[options{follow, false}] = &http.Client{Transport: c.trusting, CheckRedirect: redirect}
	}
	return c
}

func (c *clients) pick(config map[string]any) *http.Client {
	return c.byOptions[options{follow: config["follow-redirects"] != false, verify: config["verify-ssl"] != false}]
}

func (c *clients) close() {
	c.verifying.CloseIdleConnections()
	c.trusting.CloseIdleConnections()
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// maxRedirects is what browsers and net/http allow in order of magnitude; more is a loop.
const maxRedirects = 10

// checkRedirect follows within http and https, never from https back to http. Beyond the first host the user's own
// headers stay behind: they often hold a key that is meant for that host alone.
func checkRedirect(req *http.Request, via []*http.Request) error {
	last := via[len(via)-1]
	switch {
	case len(via) > maxRedirects:
		return orbit.Permanent(orbit.CodeRejected, "%s redirects more than %d times", service.Name(via[0]), maxRedirects)
	case req.URL.Scheme != last.URL.Scheme && (last.URL.Scheme != "http" || req.URL.Scheme != "https"):
		return orbit.Permanent(orbit.CodeRejected, "%s redirects to %s, from %s to %s, which is not followed", service.Name(last), service.Bare(req.URL), last.URL.Scheme, req.URL.Scheme)
	}
	if req.URL.Host != via[0].URL.Host {
		for key := range sentHeaders(req.Context()) {
			if key != "Content-Type" && key != "Accept" {
				req.Header.Del(key)
			}
		}
	}
	return nil
}

type headersKey struct{}

// withSentHeaders remembers which headers the config has set, for checkRedirect.
func withSentHeaders(ctx context.Context, names map[string]bool) context.Context {
	return context.WithValue(ctx, headersKey{}, names)
}

func sentHeaders(ctx context.Context) map[string]bool {
	names, _ := ctx.Value(headersKey{}).(map[string]bool)
	return names
}
