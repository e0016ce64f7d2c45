package apiclient

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strings"
)

// Triggers lists the triggers of all clusters, page by page.
func (c *Client) Triggers(ctx context.Context) iter.Seq2[[]json.RawMessage, error] {
	return c.list(ctx, "/v1/triggers", Query{})
}

// Fire starts a run now as a trigger would, and gives the run's document. name is project/name/trigger; payload is JSON, nil: none.
func (c *Client) Fire(ctx context.Context, name string, payload json.RawMessage) (raw json.RawMessage, err error) {
	var body []byte
	if payload != nil {
		if body, err = json.Marshal(map[string]json.RawMessage{"payload": payload}); err != nil {
			return nil, err
		}
	}
	_, err = c.call(ctx, request{method: http.MethodPost, path: triggerPath(name) + "/fire", body: body}, &raw)
	return raw, err
}

// PauseTrigger keeps a trigger from starting runs, and gives its document.
func (c *Client) PauseTrigger(ctx context.Context, name string) (raw json.RawMessage, err error) {
	_, err = c.call(ctx, request{method: http.MethodPost, path: triggerPath(name) + "/pause"}, &raw)
	return raw, err
}

// ResumeTrigger lets a paused trigger go on from now, and gives its document.
func (c *Client) ResumeTrigger(ctx context.Context, name string) (raw json.RawMessage, err error) {
	_, err = c.call(ctx, request{method: http.MethodPost, path: triggerPath(name) + "/resume"}, &raw)
	return raw, err
}

func triggerPath(name string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return "/v1/triggers/" + strings.Join(parts, "/")
}
