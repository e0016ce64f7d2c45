package llm

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// slow is a server in this process: it writes a piece of an answer whenever a time has passed, or only its first lines.
type slow struct {
	every  time.Duration
	pieces int
	stall  bool // after the pieces nothing comes any more
	silent bool // not even the answer's head
}

func (s *slow) RoundTrip(r *http.Request) (*http.Response, error) {
	if s.silent {
		<-r.Context().Done()
		return nil, context.Cause(r.Context())
	}
	in, out := io.Pipe()
	go func() {
		defer context.AfterFunc(r.Context(), func() { _ = out.CloseWithError(r.Context().Err()) })()
		for range s.pieces {
			select {
			case <-time.After(s.every):
			case <-r.Context().Done():
				return
			}
			if _, err := io.WriteString(out, `data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}`+"\n\n"); err != nil {
				return
			}
		}
		if s.stall {
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(out, `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":600}}`+"\n\ndata: [DONE]\n\n")
		_ = out.Close()
	}()
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: in, Request: r}, nil
}

func modelOf(t *testing.T, e Endpoint, from http.RoundTripper, log zerolog.Logger) *Model {
	t.Helper()
	e.URL, e.Model = "http://models.internal/v1", "m"
	m := New(Specs()[0], e, log)
	m.client.Transport = from
	return m
}

func ask(ctx context.Context, m *Model) (out orbit.Object, err error) {
	err = m.Run(ctx, &satellite.Invocation{Run: "r", Step: "s", Input: map[string]any{"prompt": "hello"}}, func(o orbit.Object) error { out = o; return nil })
	return out, err
}

func TestAnAnswerMayTakeLongAsLongAsItGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		out, err := ask(t.Context(), modelOf(t, Endpoint{}, &slow{every: 50 * time.Second, pieces: 30}, zerolog.Nop()))
		if err != nil || !bytes.Contains(out, []byte(strings.Repeat("x", 30))) || time.Since(begun) != 25*time.Minute {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
	})
}

func TestAnAnswerThatStopsComingIsGivenUp(t *testing.T) {
	for name, server := range map[string]*slow{"in the middle": {every: time.Second, pieces: 10, stall: true}, "before its first byte": {silent: true}, "between two pieces": {every: 2 * time.Minute, pieces: 2}} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			_, err := ask(t.Context(), modelOf(t, Endpoint{Idle: 30 * time.Second}, server, zerolog.Nop()))
			e := orbit.AsError(err)
			if e.Code != orbit.CodeTimeout || !e.Retryable || !strings.Contains(e.Message, "no byte has come from the model m at http://models.internal/v1 for 30s; raise idle-timeout of") {
				t.Errorf("%s: %+v", name, e)
			}
			if took := time.Since(begun); took < 30*time.Second || took > 41*time.Second {
				t.Errorf("%s: it took %s", name, took)
			}
		})
	}
}

func TestTheEndOfTheContextIsNoIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if _, err := ask(ctx, modelOf(t, Endpoint{}, &slow{silent: true}, zerolog.Nop())); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run returned %v", err)
		}
	})
}

func TestAtMostSoManyRequestsAreSentAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := modelOf(t, Endpoint{Concurrency: 4}, &slow{every: time.Second, pieces: 10}, zerolog.Nop())
		begun := time.Now()
		done := make(chan error)
		for range 20 {
			go func() { _, err := ask(t.Context(), m); done <- err }()
		}
		for range 20 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(begun); took != 50*time.Second {
			t.Errorf("20 answers of 10 s, 4 at once, took %s", took)
		}
	})
}

// refusing is a server in this process that is down but for the last requests.
type refusing struct {
	failures int
	header   string // Retry-After
	begun    time.Time
	at       []time.Duration
}

func (s *refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	s.at = append(s.at, time.Since(s.begun))
	if len(s.at) > s.failures {
		return (&slow{}).RoundTrip(r)
	}
	return &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {s.header}}, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

func TestAServerThatFailsIsLeftAloneForLongerAndLonger(t *testing.T) {
	for name, c := range map[string]struct {
		failures int
		header   string
		want     []time.Duration // when requests were sent
	}{
		"by itself":      {7, "", []time.Duration{0, 250, 750, 1750, 3750, 7750, 15750, 31750, 31750, 31750}},
		"it works again": {1, "", []time.Duration{0, 250, 250, 250, 250, 250, 250, 250, 250, 250}},
		"as it asks":     {2, "20", []time.Duration{0, 20_000, 40_000, 40_000, 40_000, 40_000, 40_000, 40_000, 40_000, 40_000}},
		"not for hours":  {1, "7200", []time.Duration{0, 30_000, 30_000, 30_000, 30_000, 30_000, 30_000, 30_000, 30_000, 30_000}},
	} {
		synctest.Test(t, func(t *testing.T) {
			server := &refusing{failures: c.failures, header: c.header, begun: time.Now()}
			m := modelOf(t, Endpoint{Concurrency: 1}, server, zerolog.Nop())
			failed := 0
			for range 10 {
				if _, err := ask(t.Context(), m); err != nil {
					failed++
				}
			}
			for i, at := range server.at {
				if at != c.want[i]*time.Millisecond {
					t.Errorf("%s: request %d was sent after %s", name, i, at)
				}
			}
			if failed != c.failures || len(server.at) != 10 {
				t.Errorf("%s: %d of %d have failed", name, failed, len(server.at))
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			m.rest.after(orbit.Transient(orbit.CodeUnavailable, "down"))
			m.rest.after(orbit.RetryAfter(time.Minute, orbit.CodeUnavailable, "down"))
			if _, err := ask(ctx, m); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: while it rests: %v", name, err)
			}
		})
	}
}

func TestThePaceOfABusyModelIsToldEachMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m := modelOf(t, Endpoint{Concurrency: 1}, &slow{every: time.Second, pieces: 10}, zerolog.New(&log))
		begun := time.Now()
		for range 13 { // 130 s
			if _, err := ask(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			if pace := m.Pace(); pace != 60 {
				t.Errorf("after %s the pace is %v", time.Since(begun), pace)
			}
		}
		time.Sleep(time.Hour)
		if pace := m.Pace(); pace > 0.2 {
			t.Errorf("an hour later it is %v", pace)
		}
		if _, err := ask(t.Context(), m); err != nil { // begins another minute, and does not end it
			t.Fatal(err)
		}
		const line = `{"level":"info","satellite":"exospherehost/deepseek-r1-distrill-llama-70b","items":6,"prompt-tokens":600,"completion-tokens":3600,"tokens-per-second":60,"busy":0,"message":"pace of the model"}` + "\n"
		if got := log.String(); got != line+line {
			t.Errorf("told:\n%s", got)
		}
		if got, want := m.Count(), (Count{14, 1400, 8400}); got != want {
			t.Errorf("%+v", got)
		}
	})
}
