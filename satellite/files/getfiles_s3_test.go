package files

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	standin "github.com/exospherehost/orbit/internal/standin/s3"
	"github.com/exospherehost/orbit/satellite"
)

// getS3 runs get-files-from-s3 on a fake store, with the right credentials where the config names none.
func getS3(t *testing.T, s3 *fakeS3, c config) ([]map[string]any, error) {
	t.Helper()
	if c["secrets"] == nil {
		c["secrets"] = keys()
	}
	return run(t.Context(), find(t, newOpener(t, s3.URL), "get-files-from-s3"), &satellite.Invocation{Config: c})
}

func TestGetFilesFromS3DescribesEachObject(t *testing.T) {
	const key = "sec/report 1%.PDF"
	s3 := newFakeS3(t, key)
	want := []map[string]any{{
		"file-path":    key,
		"file-name":    "report 1%.PDF",
		"file-uri":     "s3://bucket/sec/report%201%25.PDF",
		"size":         17,
		"modified":     "2025-03-01T12:30:00Z",
		"etag":         "36e9e831734cecdbe570ca751aaae01f",
		"content-type": "application/pdf",
	}}
	for name, c := range map[string]config{
		"bucket and prefix":              {"bucket": "bucket", "prefix": "sec", "recursive": true, "extension": "pdf"},
		"folder URI":                     {"folder-path": "s3://bucket/sec"},
		"folder of a bucket":             {"bucket": "bucket", "folder-path": "/sec"},
		"file URI":                       {"file-path": "s3://bucket/sec/report%201%25.PDF"},
		"file URI as a person writes it": {"file-path": "s3://bucket/sec/report 1%.PDF"},
		"key of a bucket":                {"bucket": "bucket", "file-path": key},
		"provider by its short name":     {"provider": "s3", "bucket": "bucket", "prefix": "sec/"},
	} {
		got, err := getS3(t, s3, c)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
}

func TestAPrefixChoosesTheKeys(t *testing.T) {
	s3 := newFakeS3(t, "sec-1.pdf", "sec/", "sec/a.pdf", "sec/old/", "sec/old/b.pdf", "sec/old/deep/c.txt", "sec0.pdf", "top.pdf")
	s3.PageSize = 2
	for _, c := range []struct {
		name   string
		config config
		want   string
	}{
		{"the whole bucket, one level", config{}, "sec-1.pdf sec0.pdf top.pdf"},
		{"a folder", config{"prefix": "sec/"}, "sec/a.pdf"},
		{"a folder without its slash, and files named alike", config{"prefix": "sec"}, "sec-1.pdf sec/a.pdf sec0.pdf"},
		{"all levels", config{"prefix": "sec", "recursive": true}, "sec-1.pdf sec/a.pdf sec/old/b.pdf sec/old/deep/c.txt sec0.pdf"},
		{"a folder by folder-path", config{"folder-path": "sec", "recursive": true}, "sec/a.pdf sec/old/b.pdf sec/old/deep/c.txt"},
		{"nothing", config{"prefix": "none"}, ""},
		{"a folder left out", config{"prefix": "sec", "recursive": true, "exclude-folders": []any{"old"}}, "sec-1.pdf sec/a.pdf sec0.pdf"},
		{"a folder left out by path", config{"prefix": "sec/", "recursive": true, "exclude-folders": []any{"old/deep"}}, "sec/a.pdf sec/old/b.pdf"},
		{"a folder left out by key", config{"prefix": "sec/", "recursive": true, "exclude-folders": []any{"sec/old"}}, "sec/a.pdf"},
		{"not the folder that is listed", config{"folder-path": "sec", "exclude-folders": []any{"sec"}}, "sec/a.pdf"},
		{"a file left out", config{"prefix": "sec", "exclude-files": []any{"sec?.pdf"}}, "sec-1.pdf sec/a.pdf"},
		{"an extension", config{"recursive": true, "extension": ".TXT"}, "sec/old/deep/c.txt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.config["bucket"] = "bucket"
			got, err := getS3(t, s3, c.config)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(strings.Fields(c.want), column(got, "file-path")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestAListingOfAHundredThousandObjectsStreams(t *testing.T) {
	const n = 100_000
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("f%06d.pdf", i)
	}
	s3 := newFakeS3(t, names...)
	g := find(t, newOpener(t, s3.URL), "get-files-from-s3")
	count := 0
	err := g.Run(t.Context(), &satellite.Invocation{Config: config{"bucket": "bucket", "secrets": keys()}}, func(o orbit.Object) error {
		if ahead := int(s3.Pages.Load()) - count/s3.PageSize - 1; ahead < 0 || ahead > 1 {
			t.Fatalf("object %d was emitted when %d pages more had been asked for", count, ahead)
		}
		if count%9973 == 0 {
			v, err := o.Value()
			if err != nil || v.(map[string]any)["file-path"] != names[count] {
				t.Fatalf("object %d is %v, %v", count, v, err)
			}
		}
		count++
		return nil
	})
	if err != nil || count != n {
		t.Errorf("%d objects, %v", count, err)
	}
}

func TestGetFilesFromS3SaysWhatTheStoreRefuses(t *testing.T) {
	for _, c := range []struct {
		status    int
		code      string
		want      orbit.Code
		retryable bool
		message   string // %s: the store
	}{
		{403, "AccessDenied", orbit.CodeDenied, false, "the credentials in secrets may not read bucket bucket at %s; allow them s3:ListBucket on the bucket and s3:GetObject on its objects"},
		{401, "Unauthorized", orbit.CodeDenied, false, "the credentials in secrets may not read bucket bucket at %s; allow them s3:ListBucket on the bucket and s3:GetObject on its objects"},
		{403, "InvalidAccessKeyId", orbit.CodeDenied, false, "the S3 store at %s refuses the credentials (InvalidAccessKeyId); check AWS_ACCESS_KEY and AWS_SECRET_KEY in secrets"},
		{403, "SignatureDoesNotMatch", orbit.CodeDenied, false, "the S3 store at %s refuses the credentials (SignatureDoesNotMatch); check AWS_ACCESS_KEY and AWS_SECRET_KEY in secrets"},
		{400, "ExpiredToken", orbit.CodeDenied, false, "the S3 store at %s no longer takes the session token; renew AWS_SESSION_TOKEN in secrets"},
		{404, "NoSuchBucket", orbit.CodeNotFound, false, "bucket bucket was not found at %s; check its name and the endpoint"},
		{301, "PermanentRedirect", orbit.CodeInvalidConfig, false, "bucket bucket at %s is in another region; set AWS_REGION in secrets to the region of the bucket"},
		{403, "InvalidObjectState", orbit.CodeRejected, false, "bucket bucket is archived and cannot be read at %s; restore it first"},
		{400, "InvalidArgument", orbit.CodeRejected, false, "the S3 store at %s rejects the request for bucket bucket (HTTP 400); check the path and the endpoint"},
		{403, "RequestTimeTooSkewed", orbit.CodeUnavailable, true, "the clocks of this node and of the S3 store at %s differ too much; set the node's clock"},
		{503, "SlowDown", orbit.CodeUnavailable, true, "the S3 store at %s cannot serve bucket bucket at the moment (HTTP 503); try again later"},
		{500, "InternalError", orbit.CodeUnavailable, true, "the S3 store at %s cannot serve bucket bucket at the moment (HTTP 500); try again later"},
		{429, "TooManyRequests", orbit.CodeUnavailable, true, "the S3 store at %s cannot serve bucket bucket at the moment (HTTP 429); try again later"},
		{400, "RequestTimeout", orbit.CodeUnavailable, true, "the S3 store at %s cannot serve bucket bucket at the moment (HTTP 400); try again later"},
	} {
		t.Run(c.code, func(t *testing.T) {
			s3 := newFakeS3(t)
			s3.Refuse = &standin.Refusal{Status: c.status, Code: c.code}
			_, err := getS3(t, s3, config{"bucket": "bucket"})
			wantError(t, err, c.want, c.retryable, fmt.Sprintf(c.message, s3.host()))
			noCanary(t, err)
		})
	}
}

func TestASingleObjectThatIsNotThereIsNotFound(t *testing.T) {
	s3 := newFakeS3(t, "a.pdf")
	_, err := getS3(t, s3, config{"file-path": "s3://bucket/b.pdf"})
	wantError(t, err, orbit.CodeNotFound, false, "s3://bucket/b.pdf was not found at "+s3.host()+"; check the path")
	_, err = getS3(t, s3, config{"file-path": "s3://forbidden/b.pdf"})
	wantError(t, err, orbit.CodeDenied, false,
		"the credentials in secrets may not read s3://forbidden/b.pdf at "+s3.host()+"; allow them s3:ListBucket on the bucket and s3:GetObject on its objects")
}

func TestWithoutCredentialsOnlyAPublicBucketIsRead(t *testing.T) {
	s3 := newFakeS3(t, "a.pdf")
	none := config{"bucket": "bucket", "secrets": map[string]any{}}
	_, err := getS3(t, s3, none)
	wantError(t, err, orbit.CodeDenied, false, "bucket bucket at "+s3.host()+" cannot be read without credentials; add AWS_ACCESS_KEY and AWS_SECRET_KEY to secrets")
	s3.Public = true
	got, err := getS3(t, s3, none)
	if err != nil || len(got) != 1 || s3.LastKey() != "" {
		t.Errorf("got %v, %v with key %v", got, err, s3.LastKey())
	}
}

func TestAStoreThatCannotBeReachedIsTriedAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s3 := newFakeS3(t)
	for _, c := range []struct{ endpoint, message string }{
		{"http://" + address, "the S3 store at " + address + " cannot be reached (connection refused); check the endpoint and the network"},
		{"https://" + s3.host(), "the S3 store at " + s3.host() + " cannot be reached (it speaks http, not https); check the endpoint and the network"},
	} {
		secrets := keys()
		secrets["AWS_ENDPOINT"] = c.endpoint
		_, err = getS3(t, s3, config{"bucket": "bucket", "secrets": secrets})
		wantError(t, err, orbit.CodeUnavailable, true, c.message)
	}
}

func TestOneFailedRequestInAListingIsTriedAgainAtOnce(t *testing.T) {
	s3 := newFakeS3(t, "a.pdf")
	s3.FailFirst.Store(1)
	o := newOpener(t, s3.URL)
	o.attempts = httpAttempts
	got, err := run(t.Context(), find(t, o, "get-files-from-s3"), &satellite.Invocation{Config: config{"bucket": "bucket", "secrets": keys()}})
	if err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestOutputsHoldNoCredentials(t *testing.T) {
	s3 := newFakeS3(t, "a.pdf", "b/c.pdf")
	got, err := getS3(t, s3, config{"bucket": "bucket", "recursive": true})
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	out, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	noCanary(t, string(out))
}

func noCanary(t *testing.T, v any) {
	t.Helper()
	if text := fmt.Sprint(v); strings.Contains(text, "CANARY") {
		t.Errorf("a credential is readable in %s", text)
	}
}
