package service_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAnswersAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		retryAfter string
		body       string
		want       *orbit.Error
	}{
		"taken":                {202, "", "", nil},
		"a bad request":        {400, "", "no", orbit.Permanent(orbit.CodeRejected, "POST URL/v1 answered 400 Bad Request: no")},
		"an unknown key":       {401, "", "key t0p-s3cret is wrong", orbit.Permanent(orbit.CodeDenied, "POST URL/v1 answered 401 Unauthorized: key *** is wrong; check api-key")},
		"a key that may not":   {403, "", "", orbit.Permanent(orbit.CodeDenied, "POST URL/v1 answered 403 Forbidden; check api-key")},
		"too large":            {413, "", "", orbit.Permanent(orbit.CodeTooLarge, "POST URL/v1 answered 413 Request Entity Too Large")},
		"too many":             {429, "7", "", orbit.RetryAfter(7*time.Second, orbit.CodeUnavailable, "POST URL/v1 answered 429 Too Many Requests")},
		"a moved service":      {302, "", "", orbit.Permanent(orbit.CodeRejected, "POST URL/v1 answered 302 Found")},
		"a service in trouble": {503, "", "<html>\n sorry", orbit.Transient(orbit.CodeUnavailable, "POST URL/v1 answered 503 Service Unavailable: <html> sorry")},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", c.retryAfter)
				w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			client := service.NewClient()
			defer client.Close()
			answer, err := client.Do(context.Background(), &service.Call{Method: "POST", URL: server.URL + "/v1?key=t0p-s3cret", Denied: "check api-key", Secrets: []string{"t0p-s3cret"}})
			if err != nil {
				t.Fatal(err)
			}
			err = answer.Refused()
			if c.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var got *orbit.Error
			if !errors.As(err, &got) {
				t.Fatalf("Refused returned %v", err)
			}
			c.want.Message = strings.Replace(c.want.Message, "URL", server.URL, 1)
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("error (-want +got):\n%s", d)
			}
		})
	}
}

func TestWhereNoAnswerCameItIsTriedAgain(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer slow.Close()
	defer close(release)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	client := service.NewClient()
	defer client.Close()
	for url, want := range map[string]string{
		slow.URL + "/a?key=t0p-s3cret": "gave no full answer within 30ms",
		gone.URL + "/a?key=t0p-s3cret": "cannot be reached: connection refused",
		"http://a b/t0p-s3cret":        "the address of the service is no URL",
	} {
		_, err := client.Do(context.Background(), &service.Call{Method: "GET", URL: url, Limit: 30 * time.Millisecond})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := client.Do(ctx, &service.Call{Method: "GET", URL: gone.URL}); !errors.Is(err, context.Canceled) {
		t.Errorf("Do returned %v after its context", err)
	}
}

func TestAHugeAnswerIsReadInPart(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.CopyN(w, zeros{}, 3<<20) }))
	defer server.Close()
	client := service.NewClient()
	defer client.Close()
	answer, err := client.Do(context.Background(), &service.Call{Method: "GET", URL: server.URL})
	if err != nil || !answer.OK() || len(answer.Body) != 1<<20 {
		t.Errorf("%v, %v", answer, err)
	}
}

func TestWaitsAreReadFromSecondsAndDates(t *testing.T) {
	now := time.Date(2006, 1, 2, 15, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "-3": 0, "soon": 0, " 7 ": 7 * time.Second, "4000": time.Hour, "99999999999999999999": 0,
		"Mon, 02 Jan 2006 15:04:05 GMT": 4*time.Minute + 5*time.Second, "Mon, 02 Jan 2006 14:04:05 GMT": 0, "Mon, 02 Jan 2126 15:04:05 GMT": time.Hour,
	} {
		if got := service.RetryAfter(header, now); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestTextsAreCutBetweenCharacters(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{{"abc", 3, "abc"}, {"abcdef", 5, "ab…"}, {"éééé", 6, "é…"}, {"éééé", 2, ""}, {"", 0, ""}} {
		if got := service.Cut(c.text, c.most); got != c.want {
			t.Errorf("Cut(%q, %d) is %q", c.text, c.most, got)
		}
	}
	if got := service.CutRunes("ééé", 2); got != "é…" {
		t.Error(got)
	}
}

func TestAnEndpointMayEndInThePathOfTheAPI(t *testing.T) {
	for base, want := range map[string]string{"http://a": "http://a/v1/x", "http://a/": "http://a/v1/x", "http://a/v1/x": "http://a/v1/x", "http://a/p": "http://a/p/v1/x"} {
		if got := service.At(base, "/v1/x"); got != want {
			t.Errorf("%s: %s", base, got)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
