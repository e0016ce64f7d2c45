package cli_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/exospherehost/orbit/internal/cli"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC // tables show local times
	goleak.VerifyTestMain(m)
}

// call is one command line and what it runs with.
type call struct {
	args  []string
	stdin string
	env   map[string]string
	api   http.Handler // nil: no gateway answers
	deps  cli.Deps
	ctx   context.Context
}

// answer is what came of it.
type answer struct {
	stdout, stderr string
	code           int
}

// invoke runs one command line in this process, without a network.
func invoke(c call) answer {
	if c.ctx == nil {
		c.ctx = context.Background()
	}
	if c.deps.Transport == nil {
		c.deps.Transport = inProcess{c.api}
	}
	var stdout, stderr bytes.Buffer
	code := cli.Main(c.ctx, c.args, strings.NewReader(c.stdin), &stdout, &stderr, func(name string) (string, bool) {
		v, ok := c.env[name]
		return v, ok
	}, c.deps)
	return answer{stdout.String(), stderr.String(), code}
}

func orbitArgs(line string) []string { return strings.Fields(line) }

// inProcess carries requests to a handler without a connection, so that it works in a bubble of fake time.
type inProcess struct{ handler http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.handler == nil {
		return nil, http.ErrServerClosed
	}
	rec := httptest.NewRecorder()
	t.handler.ServeHTTP(rec, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return rec.Result(), nil
}

// bubble runs a test in fake time: it is midnight of January 1st, 2000.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

func (a answer) expect(t *testing.T, code int, stdout, stderr string) {
	t.Helper()
	if a.code != code {
		t.Errorf("exit code %d, want %d", a.code, code)
	}
	if d := cmp.Diff(stdout, a.stdout); d != "" {
		t.Errorf("stdout (-want +got):\n%s", d)
	}
	if d := cmp.Diff(stderr, a.stderr); d != "" {
		t.Errorf("stderr (-want +got):\n%s", d)
	}
}

var version = regexp.MustCompile(`\b[0-9a-f]{12}\b`)

// steady replaces versions, which change with the compiler.
func (a answer) steady() answer {
	a.stdout = version.ReplaceAllString(a.stdout, "VERSION")
	return a
}
