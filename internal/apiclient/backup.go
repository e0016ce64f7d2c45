package apiclient

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// Backup opens the stream of a backup. An error of the stream is an *Unreachable. The caller closes it.
func (c *Client) Backup(ctx context.Context) (io.ReadCloser, error) {
	resp, err := c.send(ctx, request{method: http.MethodGet, path: "/v1/backup", accept: "application/octet-stream, application/json;q=0.9"})
	if err != nil {
		return nil, err
	}
	return &stream{ReadCloser: resp.Body, ctx: ctx, client: c}, nil
}

// Restore sends a backup of size bytes, or of an unknown number where size is negative. The answer comes when all of it is
// restored, however long that takes. What a gateway refuses before it has read anything is not sent.
func (c *Client) Restore(ctx context.Context, file io.Reader, size int64) (raw json.RawMessage, err error) {
	patient := *c
	if t, ok := c.http.Transport.(*http.Transport); ok {
		t = t.Clone()
		t.ResponseHeaderTimeout, t.ExpectContinueTimeout = 0, 10*time.Second
		patient.http = &http.Client{Transport: t}
		defer patient.Close()
	}
	r := request{method: http.MethodPost, path: "/v1/restore", kind: "application/octet-stream", stream: file, size: size}
	_, err = patient.call(ctx, r, &raw)
	return raw, err
}
