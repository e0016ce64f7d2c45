package apiclient

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// Applied is the answer to the registration of a cluster.
type Applied struct {
	Identifier  string          `json:"identifier"`
	Version     string          `json:"version"`
	Created     bool            `json:"created"` // false: this very version was there already
	Diagnostics json.RawMessage `json:"diagnostics"`
}

// Apply registers a cluster: text is the YAML. A refusal of the file is an *orbit.Problem with status 422 and diagnostics.
func (c *Client) Apply(ctx context.Context, identifier string, text []byte) (*Applied, json.RawMessage, error) {
	var raw json.RawMessage
	r := request{method: http.MethodPut, path: clusterPath(identifier), body: text, kind: "application/yaml"}
	status, err := c.call(ctx, r, &raw)
	if err != nil {
		return nil, nil, err
	}
	applied := &Applied{}
	if err := json.Unmarshal(raw, applied); err != nil {
		return nil, nil, &Foreign{URL: c.base, Request: r.method + " " + r.path, Status: status}
	}
	return applied, raw, nil
}

// Cluster gives the document of a cluster.
func (c *Client) Cluster(ctx context.Context, identifier string) (raw json.RawMessage, err error) {
	_, err = c.call(ctx, request{method: http.MethodGet, path: clusterPath(identifier)}, &raw)
	return raw, err
}

// Delete removes a cluster.
func (c *Client) Delete(ctx context.Context, identifier string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: clusterPath(identifier)}, nil)
	return err
}

// clusterPath is where a cluster, project/name, lies in the API.
func clusterPath(identifier string) string {
	project, name, _ := strings.Cut(identifier, "/")
	return "/v1/clusters/" + url.PathEscape(project) + "/" + url.PathEscape(name)
}
