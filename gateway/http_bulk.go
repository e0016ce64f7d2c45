package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"sync"
	"time"

	"github.com/exospherehost/orbit"
)

const (
	jsonLines = "application/jsonl"
	// bulkAhead is the number of runs of one request that are being accepted at once: enough to keep the server busy, and
	// their answers are little memory.
	bulkAhead = 256
)

// isBulk tells whether a request starts a run with each line of its body.
func isBulk(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && (kind == jsonLines || kind == "application/x-ndjson")
}

// bulkLine is one line of such a body.
type bulkLine struct {
	startBody
	Key string `json:"idempotency_key"`
}

// postRuns starts a run with each line of the body, and answers each with a line, in order: the run, or the problem that it
// met. What stands in the answer as a run is accepted, whatever becomes of the rest of the request.
func (g *Gateway) postRuns(w http.ResponseWriter, r *http.Request) error {
	control := http.NewResponseController(w)
	if err := control.EnableFullDuplex(); err != nil && !errors.Is(err, http.ErrNotSupported) { // answers begin before the body has ended
		return err
	}
	ctx, stop := context.WithCancel(r.Context())
	var wg sync.WaitGroup
	over := false // every line is answered
	defer func() {
		stop()
		if !over { // the reader may still wait for the body
			_ = control.SetReadDeadline(time.Now()) // an error means that the connection is gone, and the body with it
		}
		wg.Wait()
	}()
	name := clusterName(r)
	answers := make(chan chan []byte, bulkAhead)
	wg.Go(func() { // ends with the body, or with ctx
		defer close(answers)
		lines := bufio.NewScanner(r.Body)
		lines.Buffer(make([]byte, 0, 64<<10), maxBody)
		for n := 1; lines.Scan(); n++ {
			line := bytes.TrimSpace(lines.Bytes())
			if len(line) == 0 {
				continue
			}
			var req bulkLine
			bad := json.Unmarshal(line, &req)
			answer := make(chan []byte, 1)
			select {
			case answers <- answer:
			case <-ctx.Done():
				return
			}
			if bad != nil {
				answer <- g.line(nil, badRequest("line %d is not JSON of the form {\"payload\": …, \"idempotency_key\": \"…\"}: %s", n, bad))
				continue
			}
			wg.Go(func() {
				doc, err := g.launch(ctx, LaunchRequest{Cluster: name, Payload: req.Payload, Secrets: req.Secrets, Key: req.Key, Trigger: "api-call"})
				if err != nil {
					answer <- g.line(nil, err)
					return
				}
				run, err := g.view(ctx, doc)
				answer <- g.line(run, err)
			})
		}
		if err := lines.Err(); err != nil && ctx.Err() == nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = problem(http.StatusRequestEntityTooLarge, "a line has more than %d bytes; the lines after it were not read", maxBody)
			}
			answer := make(chan []byte, 1)
			answer <- g.line(nil, err)
			select {
			case answers <- answer:
			case <-ctx.Done():
			}
		}
	})
	w.Header().Set("Content-Type", jsonLines)
	out := bufio.NewWriterSize(w, 64<<10)
	for answer := range answers {
		select {
		case line := <-answer:
			_, _ = out.Write(line) // an error stays in the writer
		case <-ctx.Done():
			return nil
		}
		if len(answers) == 0 { // whoever waits for each answer gets it
			if out.Flush() != nil || control.Flush() != nil {
				return nil // the caller is gone
			}
		}
	}
	over = true
	_ = out.Flush() // an error means that the caller is gone
	return nil
}

// line is the answer to one line.
func (g *Gateway) line(run *orbit.Run, err error) []byte {
	var body []byte
	if err == nil {
		body, err = encode(run)
	}
	if err != nil {
		p := asProblem(err)
		if p.Status == http.StatusInternalServerError {
			g.log.Error().Err(err).Msg("run not started")
		}
		body, _ = json.Marshal(p) // text and numbers
	}
	return append(body, '\n')
}
