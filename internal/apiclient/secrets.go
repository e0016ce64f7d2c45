package apiclient

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
)

// SetSecret stores a value in a project's vault, and gives what is told of it: no value.
func (c *Client) SetSecret(ctx context.Context, project, name, value string) (raw json.RawMessage, err error) {
	body, err := json.Marshal(map[string]string{"value": value})
	if err != nil {
		return nil, err
	}
	_, err = c.call(ctx, request{method: http.MethodPut, path: secretPath(project, name), body: body, kind: "application/json"}, &raw)
	return raw, err
}

// RemoveSecret removes a secret.
func (c *Client) RemoveSecret(ctx context.Context, project, name string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: secretPath(project, name)}, nil)
	return err
}

// Secrets lists the names of a project's secrets, page by page.
func (c *Client) Secrets(ctx context.Context, project string) iter.Seq2[[]json.RawMessage, error] {
	return c.list(ctx, "/v1/secrets/"+url.PathEscape(project), Query{})
}

func secretPath(project, name string) string {
	return "/v1/secrets/" + url.PathEscape(project) + "/" + url.PathEscape(name)
}
