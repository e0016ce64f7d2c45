package apiclient_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/exospherehost/orbit/internal/apiclient"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gateway serves a handler over TCP and gives a client of it.
func gateway(t *testing.T, h http.HandlerFunc) *apiclient.Client {
	t.Helper()
	server := httptest.NewServer(h)
	client, err := apiclient.New(apiclient.Options{URL: server.URL + "/", Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client
}

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"data": [{"name": "a", "state": "alive"}], "next": null}`)
	}))
	defer server.Close()
	client, err := apiclient.New(apiclient.Options{URL: server.URL})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	for page, err := range client.Nodes(context.Background()) {
		fmt.Println(len(page), err)
	}
	// Output: 1 <nil>
}

func TestRequestsAreThoseOfTheAPI(t *testing.T) {
	var got []string
	client := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		got = append(got, fmt.Sprintf("%s %s %s %q key=%s auth=%s", r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), text,
			r.Header.Get("Idempotency-Key"), r.Header.Get("Authorization")))
		_, _ = io.WriteString(w, `{"identifier": "a/b", "version": "v", "created": true}`)
	})
	ctx := t.Context()
	_, _, err1 := client.Apply(ctx, "a/b", []byte("x: y"))
	_, err2 := client.Start(ctx, "a/b", apiclient.Start{Secrets: map[string]string{"K": "v"}, Key: "k"})
	_, err3 := client.Run(ctx, "r 1", 500*time.Millisecond)
	_, err4 := client.Cancel(ctx, "r")
	err5 := client.Delete(ctx, "a/b")
	_, err6 := client.Why(ctx, "r", "")
	_, err7 := client.Why(ctx, "r", "parse-pdf/0.17")
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`PUT /v1/clusters/a/b application/yaml "x: y" key= auth=Bearer t`,
		`POST /v1/clusters/a/b/runs application/json "{\"payload\":null,\"secrets\":{\"K\":\"v\"}}" key=k auth=Bearer t`,
		`GET /v1/runs/r%201?wait=500ms  "" key= auth=Bearer t`,
		`POST /v1/runs/r/cancel  "" key= auth=Bearer t`,
		`DELETE /v1/clusters/a/b  "" key= auth=Bearer t`,
		`GET /v1/runs/r/why  "" key= auth=Bearer t`,
		`GET /v1/runs/r/why?item=parse-pdf%2F0.17  "" key= auth=Bearer t`,
	}
	if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); a != b {
		t.Errorf("requests:\n%s\nwant:\n%s", a, b)
	}
}

func TestListsFollowTheirCursorsUpToTheLimit(t *testing.T) {
	var asked []string
	client := gateway(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.RawQuery)
		_ = json.NewEncoder(w).Encode(map[string]any{"data": []int{1, 2}, "next": fmt.Sprintf("c%d", len(asked))})
	})
	n := 0
	for page, err := range client.Items(t.Context(), "r", apiclient.Query{State: "failed", Limit: 5}) {
		if err != nil {
			t.Fatal(err)
		}
		n += len(page)
	}
	want := "limit=5&state=failed cursor=c1&limit=3&state=failed cursor=c2&limit=1&state=failed"
	if got := strings.Join(asked, " "); n != 5 || got != want {
		t.Errorf("%d entries of %s, want %s", n, got, want)
	}
}

func TestFailuresAreToldApart(t *testing.T) {
	for name, c := range map[string]struct {
		status  int
		kind    string
		body    string
		want    string // the error's sentence, without what names the server
		passing bool
	}{
		"a problem":          {404, "application/problem+json", `{"title": "Not found", "detail": "there is no run r", "status": 404}`, "there is no run r", false},
		"a title alone":      {503, "application/problem+json; charset=utf-8", `{"title": "Starting"}`, "Starting", true},
		"no token":           {401, "text/plain", "who are you", "a token is needed", false},
		"a proxy":            {502, "text/html", "<html>", "its answer to GET /v1/runs/r was 502 Bad Gateway; check --gateway", true},
		"another program":    {404, "text/html", "<html>", "its answer to GET /v1/runs/r was 404 Not Found; check --gateway", false},
		"no JSON":            {200, "application/json", "hello", "its answer to GET /v1/runs/r was 200 OK; check --gateway", false},
		"JSON of no problem": {500, "application/json", `[1]`, "its answer to GET /v1/runs/r was 500 Internal Server Error; check --gateway", false},
	} {
		t.Run(name, func(t *testing.T) {
			client := gateway(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			_, err := client.Run(t.Context(), "r", 0)
			if err == nil || !strings.HasSuffix(err.Error(), c.want) || apiclient.Passing(err) != c.passing {
				t.Errorf("error %v, passing %v", err, apiclient.Passing(err))
			}
		})
	}
}

func TestAGatewayThatDoesNotAnswerIsUnreachable(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	client, err := apiclient.New(apiclient.Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Run(t.Context(), "r", 0)
	var gone *apiclient.Unreachable
	if !errors.As(err, &gone) || gone.URL != server.URL || !apiclient.Passing(err) {
		t.Errorf("error %v", err)
	}
}

func TestAStreamThatBreaksIsNoEnd(t *testing.T) {
	client := gateway(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "{}\n")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	body, err := client.Outputs(t.Context(), "r", "jq")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if string(text) != "{}\n" || !apiclient.Passing(err) {
		t.Errorf("read %q, error %v", text, err)
	}
}

func TestACallerWhoHasGivenUpGetsTheContextsError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client := gateway(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err := client.Run(ctx, "r", 0)
	if !errors.Is(err, context.Canceled) || apiclient.Passing(err) {
		t.Errorf("error %v", err)
	}
}

func TestAddressesOfGateways(t *testing.T) {
	for url, ok := range map[string]bool{"http://127.0.0.1:7070": true, "https://orbit.example.com/base/": true, "127.0.0.1:7070": false, "ftp://a": false, "http://": false, "": false} {
		if _, err := apiclient.New(apiclient.Options{URL: url}); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
}
