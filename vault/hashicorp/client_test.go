package hashicorp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/exospherehost/orbit"
)

// server is a Vault that answers one request as it is told and notes what it was asked.
type server struct {
	mu     sync.Mutex
	asked  []string
	answer func(w http.ResponseWriter, r *http.Request)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.asked = append(s.asked, fmt.Sprintf("%s %s token=%s namespace=%s request=%s %s", r.Method, r.URL.EscapedPath(), r.Header.Get("X-Vault-Token"),
		r.Header.Get("X-Vault-Namespace"), r.Header.Get("X-Vault-Request"), body))
	s.mu.Unlock()
	s.answer(w, r)
}

// says answers with a status and a body.
func says(status int, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// in carries requests to a handler without a connection, so that it works in a bubble of fake time.
type in struct{ http.Handler }

func (t in) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	t.ServeHTTP(rec, r)
	return rec.Result(), r.Context().Err()
}

func client(t *testing.T, h http.Handler, o Options) *Client {
	t.Helper()
	o.Address = "https://vault.test:8200/"
	c, err := New(o, func() string { return "CANARY-token" })
	if err != nil {
		t.Fatal(err)
	}
	c.http.Transport = in{h}
	return c
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// found is the documented answer of KV version 2.
const found = `{"request_id": "x", "lease_id": "", "renewable": false, "lease_duration": 0, "data": {"data": {"value": "CANARY-value", "password": "CANARY-password", "port": 5432, "deep": {}},
	"metadata": {"created_time": "2026-01-05T07:00:00Z", "deletion_time": "", "destroyed": false, "version": 2}}}`

func TestASecretIsReadFromWhereItsProjectKeepsIt(t *testing.T) {
	for name, c := range map[string]struct {
		o          Options
		name       string
		want, asks string
	}{
		"the default":       {Options{}, "token", "CANARY-value", "GET /v1/secret/data/acme/token token=CANARY-token namespace= request=true "},
		"another mount":     {Options{Mount: "/team/kv/", Namespace: "ns"}, "token", "CANARY-value", "GET /v1/team/kv/data/acme/token token=CANARY-token namespace=ns request=true "},
		"a field":           {Options{}, "db/main#password", "CANARY-password", "GET /v1/secret/data/acme/db/main token=CANARY-token namespace= request=true "},
		"a number":          {Options{}, "db#port", "5432", "GET /v1/secret/data/acme/db token=CANARY-token namespace= request=true "},
		"a token of a file": {Options{TokenFile: file(t, "CANARY-of-file\n")}, "a.b", "CANARY-value", "GET /v1/secret/data/acme/a.b token=CANARY-of-file namespace= request=true "},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{answer: says(200, found)}
			v, err := client(t, s, c.o).Value(t.Context(), "acme", c.name)
			if v != c.want || err != nil || len(s.asked) != 1 || s.asked[0] != c.asks {
				t.Errorf("%q, %v, asked %q", v, err, s.asked)
			}
		})
	}
}

func TestFailuresAreSentencesOfWhichSomeLast(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		name   string
		lasts  bool
		want   string
	}{
		"not there":         {404, `{"errors": []}`, "a", true, "has nothing at secret/acme/a; store it with `vault kv put -mount=secret acme/a value=-`"},
		"deleted":           {404, `{"data": {"data": null, "metadata": {"deletion_time": "2026-01-05T07:00:00Z"}}}`, "a", true, "has nothing at secret/acme/a"},
		"denied":            {403, `{"errors": ["permission denied"]}`, "a", true, "does not let the gateway read secret/acme/a; check its VAULT_TOKEN, and that its policy allows read on secret/data/acme/a"},
		"version 1":         {200, `{"data": {"value": "CANARY"}}`, "a", true, "must be a KV engine of version 2"},
		"a wrong mount":     {400, `{"errors": ["CANARY"]}`, "a", true, "answered 400"},
		"no such field":     {200, found, "a#user", true, "has no field user at secret/acme/a, whose fields are deep, password, port, value; write NAME#FIELD for another"},
		"a field of fields": {200, found, "a#deep", true, "is no text"},
		"no JSON":           {200, "<html>CANARY", "a", true, "is not that of a HashiCorp Vault; check address"},
		"a huge answer":     {200, `{"data": "` + strings.Repeat("x", 3<<20) + `"}`, "a", true, "is not that of a HashiCorp Vault"},
		"sealed":            {503, `{"errors": ["Vault is sealed"]}`, "a", false, "is sealed or under maintenance (503)"},
		"too many":          {429, `{"errors": ["CANARY"]}`, "a", false, "asks to come again later (429)"},
		"a standby":         {473, "", "a", false, "asks to come again later (473)"},
		"broken":            {500, `{"errors": ["CANARY"]}`, "a", false, "answered 500"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{answer: says(c.status, c.body)}
			v, err := client(t, s, Options{}).Value(t.Context(), "acme", c.name)
			var own *orbit.Error
			if v != "" || !errors.As(err, &own) || own.Retryable == c.lasts || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "the HashiCorp Vault at https://vault.test:8200") {
				t.Errorf("%q, %v", v, err)
			}
			if err != nil && strings.Contains(err.Error(), "CANARY") {
				t.Errorf("the error shows what it should not: %v", err)
			}
		})
	}
}

func TestNoNameLeadsOutOfTheProject(t *testing.T) {
	s := &server{answer: says(200, found)}
	c := client(t, s, Options{})
	for _, name := range []string{"../other/token", "a/../../other", "..", ".", "a/./b", "/a", "a/", "a//b", "", "#value", "a#"} {
		if v, err := c.Value(t.Context(), "acme", name); v != "" || err == nil || !strings.Contains(err.Error(), "is no path of a secret") {
			t.Errorf("%q: %q, %v", name, v, err)
		}
	}
	if len(s.asked) != 0 {
		t.Errorf("%q", s.asked)
	}
}

func TestWhatWasReadIsBelievedForSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: says(200, found)}
		c := client(t, s, Options{})
		for range 5 {
			if _, err := c.Value(t.Context(), "acme", "a"); err != nil {
				t.Fatal(err)
			}
		}
		s.answer = says(200, strings.ReplaceAll(found, "CANARY-value", "changed"))
		time.Sleep(valueLife)
		if v, err := c.Value(t.Context(), "acme", "a"); v != "changed" || err != nil || len(s.asked) != 2 {
			t.Errorf("%q, %v, asked %d times", v, err, len(s.asked))
		}
		s.answer = says(404, "{}")
		time.Sleep(valueLife)
		if _, err := c.Value(t.Context(), "acme", "a"); err == nil {
			t.Error("it was removed")
		}
	})
}

func TestAppRoleLogsInAndDoesSoAgain(t *testing.T) {
	secretID := file(t, "CANARY-secret-id\n")
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		logins, good := 0, 0
		s.answer = func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/login") {
				logins++
				good = logins
				says(200, fmt.Sprintf(`{"auth": {"client_token": "token-%d", "policies": ["default"], "lease_duration": 60, "renewable": true}}`, logins))(w, r)
				return
			}
			if r.Header.Get("X-Vault-Token") != fmt.Sprint("token-", good) {
				says(403, `{"errors": ["permission denied"]}`)(w, r)
				return
			}
			says(200, found)(w, r)
		}
		c := client(t, s, Options{AppRole: &AppRole{RoleID: "role", SecretIDFile: secretID}})
		value := func() {
			t.Helper()
			if v, err := c.Value(t.Context(), "acme", "a"); v != "CANARY-value" || err != nil {
				t.Errorf("%q, %v", v, err)
			}
		}
		value()
		if want := `POST /v1/auth/approle/login token= namespace= request=true {"role_id":"role","secret_id":"CANARY-secret-id"}`; s.asked[0] != want {
			t.Errorf("asked %s", s.asked[0])
		}
		time.Sleep(valueLife)
		value()
		if logins != 1 {
			t.Errorf("%d logins while the token is good", logins)
		}
		time.Sleep(time.Minute)
		value()
		if logins != 2 {
			t.Errorf("%d logins after it ended", logins)
		}
		good = -1 // it was revoked
		time.Sleep(valueLife)
		value()
		if logins != 3 {
			t.Errorf("%d logins after it was revoked", logins)
		}
		s.answer = says(400, `{"errors": ["invalid role or secret ID"]}`)
		time.Sleep(time.Minute)
		if _, err := c.Value(t.Context(), "acme", "a"); err == nil || !strings.Contains(err.Error(), "refuses the login by approle (400); check role-id and secret-id-file") {
			t.Errorf("%v", err)
		}
	})
}

func TestAServerThatIsNotThereOrSlowMayBeAskedAgain(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	c, err := New(Options{Address: s.URL}, func() string { return "CANARY" })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Value(ctx, "acme", "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	s.Close()
	_, err = c.Value(t.Context(), "acme", "a")
	var own *orbit.Error
	if !errors.As(err, &own) || !own.Retryable || !strings.Contains(err.Error(), "does not answer: connection refused") {
		t.Errorf("%v", err)
	}
	c.Close()
}

func TestATokenDoesNotTravelWhereItCanBeRead(t *testing.T) {
	s := &server{answer: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Scheme == "http" {
			t.Error("a redirection to plain HTTP is followed")
		}
		http.Redirect(w, r, "http://other.test"+r.URL.Path, http.StatusTemporaryRedirect)
	}}
	if _, err := client(t, s, Options{}).Value(t.Context(), "acme", "a"); err == nil || !strings.Contains(err.Error(), "answered 307") {
		t.Errorf("%v", err)
	}
}

func TestOptionsThatAreNotRightAreToldInASentence(t *testing.T) {
	for want, o := range map[string]Options{
		"is no address":          {Address: "vault:8200"},
		`is no address of`:       {Address: "https://u:p@h"},
		"keep one of them":       {Address: "http://h", TokenFile: "x", AppRole: &AppRole{RoleID: "a", SecretIDFile: "b"}},
		"role-id and secret-id":  {Address: "http://h", AppRole: &AppRole{RoleID: "a"}},
		"there is no login":      {Address: "http://h"},
		"no/file cannot be read": {Address: "http://h", TokenFile: "x", CAFile: "/no/file"},
		"holds no certificate":   {Address: "http://h", TokenFile: "x", CAFile: file(t, "nothing")},
	} {
		if _, err := New(o, func() string { return "" }); err == nil || !strings.HasPrefix(err.Error(), "vault: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	c := client(t, &server{}, Options{TokenFile: "/no/file"})
	if _, err := c.Value(t.Context(), "acme", "a"); err == nil || !strings.Contains(err.Error(), "the token file /no/file of the HashiCorp Vault cannot be read") {
		t.Errorf("%v", err)
	}
	c = client(t, &server{}, Options{TokenFile: file(t, " \n")})
	if _, err := c.Value(t.Context(), "acme", "a"); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("%v", err)
	}
}
