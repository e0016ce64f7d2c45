package webhook_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/webhook"
)

func TestAnAnswerThatIsNot2xxIsAnErrorOfTheOneAtFault(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		retryAfter string
		body       string
		want       *orbit.Error
	}{
		"a bad request":         {400, "", "no such field\n  \"x\"", orbit.Permanent(orbit.CodeRejected, "POST URL/v1 answered 400 Bad Request: no such field \"x\"")},
		"an unknown place":      {404, "5", "", orbit.Permanent(orbit.CodeRejected, "POST URL/v1 answered 404 Not Found")},
		"a long story":          {422, "", strings.Repeat("é", 300), orbit.Permanent(orbit.CodeRejected, "POST URL/v1 answered 422 Unprocessable Entity: %s…", strings.Repeat("é", 200))},
		"not modified":          {304, "", "", orbit.Permanent(orbit.CodeRejected, "POST URL/v1 answered 304 Not Modified")},
		"a request's time-out":  {408, "", "", orbit.Transient(orbit.CodeUnavailable, "POST URL/v1 answered 408 Request Timeout")},
		"too early":             {425, "", "", orbit.Transient(orbit.CodeUnavailable, "POST URL/v1 answered 425 Too Early")},
		"too many, with a wait": {429, "7", "", orbit.RetryAfter(7*time.Second, orbit.CodeUnavailable, "POST URL/v1 answered 429 Too Many Requests")},
		"too long a wait":       {429, "99999999999", "", orbit.RetryAfter(time.Hour, orbit.CodeUnavailable, "POST URL/v1 answered 429 Too Many Requests")},
		"a date of the past":    {503, "Wed, 21 Oct 2015 07:28:00 GMT", "", orbit.Transient(orbit.CodeUnavailable, "POST URL/v1 answered 503 Service Unavailable")},
		"a date far ahead":      {503, "Wed, 21 Oct 2315 07:28:00 GMT", "", orbit.RetryAfter(time.Hour, orbit.CodeUnavailable, "POST URL/v1 answered 503 Service Unavailable")},
		"a nonsensical wait":    {500, "soon", "", orbit.Transient(orbit.CodeUnavailable, "POST URL/v1 answered 500 Internal Server Error")},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", c.retryAfter)
				w.WriteHeader(c.status)
				if c.body != "" {
					_, _ = io.WriteString(w, c.body)
				}
			})
			withSecrets := strings.Replace(server.URL, "http://", "http://user:pass@", 1) + "/v1?token=s3cret"
			_, err := run(t, &satellite.Invocation{Config: map[string]any{"url": withSecrets}})
			c.want.Message = strings.Replace(c.want.Message, "URL", server.URL, 1)
			wantError(t, err, c.want)
		})
	}
}

func TestAnExchangeThatFailsIsTriedAgainUnlessThatIsVain(t *testing.T) {
	release := make(chan struct{})
	slow := serve(t, func(w http.ResponseWriter, r *http.Request) { <-release })
	t.Cleanup(func() { close(release) }) // before the server's own clean-up, which waits for its handlers
	large := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.CopyN(w, zeros{}, 8<<20+1) })
	broken := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	})
	encrypted := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the client that hangs up
	encrypted.StartTLS()
	t.Cleanup(encrypted.Close)

	for name, c := range map[string]struct {
		config map[string]any
		want   *orbit.Error // its message: a part that must be there
	}{
		"a slow server":        {map[string]any{"url": slow.URL, "timeout": "30ms"}, orbit.Transient(orbit.CodeTimeout, "gave no full answer within 30ms")},
		"a timeout in seconds": {map[string]any{"url": slow.URL, "timeout": 0.03}, orbit.Transient(orbit.CodeTimeout, "gave no full answer within 30ms")},
		"a refused connection": {map[string]any{"url": refusedURL(t) + "/p?token=s3cret"}, orbit.Transient(orbit.CodeUnavailable, "/p cannot be reached: connection refused")},
		"half an answer":       {map[string]any{"url": broken.URL}, orbit.Transient(orbit.CodeUnavailable, "the connection was closed in the middle of the answer")},
		"an unknown authority": {map[string]any{"url": encrypted.URL}, orbit.Permanent(orbit.CodeRejected, "verify-ssl: false")},
		"too large an answer":  {map[string]any{"url": large.URL}, orbit.Permanent(orbit.CodeTooLarge, "answered with more than 8MiB")},
		"no URL":               {map[string]any{"url": "example.com/a"}, orbit.Permanent(orbit.CodeInvalidConfig, "url is no http or https URL")},
		"a URL of a file":      {map[string]any{"url": "file:///etc/hosts"}, orbit.Permanent(orbit.CodeInvalidConfig, "url is no http or https URL")},
		"an unreadable URL":    {map[string]any{"url": "http://a b:%zz/"}, orbit.Permanent(orbit.CodeInvalidConfig, "url is no http or https URL")},
		"an unknown method":    {map[string]any{"url": slow.URL, "method": "SEND"}, orbit.Permanent(orbit.CodeInvalidConfig, `method "SEND" is none of POST, GET`)},
		"a header of two lines": {map[string]any{"url": slow.URL, "headers": map[string]any{"X-A": "b\r\nX-C: d"}},
			orbit.Permanent(orbit.CodeInvalidConfig, `headers: "X-A" cannot be sent`)},
		"a nested parameter": {map[string]any{"url": slow.URL, "query-params": map[string]any{"a": map[string]any{}}},
			orbit.Permanent(orbit.CodeInvalidConfig, "query-params: a must be a string")},
		"body and form": {map[string]any{"url": slow.URL, "body": 1, "form-data": map[string]any{}},
			orbit.Permanent(orbit.CodeInvalidConfig, "body and form-data cannot both be sent")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, &satellite.Invocation{Config: c.config})
			var got *orbit.Error
			if !errors.As(err, &got) {
				t.Fatalf("Run returned %v", err)
			}
			if !strings.Contains(got.Message, c.want.Message) || strings.Contains(got.Message, "s3cret") {
				t.Errorf("message %q, want %q in it", got.Message, c.want.Message)
			}
			c.want.Message = got.Message
			wantError(t, err, c.want)
		})
	}
	if _, err := run(t, &satellite.Invocation{Config: map[string]any{"url": encrypted.URL, "verify-ssl": false}}); err != nil {
		t.Errorf("with verify-ssl: false: %v", err)
	}
}

func TestAnInputThatIsNoMapIsRefused(t *testing.T) {
	inv := &satellite.Invocation{Config: map[string]any{"url": "http://127.0.0.1:1"}, HasInput: true, Input: []any{1}}
	_, err := run(t, inv)
	wantError(t, err, orbit.Permanent(orbit.CodeInvalidInput, "input must be a map with body, query-params or form-data"))
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hangUp := make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(); <-hangUp })
	defer close(hangUp)
	w := webhook.New()
	defer w.Close()
	err := w.Run(ctx, &satellite.Invocation{Config: map[string]any{"url": server.URL}}, func(orbit.Object) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Run returned %v", err)
	}
}

// refusedURL is the address of a port that has just been closed.
func refusedURL(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

func wantError(t *testing.T, err error, want *orbit.Error) {
	t.Helper()
	var got *orbit.Error
	if !errors.As(err, &got) {
		t.Fatalf("Run returned %v, want %v", err, want)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("error (-want +got):\n%s", d)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
