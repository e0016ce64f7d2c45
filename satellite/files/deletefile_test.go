package files

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

func remove(t *testing.T, o *Opener, name string, c config) (map[string]any, error) {
	t.Helper()
	out, err := run(t.Context(), find(t, o, name), &satellite.Invocation{Config: c})
	if err != nil {
		return nil, err
	}
	if len(out) != 1 {
		t.Fatalf("returned %d objects", len(out))
	}
	return out[0], nil
}

func TestDeletingTwiceIsSuccess(t *testing.T) {
	s3 := newFakeS3(t, "sec/a b.pdf", "sec/c.pdf")
	root := tree(t, "in/a b.pdf", "in/c.pdf")
	for name, c := range map[string]struct {
		satellite string
		config    config
		uri       string
	}{
		"as the introduction does": {"delete-file-from-s3", config{"bucket": "bucket", "file-path": "sec/a b.pdf", "secrets": keys()}, "s3://bucket/sec/a%20b.pdf"},
		"by URI":                   {"delete-file", config{"file-path": "s3://bucket/sec/c.pdf", "secrets": keys()}, "s3://bucket/sec/c.pdf"},
		"by path":                  {"delete-file", config{"file-path": root + "/in/a b.pdf"}, "file://" + root + "/in/a%20b.pdf"},
		"by file URI":              {"delete-file", config{"provider": "file", "file-path": "file://" + root + "/in/c.pdf"}, "file://" + root + "/in/c.pdf"},
	} {
		for _, deleted := range []bool{true, false} {
			got, err := remove(t, newOpener(t, s3.URL), c.satellite, c.config)
			if d := cmp.Diff(map[string]any{"file-uri": c.uri, "deleted": deleted}, got); d != "" || err != nil {
				t.Errorf("%s: %v %s", name, err, d)
			}
		}
	}
	if len(s3.Keys()) != 0 || len(ls(t, root+"/in")) != 0 {
		t.Errorf("left: %v and %v", s3.Keys(), ls(t, root+"/in"))
	}
}

func TestWhatCannotBeDeletedIsSaid(t *testing.T) {
	s3 := newFakeS3(t)
	root := tree(t, "in/a.pdf")
	for _, c := range []struct {
		satellite string
		config    config
		code      orbit.Code
		message   string
	}{
		{"delete-file-from-s3", config{"bucket": "none", "file-path": "a", "secrets": keys()}, orbit.CodeNotFound, "bucket none was not found at " + s3.host() + "; check its name and the endpoint"},
		{"delete-file-from-s3", config{"bucket": "forbidden", "file-path": "a", "secrets": keys()}, orbit.CodeDenied,
			"the credentials in secrets may not delete s3://forbidden/a at " + s3.host() + "; allow them s3:DeleteObject on the objects of the bucket"},
		{"delete-file-from-s3", config{"file-path": "a", "secrets": keys()}, orbit.CodeInvalidConfig, "file-path names no bucket; write it as s3://bucket/a, or give bucket as well"},
		{"delete-file-from-s3", config{"file-path": "/tmp/a", "secrets": keys()}, orbit.CodeInvalidConfig, "file-path names no bucket; write it as s3://bucket/tmp/a, or give bucket as well"},
		{"delete-file-from-s3", config{"bucket": "bucket", "file-path": "in/", "secrets": keys()}, orbit.CodeInvalidConfig, "file-path names a folder; write the path of a file"},
		{"delete-file", config{"file-path": "a.pdf"}, orbit.CodeInvalidConfig,
			"file-path does not say which store it is in; write it as a URI such as s3://bucket/key, or give bucket or provider"},
		{"delete-file", config{"file-path": ""}, orbit.CodeInvalidConfig, "file-path is empty; give the file"},
		{"delete-file", config{"file-path": root + "/in"}, orbit.CodeInvalidInput, root + "/in is a folder; only files are deleted"},
	} {
		_, err := remove(t, newOpener(t, s3.URL), c.satellite, c.config)
		wantError(t, err, c.code, false, c.message)
		noCanary(t, err)
	}
}
