package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// submitBulk starts n runs in one request, a line each, and gives their ids in the order of the lines.
func (m *mesh) submitBulk(ctx context.Context, cluster string, n int) ([]string, error) {
	body, out := io.Pipe()
	go func() {
		w := bufio.NewWriterSize(out, 64<<10)
		var line []byte
		for i := range n {
			line, _ = object(i).AppendJSON(append(line[:0], `{"payload":`...)) // our own object
			_, _ = w.Write(append(line, "}\n"...))                             // an error stays in w
		}
		out.CloseWithError(w.Flush()) // nil: the end of the body
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.api.URL()+"/v1/clusters/"+cluster+"/runs", body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/jsonl")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	ids := make([]string, 0, n)
	for in := bufio.NewScanner(resp.Body); in.Scan(); {
		rest, ok := bytes.CutPrefix(in.Bytes(), []byte(`{"id":"`))
		end := bytes.IndexByte(rest, '"')
		if !ok || end < 0 {
			return nil, fmt.Errorf("start run %d of %d: %s", len(ids)+1, n, in.Bytes())
		}
		ids = append(ids, string(rest[:end]))
	}
	if len(ids) != n {
		return nil, fmt.Errorf("%d of %d runs were started; %s", len(ids), n, resp.Status)
	}
	return ids, nil
}

// submission is a way to start many runs.
type submission struct {
	name   string
	submit func(*mesh, context.Context, string, int) ([]string, error)
}

var howSubmitted = []submission{
	{"a request each", (*mesh).submitAll},
	{"in one request", (*mesh).submitBulk},
}
