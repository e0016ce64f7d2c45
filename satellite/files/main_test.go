package files

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config is a step's config, as short as a test can write it.
type config = map[string]any

// newOpener makes an Opener that does not try again, so that a test of a failing store need not wait.
func newOpener(t *testing.T, endpoint string) *Opener {
	t.Helper()
	o := NewOpener(map[string]string{"s3": endpoint})
	o.attempts = 1
	t.Cleanup(o.Close)
	return o
}

// find gives a satellite of the family by the name part.
func find(t *testing.T, o *Opener, name string) satellite.Satellite {
	t.Helper()
	for _, s := range Satellites(o) {
		if s.Spec().Name == "exospherehost/"+name {
			return s
		}
	}
	t.Fatalf("no satellite %s", name)
	return nil
}

// run invokes a satellite and gives the objects it returned, decoded.
func run(ctx context.Context, s satellite.Satellite, inv *satellite.Invocation) (out []map[string]any, err error) {
	inv.Log, inv.Attempt = zerolog.Nop(), 1
	err = s.Run(ctx, inv, func(o orbit.Object) error {
		v, err := o.Value()
		if err != nil {
			return err
		}
		out = append(out, v.(map[string]any))
		return nil
	})
	return out, err
}

// get runs get-files on the node's folders.
func get(t *testing.T, c config) ([]map[string]any, error) {
	t.Helper()
	c["provider"] = "file"
	return run(t.Context(), find(t, newOpener(t, ""), "get-files"), &satellite.Invocation{Config: c})
}

// column gives one field of every object.
func column(objects []map[string]any, field string) []string {
	out := []string{}
	for _, o := range objects {
		out = append(out, o[field].(string))
	}
	return out
}

// tree makes a folder with these files; each holds its own name.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// wantError checks code, retryability and sentence.
func wantError(t *testing.T, err error, code orbit.Code, retryable bool, message string) {
	t.Helper()
	var e *orbit.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *orbit.Error", err)
	}
	if e.Code != code || e.Retryable != retryable || e.Message != message {
		t.Errorf("got  %s, retryable %v: %s\nwant %s, retryable %v: %s", e.Code, e.Retryable, e.Message, code, retryable, message)
	}
}
