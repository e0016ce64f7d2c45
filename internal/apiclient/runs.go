package apiclient

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Start is a request to start a run.
type Start struct {
	Payload json.RawMessage   `json:"payload"`           // nil is null
	Secrets map[string]string `json:"secrets,omitempty"` // values by the names that the cluster declares

	Key string `json:"-"` // idempotency key; empty: every call starts a run
}

// Start starts a run of a cluster, project/name, and gives its document.
func (c *Client) Start(ctx context.Context, identifier string, s Start) (raw json.RawMessage, err error) {
	if s.Payload == nil {
		s.Payload = json.RawMessage("null")
	}
	body, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	r := request{method: http.MethodPost, path: clusterPath(identifier) + "/runs", body: body, kind: "application/json", key: s.Key}
	_, err = c.call(ctx, r, &raw)
	return raw, err
}

// Run gives the document of a run. With a wait, the gateway answers when the run has ended, and after the wait at the latest.
func (c *Client) Run(ctx context.Context, id string, wait time.Duration) (raw json.RawMessage, err error) {
	r := request{method: http.MethodGet, path: runPath(id)}
	if wait > 0 {
		r.query = url.Values{"wait": {wait.String()}}
	}
	_, err = c.call(ctx, r, &raw)
	return raw, err
}

// Cancel cancels a run and gives its document.
func (c *Client) Cancel(ctx context.Context, id string) (raw json.RawMessage, err error) {
	_, err = c.call(ctx, request{method: http.MethodPost, path: runPath(id) + "/cancel"}, &raw)
	return raw, err
}

// Pause pauses a run and gives its document.
func (c *Client) Pause(ctx context.Context, id string) (raw json.RawMessage, err error) {
	_, err = c.call(ctx, request{method: http.MethodPost, path: runPath(id) + "/pause"}, &raw)
	return raw, err
}

// Resume lets a paused run go on and gives its document.
func (c *Client) Resume(ctx context.Context, id string) (raw json.RawMessage, err error) {
	_, err = c.call(ctx, request{method: http.MethodPost, path: runPath(id) + "/resume"}, &raw)
	return raw, err
}

// Retry does what failed of a run again, and gives the run's document. An empty satellite or item means any.
func (c *Client) Retry(ctx context.Context, id, satellite, item string) (raw json.RawMessage, err error) {
	body, err := json.Marshal(map[string]string{"satellite": satellite, "item": item})
	if err != nil {
		return nil, err
	}
	_, err = c.call(ctx, request{method: http.MethodPost, path: runPath(id) + "/retry", body: body}, &raw)
	return raw, err
}

// Why gives what a run waits for. item is one of its items, or a satellite; empty: all of it.
func (c *Client) Why(ctx context.Context, id, item string) (raw json.RawMessage, err error) {
	r := request{method: http.MethodGet, path: runPath(id) + "/why"}
	if item != "" {
		r.query = url.Values{"item": {item}}
	}
	_, err = c.call(ctx, r, &raw)
	return raw, err
}

// Outputs opens the stream of a run's outputs: one JSON object a line. An empty satellite asks for the leaf outputs. An
// error of the stream is an *Unreachable. The caller closes it.
func (c *Client) Outputs(ctx context.Context, id, satellite string) (io.ReadCloser, error) {
	r := request{method: http.MethodGet, path: runPath(id) + "/outputs", accept: "application/x-ndjson, application/json;q=0.9"}
	if satellite != "" {
		r.query = url.Values{"satellite": {satellite}}
	}
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	return &stream{ReadCloser: resp.Body, ctx: ctx, client: c}, nil
}

// stream gives the errors of a body their form.
type stream struct {
	io.ReadCloser
	ctx    context.Context
	client *Client
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = s.client.broken(s.ctx, err)
	}
	return n, err
}

func runPath(id string) string { return "/v1/runs/" + url.PathEscape(id) }
