// Package service is how a satellite calls a service over HTTP, and how Orbit judges what goes wrong between them.
//
//	Call ──Client.Do──► Answer ──Refused──► *orbit.Error, or nil
//	           │
//	           └──► *orbit.Error: no answer came
//
// It owns the judgement whose fault a failure is, the waits that services ask for, and what of a URL may be shown. It
// refuses to retry: the error says whether another attempt may help, and the caller makes it.
package service

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/vault"
)

// limit is long for a request of a few kilobytes, and short for an item that is tried again.
const limit = 30 * time.Second

// Client sends requests to services and keeps connections open between them. It is safe for concurrent use.
type Client struct {
	Limit time.Duration // bounds a call that names no other; set before the first one

	http      *http.Client
	transport *http.Transport
}

// NewClient makes a client. It follows no redirect: the key of a service is meant for that service alone.
func NewClient() *Client {
	t := NewTransport(nil)
	return &Client{Limit: limit, transport: t, http: &http.Client{Transport: t, CheckRedirect: stay}}
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close closes the connections that wait to be used again. The client stays usable.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// NewTransport makes a transport with Orbit's patience; config may be nil.
func NewTransport(config *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       config,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
		MaxIdleConns:          256,
		MaxIdleConnsPerHost:   64, // a step usually sends all its items to one host; the stock 2 would dial anew for most of them
		IdleConnTimeout:       90 * time.Second,
	}
}

// Call is one request to a service.
type Call struct {
	Method  string
	URL     string
	Header  http.Header
	Body    []byte
	Limit   time.Duration // for all of it; 0: the client's
	Name    string        // what errors call it, where the URL's path is secret; "": method and URL, without the query
	Denied  string        // what to do when the key is refused: "check api-key"
	Secrets []string      // never shown, should the service repeat them
}

// Do sends a request and returns the answer, whatever its status. Its errors are an *orbit.Error, or that of ctx.
func (c *Client) Do(ctx context.Context, call *Call) (*Answer, error) {
	limit := call.Limit
	if limit == 0 {
		limit = c.Limit
	}
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, call.Method, call.URL, bytes.NewReader(call.Body))
	if err != nil { // the text is not repeated: a URL that cannot be read cannot be stripped of what is secret in it
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "the address of the service is no URL; write it like https://example.com/path")
	}
	for key, values := range call.Header {
		req.Header[key] = values
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", UserAgent)
	}
	exchange := call.exchange(req, limit)
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, exchange.Fault(err)
	}
	defer resp.Body.Close()
	body, err := readUpTo(resp.Body, maxAnswer)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil && !ok(resp.StatusCode) {
		return nil, exchange.Fault(err)
	}
	// After 2xx the request has been carried out, whatever becomes of the rest of the answer.
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body, line: resp.Status, exchange: exchange}, nil
}

// UserAgent is what Orbit calls itself.
const UserAgent = "exosphere-orbit"

func (call *Call) exchange(req *http.Request, limit time.Duration) *Exchange {
	e := &Exchange{Name: call.Name, Limit: limit, Denied: call.Denied, Certificate: "check the clock of the node, and what stands between it and the service"}
	if e.Name == "" {
		e.Name = Name(req)
	}
	secrets := make(map[string]string, len(call.Secrets))
	for _, s := range call.Secrets {
		secrets[s] = s
	}
	e.Mask = vault.NewMasker(secrets)
	return e
}
