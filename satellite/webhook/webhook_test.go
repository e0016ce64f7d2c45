package webhook_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"stored": true}`)
	}))
	defer server.Close()
	w := webhook.New()
	defer w.Close()
	inv := &satellite.Invocation{Config: map[string]any{"url": server.URL}, HasInput: true, Input: map[string]any{"body": []any{1, 2}}}
	err := w.Run(context.Background(), inv, func(o orbit.Object) error {
		v, _ := o.Value()
		answer := v.(map[string]any)
		fmt.Println(answer["status"], answer["body"])
		return nil
	})
	fmt.Println(err)
	// Output:
	// 200 map[stored:true]
	// <nil>
}

// heard is what a server saw of a request.
type heard struct{ Method, Query, Type, Body string }

func TestRunSendsWhatConfigAndInputSay(t *testing.T) {
	incoming := map[string]any{"file": "a.pdf", "n": 1}
	const (
		jsonType = "application/json"
		textType = "text/plain; charset=utf-8"
		formType = "application/x-www-form-urlencoded"
	)
	for name, c := range map[string]struct {
		config map[string]any
		input  any // nil: the step has none, and it is the incoming object
		want   heard
	}{
		"a list as it is":             {map[string]any{"body": []any{map[string]any{"data": map[string]any{"x": 1.5}, "file-path": "a & b"}}}, nil, heard{"POST", "", jsonType, `[{"data":{"x":1.5},"file-path":"a & b"}]`}},
		"a string as text":            {nil, map[string]any{"body": "hello"}, heard{"POST", "", textType, "hello"}},
		"a string of a given type":    {map[string]any{"body": "<a/>", "headers": map[string]any{"content-type": "text/xml"}}, nil, heard{"POST", "", "text/xml", "<a/>"}},
		"null as JSON":                {map[string]any{"body": nil}, nil, heard{"POST", "", jsonType, "null"}},
		"input over config":           {map[string]any{"body": 1}, map[string]any{"body": true}, heard{"POST", "", jsonType, "true"}},
		"input's form over body":      {map[string]any{"body": 1}, map[string]any{"form-data": map[string]any{"a": 1}}, heard{"POST", "", formType, "a=1"}},
		"a form":                      {map[string]any{"form-data": map[string]any{"a": "x y", "b": []any{1, 2.5, true}, "c": nil}}, nil, heard{"POST", "", formType, "a=x+y&b=1&b=2.5&b=true"}},
		"the query of URL and both":   {map[string]any{"query-params": map[string]any{"p": 1}, "method": "GET"}, map[string]any{"query-params": map[string]any{"q": "é"}}, heard{"GET", "k=v&p=1&q=%C3%A9", "", ""}},
		"the incoming object":         {nil, nil, heard{"POST", "", jsonType, `{"file":"a.pdf","n":1}`}},
		"the incoming object by PUT":  {map[string]any{"method": "PUT"}, nil, heard{"PUT", "", jsonType, `{"file":"a.pdf","n":1}`}},
		"nothing by GET":              {map[string]any{"method": "GET"}, nil, heard{"GET", "", "", ""}},
		"nothing by DELETE":           {map[string]any{"method": "DELETE"}, nil, heard{"DELETE", "", "", ""}},
		"a body by DELETE, if asked":  {map[string]any{"method": "DELETE", "body": map[string]any{}}, nil, heard{"DELETE", "", jsonType, "{}"}},
		"nothing where input is bare": {nil, map[string]any{"query-params": map[string]any{"q": 1}}, heard{"POST", "q=1", "", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			var got heard
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = heard{r.Method, r.URL.RawQuery, r.Header.Get("Content-Type"), string(body)}
			})
			url := server.URL + "/in"
			if strings.Contains(c.want.Query, "k=v") {
				url += "?k=v"
			}
			config := map[string]any{"url": url}
			maps.Copy(config, c.config)
			inv := &satellite.Invocation{Config: config, Input: c.input, HasInput: c.input != nil, Incoming: orbit.MustObject(incoming)}
			if c.input == nil {
				inv.Input = incoming
			}
			if _, err := run(t, inv); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("sent (-want +got):\n%s", d)
			}
		})
	}
}

func TestEveryAttemptCarriesTheItemsIdempotencyKey(t *testing.T) {
	var got []string
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.Header.Get("Idempotency-Key")) })
	call := func(runID string, item orbit.Lineage, attempt int, headers map[string]any) {
		t.Helper()
		inv := &satellite.Invocation{Run: runID, Step: "call", Lineage: item, Attempt: attempt, Config: map[string]any{"url": server.URL, "headers": headers}}
		if _, err := run(t, inv); err != nil {
			t.Fatal(err)
		}
	}
	call("r1", "0.1", 1, nil)
	call("r1", "0.1", 2, nil)
	call("r1", "0.2", 1, nil)
	call("r2", "0.1", 1, nil)
	call("r1", "0.1", 1, map[string]any{"idempotency-key": "mine", "X-N": 3})
	if got[0] == "" || got[0] != got[1] {
		t.Errorf("two attempts of one item sent %q and %q", got[0], got[1])
	}
	if got[0] == got[2] || got[0] == got[3] || got[2] == got[3] {
		t.Errorf("different items sent %q", got[1:4])
	}
	if got[4] != "mine" {
		t.Errorf("sent %q instead of the header of the config", got[4])
	}
}

func TestTheBodyIsParsedWhereTheAnswerIsJSON(t *testing.T) {
	for name, c := range map[string]struct {
		contentType, body string
		want              any
	}{
		"JSON":               {"application/json; charset=utf-8", `{"a": [1, 2.5]}`, map[string]any{"a": []any{1, 2.5}}},
		"a kind of JSON":     {"application/problem+json", `"x"`, "x"},
		"empty JSON":         {"application/json", "", nil},
		"broken JSON":        {"application/json", "{", "{"},
		"JSON that is not":   {"text/plain", `{"a": 1}`, `{"a": 1}`},
		"text":               {"text/html", "<p>", "<p>"},
		"bytes":              {"application/octet-stream", "a\xffb", "a\uFFFDb"},
		"a nonsensical type": {";;", "{}", "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				w.Header().Add("X-Two", "a")
				w.Header().Add("X-Two", "b")
				w.WriteHeader(http.StatusCreated)
				_, _ = io.WriteString(w, c.body)
			})
			got, err := run(t, &satellite.Invocation{Config: map[string]any{"url": server.URL}})
			if err != nil {
				t.Fatal(err)
			}
			headers := got["headers"].(map[string]any)
			if d := cmp.Diff([]any{201, c.want, "a, b", c.contentType}, []any{got["status"], got["body"], headers["X-Two"], headers["Content-Type"]}); d != "" {
				t.Errorf("answer (-want +got):\n%s", d)
			}
		})
	}
}

func TestRedirectsAreFollowedWithinHTTP(t *testing.T) {
	var leaked atomic.Value
	leaked.Store("")
	other := serve(t, func(w http.ResponseWriter, r *http.Request) { leaked.Store(r.Header.Get("X-Api-Key")) })
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/near":
			http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
		case "/end":
			_, _ = fmt.Fprint(w, r.Method, " ", r.Header.Get("X-Api-Key"))
		case "/far":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case "/loop":
			http.Redirect(w, r, "/loop?token=s3cret", http.StatusFound)
		case "/ftp":
			http.Redirect(w, r, "ftp://example.com/a", http.StatusFound)
		}
	})
	call := func(path string, follow bool) (map[string]any, error) {
		return run(t, &satellite.Invocation{Config: map[string]any{
			"url": server.URL + path, "follow-redirects": follow, "body": 1, "headers": map[string]any{"x-api-key": "k"},
		}})
	}
	if got, err := call("/near", true); err != nil || got["body"] != "POST k" {
		t.Errorf("a redirect on the same host: %v, %v", got, err)
	}
	if _, err := call("/far", true); err != nil || leaked.Load() != "" {
		t.Errorf("a redirect to another host carried the key %q: %v", leaked.Load(), err)
	}
	_, err := call("/near", false)
	wantError(t, err, orbit.Permanent(orbit.CodeRejected, "POST %s/near answered 307 Temporary Redirect, which is not followed as follow-redirects is false", server.URL))
	_, err = call("/loop", true)
	wantError(t, err, orbit.Permanent(orbit.CodeRejected, "POST %s/loop redirects more than 10 times", server.URL))
	_, err = call("/ftp", true)
	wantError(t, err, orbit.Permanent(orbit.CodeRejected, "POST %s/ftp redirects to ftp://example.com/a, from http to ftp, which is not followed", server.URL))
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	dialled := map[string]bool{}
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		dialled[r.RemoteAddr] = true
		if r.URL.Path == "/bad" {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, strings.Repeat("x", 10_000))
		}
	})
	w := webhook.New()
	defer w.Close()
	for i := range 6 {
		path := []string{"/good", "/bad"}[i%2]
		_ = w.Run(t.Context(), &satellite.Invocation{Config: map[string]any{"url": server.URL + path}}, func(orbit.Object) error { return nil })
	}
	if len(dialled) != 1 {
		t.Errorf("%d connections for six requests, one after the other", len(dialled))
	}
}

// serve starts a server for the length of a test.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

func run(t *testing.T, inv *satellite.Invocation) (map[string]any, error) {
	t.Helper()
	w := webhook.New()
	defer w.Close()
	var out map[string]any
	err := w.Run(t.Context(), inv, func(o orbit.Object) error {
		v, err := o.Value()
		out, _ = v.(map[string]any)
		return err
	})
	return out, err
}
