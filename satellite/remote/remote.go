// Package remote is a satellite that is an HTTP service of the user's: one POST for each attempt, with the request that a
// program gets on its stdin, and the answers of a program as its body.
//
//	Run ──POST Request──► service ──► 200 {"outputs": [{…}, …]}
//	                              ├─► 200 one Answer a line (application/x-ndjson), as they are made
//	                              └─► 4xx, 5xx {"error": {"code", "message", "retry", "retry_after"}}
//
// It owns the exchange and the judgement whose fault a failure is, which is that of call-webhook. It follows no redirect, for
// the request may hold secrets, and refuses to try again: the error says whether that may help.
package remote

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// Remote is the satellite. It keeps connections open between items; Close gives them up.
type Remote struct {
	spec   *satellite.Spec
	url    string
	client *http.Client
}

// New makes the satellite. It opens no connection.
func New(spec *satellite.Spec, url string) *Remote {
	return &Remote{spec: spec, url: url, client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConns:        256,
			MaxIdleConnsPerHost: 64, // all items go to one host
			IdleConnTimeout:     90 * time.Second,
		},
	}}
}

// Spec implements satellite.Satellite.
func (r *Remote) Spec() *satellite.Spec { return r.spec }

// Run sends one item and emits what the service returns.
func (r *Remote) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	key := inv.IdempotencyKey()
	body, err := satellite.NewRequest(key, inv).Encode()
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return orbit.Permanent(orbit.CodeInvalidConfig, "%s: no request can be made of its url; correct it in its satellite.yml", r.spec.Name)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, application/x-ndjson", "Idempotency-Key": key, "User-Agent": "exosphere-orbit"} {
		req.Header.Set(name, value)
	}
	resp, err := r.client.Do(req)
	if err == nil {
		defer resp.Body.Close()
		err = r.take(resp, inv, emit)
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return r.judged(err)
}

// Close closes the connections that wait to be used again. The satellite stays usable.
func (r *Remote) Close() error {
	r.client.CloseIdleConnections()
	return nil
}

// place is the service's address, without a query, which may hold a key.
func (r *Remote) place() string {
	u, err := url.Parse(r.url)
	if err != nil {
		return "its url"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
