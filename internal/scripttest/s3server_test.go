package scripttest

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/files"
)

// The credentials of the S3 server.
const s3Key, s3Secret = "orbit-s3-key", "CANARY-s3-secret"

// s3Command is the S3 server, over a folder whose folders are its buckets. What else it has to keep lies beside that.
func s3Command(t interface{ Fatalf(string, ...any) }, address, folder string) []string {
	program, err := filepath.Abs(filepath.Join(root, "bin", "versitygw"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("run make versitygw first")
	}
	return []string{program, "--access", s3Key, "--secret", s3Secret, "--port", address, "--health", "/health", "--quiet", "--iam-dir", beside(folder), "posix", "--sidecar", beside(folder), folder}
}

// beside is where the server keeps what it knows of the files in a folder.
func beside(folder string) string {
	return filepath.Join(filepath.Dir(folder), "side."+filepath.Base(folder))
}

// buckets NAME ADDR DIR starts an S3 server over a folder that is there.
func buckets(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: buckets NAME ADDR DIR")
	}
	folder := ts.MkAbs(args[2])
	ts.Check(os.MkdirAll(beside(folder), 0o755))
	launch(ts, args[0], s3Command(ts, args[1], folder)...)
}

// s3Server is an S3 server with the empty buckets one and two.
type s3Server struct {
	folder, endpoint string
	opener           *files.Opener
}

func newS3Server(t *testing.T) *s3Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s := &s3Server{folder: filepath.Join(t.TempDir(), "s3"), endpoint: "http://" + address}
	for _, dir := range []string{s.folder + "/one", s.folder + "/two", beside(s.folder)} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	line := s3Command(t, address, s.folder)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed
	})
	s.opener = files.NewOpener(map[string]string{"s3": s.endpoint})
	t.Cleanup(s.opener.Close)
	s.waitReady(t)
	return s
}

func (s *s3Server) waitReady(t *testing.T) {
	t.Helper()
	limit := time.After(time.Minute)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		resp, err := http.Get(s.endpoint + "/health")
		if err == nil {
			resp.Body.Close()
			return
		}
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("the S3 server is not ready: %v", err)
		}
	}
}

// run invokes a satellite. secrets are the right ones, each with the prefixes.
func (s *s3Server) run(t *testing.T, name string, config map[string]any, prefixes ...string) ([]map[string]any, error) {
	t.Helper()
	if config["secrets"] == nil {
		secrets := map[string]any{}
		for _, prefix := range prefixes {
			secrets[prefix+"AWS_ACCESS_KEY"], secrets[prefix+"AWS_SECRET_KEY"] = s3Key, s3Secret
		}
		config["secrets"] = secrets
	}
	for _, one := range files.Satellites(s.opener) {
		if one.Spec().Name != "exospherehost/"+name {
			continue
		}
		var out []map[string]any
		err := one.Run(t.Context(), &satellite.Invocation{Config: config, Attempt: 1, Log: zerolog.Nop(), Input: config["input"]}, func(o orbit.Object) error {
			v, err := o.Value()
			if err != nil {
				return err
			}
			out = append(out, v.(map[string]any))
			return nil
		})
		return out, err
	}
	t.Fatalf("no satellite %s", name)
	return nil, nil
}

// names are those of every object of a bucket.
func (s *s3Server) names(t *testing.T, bucket string, more ...string) []string {
	t.Helper()
	config := map[string]any{"bucket": bucket, "recursive": true}
	if len(more) > 0 {
		config["extension"] = more[0]
	}
	objects, err := s.run(t, "get-files-from-s3", config, "")
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for _, o := range objects {
		out = append(out, o["file-path"].(string))
	}
	return out
}

func TestARealS3ServerListsWhatWasPut(t *testing.T) {
	s := newS3Server(t)
	var want []string
	for i := range 1500 { // two pages
		name := fmt.Sprintf("sec/%02d/r%04d.pdf", i/100, i)
		want = append(want, name)
		path := filepath.Join(s.folder, "one", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put := map[string]any{"folder-path": "s3://one/a b", "file-name": "é+%1.json"}
	if _, err := s.run(t, "put-files", put, ""); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, s.names(t, "one", "pdf")); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(append([]string{"a b/é+%1.json"}, want...), s.names(t, "one")); d != "" {
		t.Error(d)
	}
	single, err := s.run(t, "get-files-from-s3", map[string]any{"file-path": "s3://one/sec/00/r0000.pdf"}, "")
	if err != nil || len(single) != 1 || single[0]["size"] != len(want[0]) || single[0]["etag"] == nil {
		t.Errorf("a single object: %v, %v", single, err)
	}
}

func TestARealS3ServerMovesAndDeletes(t *testing.T) {
	s := newS3Server(t)
	source := filepath.Join(t.TempDir(), "large.bin")
	large := make([]byte, 40<<20) // three parts
	if _, err := rand.Read(large); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(source, large, 0o644); err != nil {
		t.Fatal(err)
	}
	steps := []map[string]any{
		{"source-provider": "file", "source-file-path": source, "destination-provider": "aws-s3", "destination-file-path": "s3://one/in/large.bin"},
		{"origin-source": "s3", "origin-bucket": "one", "origin-file-path": "in/large.bin", "destination-source": "s3", "destination-bucket": "two", "destination-file-path": "failed/large.bin"},
	}
	for i, config := range steps {
		for attempt := range 2 { // the second finds it done
			if _, err := s.run(t, "move-file", config, "SOURCE_", "DESTINATION_"); err != nil {
				t.Fatalf("step %d, attempt %d: %v", i, attempt, err)
			}
		}
	}
	if d := cmp.Diff([][]string{{}, {"failed/large.bin"}}, [][]string{s.names(t, "one"), s.names(t, "two")}); d != "" {
		t.Error(d)
	}
	rc, size, err := s.opener.Open(t.Context(), "s3://two/failed/large.bin", map[string]string{"AWS_ACCESS_KEY": s3Key, "AWS_SECRET_KEY": s3Secret})
	if err != nil || size != int64(len(large)) {
		t.Fatal(size, err)
	}
	defer rc.Close()
	if got, err := io.ReadAll(rc); err != nil || string(got) != string(large) {
		t.Errorf("%d bytes came back, not those that were sent: %v", len(got), err)
	}
	for _, deleted := range []bool{true, false} {
		got, err := s.run(t, "delete-file-from-s3", map[string]any{"bucket": "two", "file-path": "failed/large.bin"}, "")
		if d := cmp.Diff([]map[string]any{{"file-uri": "s3://two/failed/large.bin", "deleted": deleted}}, got); d != "" || err != nil {
			t.Error(err, d)
		}
	}
	if _, err := os.Stat(source); !os.IsNotExist(err) {
		t.Errorf("the original is still there: %v", err)
	}
}

func TestARealS3ServerSaysNo(t *testing.T) {
	s := newS3Server(t)
	wrong := map[string]any{"AWS_ACCESS_KEY": s3Key, "AWS_SECRET_KEY": "CANARY-wrong"}
	unknown := map[string]any{"AWS_ACCESS_KEY": "CANARY-nobody", "AWS_SECRET_KEY": s3Secret}
	for _, c := range []struct {
		name   string
		config map[string]any
		code   orbit.Code
		says   string
	}{
		{"get-files-from-s3", map[string]any{"bucket": "one", "secrets": wrong}, orbit.CodeDenied, "refuses the credentials (SignatureDoesNotMatch); check AWS_ACCESS_KEY and AWS_SECRET_KEY"},
		{"get-files-from-s3", map[string]any{"bucket": "one", "secrets": unknown}, orbit.CodeDenied, "refuses the credentials (InvalidAccessKeyId)"},
		{"get-files-from-s3", map[string]any{"bucket": "three"}, orbit.CodeNotFound, "bucket three was not found"},
		{"get-files-from-s3", map[string]any{"file-path": "s3://one/none"}, orbit.CodeNotFound, "s3://one/none was not found"},
		{"put-files", map[string]any{"folder-path": "s3://three/a", "file-name": "b"}, orbit.CodeNotFound, "bucket three was not found"},
		{"delete-file-from-s3", map[string]any{"bucket": "three", "file-path": "a"}, orbit.CodeNotFound, "bucket three was not found"},
	} {
		_, err := s.run(t, c.name, c.config, "")
		if err == nil {
			t.Errorf("%s %v: it went well", c.name, c.config)
			continue
		}
		e := orbit.AsError(err)
		if e.Code != c.code || e.Retryable || !strings.Contains(e.Message, c.says) || strings.Contains(e.Message, "CANARY") {
			t.Errorf("%s: %s, retryable %v: %s", c.name, e.Code, e.Retryable, e.Message)
		}
	}
}
