package apiclient

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// Satellites lists the satellites that clusters may use, page by page: those that are built in and those that projects have
// registered.
func (c *Client) Satellites(ctx context.Context) iter.Seq2[[]json.RawMessage, error] {
	return c.list(ctx, "/v1/satellites", Query{})
}

// Registered is the answer to the registration of a satellite.
type Registered struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Created bool   `json:"created"` // false: this very description was there already
}

// Register makes a satellite of a project known by its description.
func (c *Client) Register(ctx context.Context, name string, spec json.RawMessage) (*Registered, json.RawMessage, error) {
	var raw json.RawMessage
	r := request{method: http.MethodPut, path: satellitePath(name), body: spec, kind: "application/json"}
	status, err := c.call(ctx, r, &raw)
	if err != nil {
		return nil, nil, err
	}
	done := &Registered{}
	if err := json.Unmarshal(raw, done); err != nil {
		return nil, nil, &Foreign{URL: c.base, Request: r.method + " " + r.path, Status: status}
	}
	return done, raw, nil
}

// RemoveSatellite removes a registered satellite.
func (c *Client) RemoveSatellite(ctx context.Context, name string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: satellitePath(name)}, nil)
	return err
}

// satellitePath is where a satellite, project/name, lies in the API.
func satellitePath(name string) string {
	project, rest, _ := strings.Cut(name, "/")
	return "/v1/satellites/" + url.PathEscape(project) + "/" + url.PathEscape(rest)
}
