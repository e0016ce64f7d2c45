package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"github.com/exospherehost/orbit"
)

// read opens a file and gives what is in it.
func read(t *testing.T, o *Opener, uri string, secrets ...map[string]string) (string, int64, error) {
	t.Helper()
	rc, size, err := o.Open(t.Context(), uri, secrets...)
	if err != nil {
		return "", 0, err
	}
	defer rc.Close()
	data, err := io.ReadAll(rc)
	return string(data), size, err
}

var knownKeys = map[string]string{"AWS_ACCESS_KEY": canaryKey, "AWS_SECRET_KEY": canarySecret}

func TestOpenerReadsAFileOfTheNodeByURIAndByPath(t *testing.T) {
	const name = "a b+c%20#1?.pdf"
	root := tree(t, name)
	for _, uri := range []string{
		filepath.Join(root, name),
		"file://" + root + "/a%20b+c%2520%231%3F.pdf",
		"file://localhost" + root + "/a%20b+c%2520%231%3F.pdf",
		local(filepath.Join(root, name)).uri(),
	} {
		got, size, err := read(t, newOpener(t, ""), uri)
		if err != nil || got != name || size != int64(len(name)) {
			t.Errorf("%s: got %q, size %d, %v", uri, got, size, err)
		}
	}
}

func TestOpenerReadsAnObjectOfS3(t *testing.T) {
	const key = "in/a b+c%20#1?.pdf"
	s3 := newFakeS3(t, key)
	got, size, err := read(t, newOpener(t, s3.URL), "s3://bucket/in/a%20b+c%2520%231%3F.pdf", nil, knownKeys)
	if err != nil || got != key || size != int64(len(key)) {
		t.Errorf("got %q, size %d, %v", got, size, err)
	}
}

func TestEveryPathSurvivesItsURI(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringN(1, 40, -1).Draw(t, "key")
		want := place{provider: rapid.SampledFrom([]string{providerS3, providerGCS, providerAzure}).Draw(t, "provider"), bucket: "bucket", path: key}
		if got, err := parseURI(want.uri()); err != nil || got != want {
			t.Fatalf("%q became %q: %v", want.path, got.path, err)
		}
	})
}

func TestOpenerSaysWhatItCannotOpen(t *testing.T) {
	root := tree(t, "a.pdf")
	s3 := newFakeS3(t, "a.pdf")
	for _, c := range []struct {
		uri     string
		code    orbit.Code
		message string
	}{
		{"a.pdf", orbit.CodeInvalidInput, `"a.pdf" is neither a URI nor an absolute path; use ` + uriForms},
		{"", orbit.CodeInvalidInput, `"" is neither a URI nor an absolute path; use ` + uriForms},
		{"dropbox://user:CANARY@host/a.pdf", orbit.CodeInvalidInput, "files at dropbox:// cannot be opened; use " + uriForms},
		{"sftp://user:CANARY@host/a.pdf", orbit.CodeInvalidInput,
			"a URI of sftp begins with a host, or host:port, and has no room for user and password; write sftp://host/folder/name, and put those into secrets"},
		{"s3://key:CANARY@bucket/a.pdf", orbit.CodeInvalidInput, "a URI of aws-s3 has no room for credentials or a port; write s3://bucket/key, and put those into secrets"},
		{"s3://bucket", orbit.CodeInvalidInput, `"s3://bucket" names no file; write it as s3://bucket/key`},
		{"s3://Bad_Bucket!/a.pdf", orbit.CodeInvalidConfig, `"Bad_Bucket!" cannot be the name of a bucket; check bucket, or the part after s3://`},
		{"s3://bucket/" + strings.Repeat("x", 1025), orbit.CodeInvalidInput, "a key of bucket bucket is longer than 1024 bytes or no UTF-8; check the path"},
		{"file://elsewhere/a.pdf", orbit.CodeInvalidInput, `"file://elsewhere/a.pdf" names no file of this machine; write it as file:///folder/name`},
		{root, orbit.CodeInvalidInput, root + " is not a regular file; name a file to read"},
		{root + "/b.pdf", orbit.CodeNotFound, "file " + root + "/b.pdf was not found on this node; check the path, and that every node that runs the satellite has it"},
		{root + "/a.pdf/b.pdf", orbit.CodeNotFound, "file " + root + "/a.pdf/b.pdf was not found on this node; check the path, and that every node that runs the satellite has it"},
		{"s3://bucket/b c.pdf", orbit.CodeNotFound, "s3://bucket/b%20c.pdf was not found at " + s3.host() + "; check the path"},
		{"s3://other/a.pdf", orbit.CodeNotFound, "bucket other was not found at " + s3.host() + "; check its name and the endpoint"},
	} {
		t.Run(c.uri[:min(len(c.uri), 40)], func(t *testing.T) {
			_, _, err := read(t, newOpener(t, s3.URL), c.uri, knownKeys)
			wantError(t, err, c.code, false, c.message)
		})
	}
}

func TestFaultsOfTheFileSystemHaveSentences(t *testing.T) {
	for _, c := range []struct {
		err       error
		code      orbit.Code
		retryable bool
		message   string
	}{
		{syscall.ENOENT, orbit.CodeNotFound, false, "folder /in was not found on this node; check the path, and that every node that runs the satellite has it"},
		{syscall.EACCES, orbit.CodeDenied, false, "folder /in may not be accessed by the node; give the user it runs as the right to"},
		{syscall.EPERM, orbit.CodeDenied, false, "folder /in may not be accessed by the node; give the user it runs as the right to"},
		{syscall.EROFS, orbit.CodeDenied, false, "folder /in is on a file system that is read-only; write somewhere else"},
		{syscall.ENAMETOOLONG, orbit.CodeInvalidInput, false, "folder /in cannot have this name (file name too long); choose another"},
		{syscall.ENOSPC, orbit.CodeUnavailable, true, "folder /in cannot be written: no space left on device; free some space"},
		{syscall.EIO, orbit.CodeUnavailable, true, "folder /in cannot be accessed: input/output error; check the node's disk"},
	} {
		wantError(t, localFault(fmt.Errorf("open: %w", c.err), "folder", "/in"), c.code, c.retryable, c.message)
	}
}

func TestOpenerUsesTheFirstSecretsWithAnAccessKey(t *testing.T) {
	s3 := newFakeS3(t, "a.pdf")
	other := map[string]string{"AWS_ACCESS_KEY": "OTHER", "AWS_SECRET_KEY": "OTHER"}
	if _, _, err := read(t, newOpener(t, s3.URL), "s3://bucket/a.pdf", nil, map[string]string{"TOKEN": "x"}, knownKeys, other); err != nil {
		t.Error(err)
	}
	_, _, err := read(t, newOpener(t, s3.URL), "s3://bucket/a.pdf", other, knownKeys)
	wantError(t, err, orbit.CodeDenied, false,
		"the S3 store at "+s3.host()+" refuses the credentials (InvalidAccessKeyId); check AWS_ACCESS_KEY and AWS_SECRET_KEY in secrets")
}

func TestEndpointOfTheSecretsGoesBeforeThatOfTheNode(t *testing.T) {
	ours, nodes := newFakeS3(t, "a.pdf"), newFakeS3(t)
	for _, name := range []string{"AWS_ENDPOINT", "endpoint"} {
		secrets := map[string]string{"AWS_ACCESS_KEY": canaryKey, "AWS_SECRET_KEY": canarySecret, name: ours.URL}
		if _, _, err := read(t, newOpener(t, nodes.URL), "s3://bucket/a.pdf", secrets); err != nil {
			t.Error(err)
		}
	}
	if n := nodes.Requests.Load(); n != 0 {
		t.Errorf("the node's own store got %d requests", n)
	}
	a, err := newS3Account("", []map[string]string{{"region": "eu-west-1"}})
	if err != nil || a.endpoint != amazon || a.region != "eu-west-1" {
		t.Errorf("got endpoint %s, region %s, %v; want Amazon's", a.endpoint, a.region, err)
	}
}

func TestSecretsThatAreNoCredentialsAreRefused(t *testing.T) {
	const endpoint = "the endpoint of the S3 store is no URL of a host; write AWS_ENDPOINT like https://minio.example.com:9000"
	for _, c := range []struct {
		secrets map[string]string
		code    orbit.Code
		message string
	}{
		{map[string]string{"AWS_ACCESS_KEY": canaryKey}, orbit.CodeDenied, "secrets hold AWS_ACCESS_KEY but no AWS_SECRET_KEY; give both"},
		{map[string]string{"AWS_SECRET_KEY": canarySecret}, orbit.CodeDenied, "secrets hold AWS_SECRET_KEY but no AWS_ACCESS_KEY; give both"},
		{map[string]string{"AWS_ENDPOINT": "minio:9000"}, orbit.CodeInvalidConfig, endpoint},
		{map[string]string{"AWS_ENDPOINT": "http://minio:9000/path"}, orbit.CodeInvalidConfig, endpoint},
		{map[string]string{"AWS_ENDPOINT": "http://mi nio"}, orbit.CodeInvalidConfig, endpoint},
	} {
		_, _, err := read(t, newOpener(t, ""), "s3://bucket/a.pdf", c.secrets)
		wantError(t, err, c.code, false, c.message)
	}
}

var anyObject = place{provider: providerS3, bucket: "bucket", path: "a.pdf"}

func TestOpenerKeepsABoundedNumberOfClients(t *testing.T) {
	o := newOpener(t, "http://127.0.0.1:1")
	account := func(i int) map[string]string {
		return map[string]string{"AWS_ACCESS_KEY": fmt.Sprint("key", i), "AWS_SECRET_KEY": "secret"}
	}
	kept, err := o.store(anyObject, account(0))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxStores {
		if _, err := o.store(anyObject, account(i)); err != nil {
			t.Fatal(err)
		}
		if again, _ := o.store(anyObject, account(0)); again != kept {
			t.Fatalf("a client in use was dropped after %d others", i)
		}
	}
	if len(o.stores) != maxStores || len(o.used) != maxStores {
		t.Errorf("%d clients and %d keys, want %d", len(o.stores), len(o.used), maxStores)
	}
}

func TestAnObjectThatBreaksOffIsTriedAgain(t *testing.T) {
	s3 := newFakeS3(t, "a-long-enough-name.pdf")
	s3.CutBody = true
	_, _, err := read(t, newOpener(t, s3.URL), "s3://bucket/a-long-enough-name.pdf", knownKeys)
	wantError(t, err, orbit.CodeUnavailable, true,
		"the S3 store at "+s3.host()+" cannot be reached (the connection or its answer broke off); check the endpoint and the network")
}

func TestOpenEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, uri := range []string{"s3://bucket/a.pdf", "/a.pdf"} {
		if _, _, err := newOpener(t, "http://127.0.0.1:1").Open(ctx, uri); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", uri, err)
		}
	}
}
