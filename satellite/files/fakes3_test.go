package files

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/exospherehost/orbit/internal/standin/s3"
)

const (
	canaryKey    = "CANARYACCESSKEY"
	canarySecret = "CANARY-secret-key"
)

// fakeTime is when the files of all stores were written.
var fakeTime = s3.Modified

// keys are the credentials that fakeS3 knows.
func keys() map[string]any {
	return map[string]any{"AWS_ACCESS_KEY": canaryKey, "AWS_SECRET_KEY": canarySecret}
}

// fakeS3 is an S3 store with one bucket, "bucket", in which each object holds its own key.
type fakeS3 struct {
	*s3.Store
	URL string
}

func newFakeS3(t *testing.T, keys ...string) *fakeS3 {
	t.Helper()
	f := &fakeS3{Store: s3.New(s3.Options{AccessKey: canaryKey, SecretKey: canarySecret, PageSize: 1000}, keys...)}
	server := httptest.NewServer(f.Store)
	t.Cleanup(server.Close)
	f.URL = server.URL
	return f
}

func (f *fakeS3) host() string { return strings.TrimPrefix(f.URL, "http://") }
