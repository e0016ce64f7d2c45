package llm

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/exospherehost/orbit"
)

var (
	// errIdle is the cause where no byte has come for the endpoint's idle time.
	errIdle = errors.New("no byte has come")
	// errLong marks an answer past its bounds.
	errLong = errors.New("the answer is too long")
)

// ask sends the question and gives the answer. Where the server refuses a part of the request that can be left out or made
// smaller, it is asked again without: each of these once.
func (m *Model) ask(ctx context.Context, q *question) (*answer, error) {
	for {
		r := m.newRequest(q)
		a, no, err := m.send(ctx, q, r)
		switch {
		case err != nil:
			return nil, err
		case no == nil:
			m.learnSize(q, a)
			q.limit = r.limit()
			return a, nil
		case !m.yield(q, r, no):
			return nil, m.judge(no)
		}
	}
}

// send makes one request. Exactly one of its results is not nil.
func (m *Model) send(ctx context.Context, q *question, r *request) (*answer, *refusal, error) {
	exchange, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	req, err := m.http(exchange, q, r)
	if err != nil {
		return nil, nil, err
	}
	quiet := time.AfterFunc(m.endpoint.Idle, func() { cancel(errIdle) })
	defer quiet.Stop()
	resp, err := m.client.Do(req)
	if err != nil {
		return nil, nil, m.fault(ctx, exchange, err)
	}
	defer resp.Body.Close()
	body := &heard{resp.Body, quiet, m.endpoint.Idle}
	if resp.StatusCode != http.StatusOK {
		no, err := readRefusal(resp, body)
		if err != nil {
			return nil, nil, m.fault(ctx, exchange, err)
		}
		return nil, no, nil
	}
	a, no, err := readAnswer(resp.Header.Get("Content-Type"), body)
	if a != nil {
		q.used.add(a.used)
	}
	if err != nil {
		return nil, nil, m.fault(ctx, exchange, err)
	}
	if no != nil {
		return nil, no, nil
	}
	if a.finish == "content_filter" {
		return nil, nil, orbit.Permanent(orbit.CodeRejected, "%s withheld its answer (finish_reason content_filter)", m.name())
	}
	return a, nil, nil
}

// heard begins the idle time anew with each byte.
type heard struct {
	from  io.Reader
	quiet *time.Timer
	limit time.Duration
}

func (h *heard) Read(p []byte) (int, error) {
	n, err := h.from.Read(p)
	if n > 0 {
		h.quiet.Reset(h.limit)
	}
	return n, err
}

// learnSize notes how many tokens the bytes of a prompt took. Of a short one most are the template's.
func (m *Model) learnSize(q *question, a *answer) {
	const long = 1024
	if size := q.size(); a.used.told && size >= long {
		m.learned.mu.Lock()
		m.learned.perByte = max(m.learned.perByte, float64(a.used.prompt)/float64(size))
		m.learned.mu.Unlock()
	}
}
