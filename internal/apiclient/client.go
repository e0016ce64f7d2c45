// Package apiclient speaks the HTTP API of a gateway: a base URL and a token in, the documents of package orbit out. It
// owns the way requests are made and the way their failures are told apart.
//
//	Client ──► Apply, Start, Run, Items, Outputs …
//	   └─────► *Unreachable | *orbit.Problem | *Foreign
//
// It refuses to retry: only the caller knows which request may be made twice.
package apiclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client makes requests to one gateway. It is safe for concurrent use.
type Client struct {
	base  string // without a slash at its end
	token string
	http  *http.Client
}

// Options of a client. Only URL must be given.
type Options struct {
	URL       string            // "http://127.0.0.1:7070"
	Token     string            // sent as a bearer token; empty: none is sent
	Transport http.RoundTripper // nil: plain HTTP over TCP
}

// answerLimit bounds the wait for the head of an answer: far more than the longest `wait` that a request asks for.
const answerLimit = time.Minute

// New makes a client. It opens no connection. The error is a sentence about the URL.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("%q is no URL of a gateway; write it like http://127.0.0.1:7070", o.URL)
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext, // a host that is down must not hold a person up
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: answerLimit,
			ForceAttemptHTTP2:     true,
		}
	}
	return &Client{base: strings.TrimRight(o.URL, "/"), token: o.Token, http: &http.Client{Transport: o.Transport}}, nil
}

// URL is the address of the gateway.
func (c *Client) URL() string { return c.base }

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// request is one call of the API.
type request struct {
	method string
	path   string // below the base, each part escaped
	query  url.Values
	body   []byte
	kind   string    // media type of the body
	accept string    // empty: JSON
	key    string    // Idempotency-Key
	after  string    // Last-Event-ID
	stream io.Reader // instead of body, where that is long
	size   int64     // of stream; negative: not known
}

// maxAnswer bounds an answer that is read as a whole. Lists come in pages, so none comes near.
const maxAnswer = 256 << 20

// call makes a request and decodes the answer into out, unless that is nil. The status is that of a success.
func (c *Client) call(ctx context.Context, r request, out any) (status int, err error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return 0, c.broken(ctx, err)
	}
	if out == nil {
		return resp.StatusCode, nil
	}
	if raw, ok := out.(*json.RawMessage); ok && json.Valid(text) {
		*raw = text
		return resp.StatusCode, nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return 0, &Foreign{URL: c.base, Request: r.method + " " + r.path, Status: resp.StatusCode}
	}
	return resp.StatusCode, nil
}

// send makes a request; a status of failure comes as an error. The caller closes the body.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	var body io.Reader = bytes.NewReader(r.body)
	if r.stream != nil {
		body = r.stream
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, err
	}
	if r.stream != nil {
		req.ContentLength = r.size
		req.Header.Set("Expect", "100-continue")
	}
	for name, value := range map[string]string{"Accept": r.accept, "Content-Type": r.kind, "Idempotency-Key": r.key, "Last-Event-ID": r.after} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if r.accept == "" {
		req.Header.Set("Accept", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.broken(ctx, err)
	}
	if resp.StatusCode/100 != 2 {
		defer resp.Body.Close()
		return nil, c.refusal(r, resp)
	}
	return resp, nil
}
