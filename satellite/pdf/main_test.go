package pdf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// shared is a parser for all tests that need nothing special of theirs, because a start takes seconds; cacheDir lets the
// others start faster.
var (
	shared   *Parser
	cacheDir string
	shelf    = &disk{files: map[string][]byte{}}
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	var err error
	if cacheDir, err = os.MkdirTemp("", "orbit-pdf-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(cacheDir)
	shared = New(Options{Open: shelf.open, CacheDir: cacheDir, Workers: 2})
	shared.Warm()
	code = m.Run()
	if err := errors.Join(shared.Close(), goleak.Find()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// disk is files by URI, and what they were opened with.
type disk struct {
	mu      sync.Mutex
	files   map[string][]byte
	secrets []map[string]string
}

func (d *disk) put(uri string, data []byte) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files[uri] = data
	return uri
}

func (d *disk) open(_ context.Context, uri string, secrets ...map[string]string) (io.ReadCloser, int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.secrets = slices.Clone(secrets)
	data, ok := d.files[uri]
	if !ok {
		return nil, 0, fmt.Errorf("open %s: %w", uri, fs.ErrNotExist)
	}
	return io.NopCloser(strings.NewReader(string(data))), int64(len(data)), nil
}

// starts gives a parser of the test's own, which is closed at its end.
func starts(t *testing.T, o Options) *Parser {
	t.Helper()
	if o.Open == nil {
		o.Open = shelf.open
	}
	o.CacheDir, o.Log = cacheDir, zerolog.Nop()
	p := New(o)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// runs carries out one attempt of the preset and gives the one object it returns.
func runs(ctx context.Context, p *Parser, config map[string]any, input any) (map[string]any, error) {
	return runsAs(ctx, p.Satellites()[1], config, input)
}

func runsAs(ctx context.Context, s satellite.Satellite, config map[string]any, input any) (map[string]any, error) {
	var got []orbit.Object
	inv := &satellite.Invocation{Config: config, Input: input, Log: zerolog.Nop()}
	err := s.Run(ctx, inv, func(o orbit.Object) error { got = append(got, o); return nil })
	if err != nil {
		return nil, err
	}
	if len(got) != 1 {
		return nil, fmt.Errorf("%d objects, not one", len(got))
	}
	v, err := got[0].Value()
	m, _ := v.(map[string]any)
	return m, err
}

// reads is runs for a file of the given bytes.
func reads(t *testing.T, data []byte, config map[string]any) (map[string]any, error) {
	t.Helper()
	uri := shelf.put("file:///in/"+strings.ReplaceAll(t.Name(), "/", "-")+".pdf", data)
	return runs(t.Context(), shared, config, map[string]any{"file-uri": uri})
}

// fails checks an error's code, whether it is retried, and a part of its sentence.
func fails(t *testing.T, err error, code orbit.Code, retryable bool, part string) {
	t.Helper()
	var e *orbit.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T), want an *orbit.Error", err, err)
	}
	if e.Code != code || e.Retryable != retryable || !strings.Contains(e.Message, part) {
		t.Errorf("error %s, retryable %v: %s\nwant %s, retryable %v, with %q", e.Code, e.Retryable, e.Message, code, retryable, part)
	}
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
