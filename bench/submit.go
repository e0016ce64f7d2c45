package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// submitAll starts n runs, each by a request of its own, over the clients' connections, and gives their ids in about the
// order of their start. It shares the machine with what is measured, so it does as little as a client can: a general HTTP
// client would take a quarter of the processors.
func (m *mesh) submitAll(ctx context.Context, cluster string, n int) ([]string, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ids := make([]string, n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			s, err := newSubmitter(ctx, m.api, cluster)
			if err != nil {
				stop(err)
				return
			}
			defer s.conn.Close()
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if ids[i], err = s.submit(object(i)); err != nil {
					stop(fmt.Errorf("start run %d of %d: %w", i+1, n, err))
					return
				}
			}
		})
	}
	wg.Wait()
	return ids, context.Cause(ctx)
}

// submitter is one HTTP connection that starts runs of a cluster.
type submitter struct {
	conn net.Conn
	in   *bufio.Reader
	head string
	out  []byte
	body []byte
}

func newSubmitter(ctx context.Context, api *apiclient.Client, cluster string) (*submitter, error) {
	host := strings.TrimPrefix(api.URL(), "http://")
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return &submitter{conn: conn, in: bufio.NewReader(conn), head: fmt.Sprintf("POST /v1/clusters/%s/runs HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n", cluster, host)}, nil
}

// submit starts a run and gives its id. It returns once the answer is there: the run is accepted.
func (s *submitter) submit(payload orbit.Object) (id string, err error) {
	if s.body, err = payload.AppendJSON(append(s.body[:0], `{"payload":`...)); err != nil {
		return "", err
	}
	s.body = append(s.body, '}')
	s.out = append(fmt.Appendf(append(s.out[:0], s.head...), "Content-Length: %d\r\n\r\n", len(s.body)), s.body...)
	if _, err := s.conn.Write(s.out); err != nil {
		return "", err
	}
	resp, err := http.ReadResponse(s.in, nil)
	if err != nil {
		return "", err
	}
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusAccepted {
		return "", fmt.Errorf("%s: %s", resp.Status, answer)
	}
	rest, ok := bytes.CutPrefix(answer, []byte(`{"id":"`))
	end := bytes.IndexByte(rest, '"')
	if !ok || end < 0 || !json.Valid(answer) {
		return "", fmt.Errorf("an answer that is no run: %s", answer)
	}
	return string(rest[:end]), nil
}
