package apiclient_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/internal/apiclient"
)

// follow gives what a client makes of a stream.
func follow(t *testing.T, answer string) (events []string, err error) {
	t.Helper()
	client := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") != "text/event-stream" || r.Header.Get("Last-Event-ID") != "7.1" || r.URL.RequestURI() != "/v1/runs/r/logs?level=warn" {
			t.Errorf("the request is %s, %v", r.URL.RequestURI(), r.Header)
		}
		_, _ = io.WriteString(w, answer)
	})
	for e, err := range client.FollowLogs(t.Context(), "r", apiclient.Query{Level: orbit.LogWarn}, "7.1") {
		if err != nil {
			return events, err
		}
		events = append(events, e.Name+" "+e.ID+" "+string(e.Data))
	}
	return events, nil
}

func TestAFollowedListIsCompleteOnlyWithItsEnd(t *testing.T) {
	const two = ":\n\nevent: log\nid: 7.2\ndata: {\"a\":1}\n\n:\n\nevent:log\nid:8.0\ndata:{}\nretry: 5\n\n"
	events, err := follow(t, two+"event: end\ndata: {}\n\nevent: log\ndata: never read\n\n")
	if got := strings.Join(events, ", "); err != nil || got != `log 7.2 {"a":1}, log 8.0 {}, end  {}` {
		t.Errorf("%s, %v", got, err)
	}
	for _, cut := range []string{two, two + "event: end\ndata: {}\n", ""} {
		events, err := follow(t, cut)
		var gone *apiclient.Unreachable
		if !errors.As(err, &gone) || !apiclient.Passing(err) || cut != "" && len(events) != 2 {
			t.Errorf("%q: %q, %v", cut, events, err)
		}
	}
	if _, err := follow(t, "event: log\ndata: "+strings.Repeat("x", 2<<20)); err == nil || apiclient.Passing(err) {
		t.Errorf("a line without an end: %v", err)
	}
}
