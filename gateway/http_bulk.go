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

// bulkStart is a line that is being answered.
type bulkStart struct {
	bulkLine
	answer chan []byte
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
		idle := make(chan bulkStart) // to a goroutine that has nothing to do: its stack has grown already
		defer close(idle)
		lines := bufio.NewScanner(r.Body)
		lines.Buffer(make([]byte, 0, 64<<10), maxBody)
		for n := 1; lines.Scan(); n++ {
			line := bytes.TrimSpace(lines.Bytes())
			if len(line) == 0 {
				continue
			}
			s := bulkStart{answer: make(chan []byte, 1)}
			bad := json.Unmarshal(line, &s.bulkLine)
			select {
			case answers <- s.answer:
			case <-ctx.Done():
				return
			}
			if bad != nil {
				s.answer <- g.line(nil, badRequest("line %d is not JSON of the form {\"payload\": …, \"idempotency_key\": \"…\"}: %s", n, bad))
				continue
			}
			select {
			case idle <- s:
			default:
				wg.Go(func() {
					for more := true; more; s, more = <-idle {
						s.answer <- g.startLine(ctx, name, s.bulkLine)
					}
				})
			}
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

// startLine starts the run that a line asks for.
func (g *Gateway) startLine(ctx context.Context, cluster string, req bulkLine) []byte {
	doc, err := g.launch(ctx, LaunchRequest{Cluster: cluster, Payload: req.Payload, Secrets: req.Secrets, Key: req.Key, Trigger: "api-call"})
	if err != nil {
		return g.line(nil, err)
	}
	run, err := g.view(ctx, doc)
	return g.line(run, err)
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
