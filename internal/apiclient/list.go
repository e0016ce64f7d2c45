package apiclient

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/exospherehost/orbit"
)

// pageSize is the number of entries asked for at once: an answer stays well below a megabyte for all but items with
// large objects, and a list of 100,000 takes 200 requests.
const pageSize = 500

// Query narrows a list. Zero fields ask for nothing.
type Query struct {
	Cluster   string         // of runs: project/name
	Satellite string         // of items and log records
	State     string         // of items and runs
	States    []string       // of runs: any of them
	Level     orbit.LogLevel // of log records: the least
	Limit     int            // entries in all; 0: no limit
}

// Clusters lists the registered clusters, page by page.
func (c *Client) Clusters(ctx context.Context) iter.Seq2[[]json.RawMessage, error] {
	return c.list(ctx, "/v1/clusters", Query{})
}

// Runs lists runs, page by page.
func (c *Client) Runs(ctx context.Context, q Query) iter.Seq2[[]json.RawMessage, error] {
	return c.list(ctx, "/v1/runs", q)
}

// Items lists the items of a run, page by page.
func (c *Client) Items(ctx context.Context, run string, q Query) iter.Seq2[[]json.RawMessage, error] {
	return c.list(ctx, runPath(run)+"/items", q)
}

// Logs lists what was said about the items of a run, page by page.
func (c *Client) Logs(ctx context.Context, run string, q Query) iter.Seq2[[]json.RawMessage, error] {
	return c.list(ctx, runPath(run)+"/logs", q)
}

// Events lists what happened to a run, page by page.
func (c *Client) Events(ctx context.Context, run string) iter.Seq2[[]json.RawMessage, error] {
	return c.list(ctx, runPath(run)+"/events", Query{})
}

// Nodes lists the machines of the mesh, page by page.
func (c *Client) Nodes(ctx context.Context) iter.Seq2[[]json.RawMessage, error] {
	return c.list(ctx, "/v1/nodes", Query{})
}

// Queues lists the queues of work, page by page.
func (c *Client) Queues(ctx context.Context) iter.Seq2[[]json.RawMessage, error] {
	return c.list(ctx, "/v1/queues", Query{})
}

// list follows the cursors of a list. An error ends it.
func (c *Client) list(ctx context.Context, path string, q Query) iter.Seq2[[]json.RawMessage, error] {
	return func(yield func([]json.RawMessage, error) bool) {
		query := q.values()
		for left := q.Limit; ; {
			size := pageSize
			if q.Limit > 0 {
				size = min(size, left)
			}
			query.Set("limit", strconv.Itoa(size))
			var page struct {
				Data []json.RawMessage `json:"data"`
				Next *string           `json:"next"`
			}
			if _, err := c.call(ctx, request{method: http.MethodGet, path: path, query: query}, &page); err != nil {
				yield(nil, err)
				return
			}
			if q.Limit > 0 && len(page.Data) > left {
				page.Data = page.Data[:left]
			}
			left -= len(page.Data)
			if !yield(page.Data, nil) || page.Next == nil || *page.Next == "" || (q.Limit > 0 && left == 0) {
				return
			}
			query.Set("cursor", *page.Next)
		}
	}
}

func (q Query) values() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"cluster": q.Cluster, "satellite": q.Satellite, "state": q.State, "level": string(q.Level)} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for _, state := range q.States {
		v.Add("state", state)
	}
	return v
}
