package files

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	canaryKey    = "CANARYACCESSKEY"
	canarySecret = "CANARY-secret-key"
)

// keys are the credentials that fakeS3 knows.
func keys() map[string]any {
	return map[string]any{"AWS_ACCESS_KEY": canaryKey, "AWS_SECRET_KEY": canarySecret}
}

// fakeS3 is an S3 store with one bucket, "bucket", in which each object holds its own key.
type fakeS3 struct {
	*httptest.Server
	keys      []string // sorted
	pageSize  int
	public    bool           // no credentials are needed
	failure   map[string]any // status and code of every answer
	failFirst atomic.Int32   // requests that are answered with 503
	cutBody   bool           // GET breaks off half way
	pages     atomic.Int32   // listing requests so far
	requests  atomic.Int32
	lastKey   atomic.Value // access key of the last request
}

var fakeTime = time.Date(2025, 3, 1, 12, 30, 0, 0, time.UTC)

func newFakeS3(t *testing.T, keys ...string) *fakeS3 {
	t.Helper()
	slices.Sort(keys)
	f := &fakeS3{keys: keys, pageSize: 1000}
	f.lastKey.Store("")
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Server.Close)
	return f
}

func (f *fakeS3) host() string { return strings.TrimPrefix(f.URL, "http://") }

// ServeHTTP implements http.Handler.
func (f *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.requests.Add(1)
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	accessKey, _, _ := strings.Cut(credential, "/")
	f.lastKey.Store(accessKey)
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case f.failFirst.Add(-1) >= 0:
		fail(w, http.StatusServiceUnavailable, "SlowDown")
	case f.failure != nil:
		fail(w, f.failure["status"].(int), f.failure["code"].(string))
	case !f.public && accessKey == "":
		fail(w, http.StatusForbidden, "AccessDenied")
	case !f.public && accessKey != canaryKey:
		fail(w, http.StatusForbidden, "InvalidAccessKeyId")
	case bucket == "forbidden":
		fail(w, http.StatusForbidden, "AccessDenied")
	case bucket != "bucket":
		fail(w, http.StatusNotFound, "NoSuchBucket")
	case key == "":
		f.list(w, r.URL.Query())
	default:
		f.object(w, r, key)
	}
}

// fail answers with an error that repeats the credentials, as some stores do.
func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no: %s %s</Message><AWSAccessKeyId>%s</AWSAccessKeyId></Error>", code, canaryKey, canarySecret, canaryKey)
}

func (f *fakeS3) object(w http.ResponseWriter, r *http.Request, key string) {
	if _, ok := slices.BinarySearch(f.keys, key); !ok {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fail(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	w.Header().Set("Last-Modified", fakeTime.Format(http.TimeFormat))
	w.Header().Set("ETag", `"etag-of-`+url.QueryEscape(key)+`"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(key)))
	if r.Method == http.MethodHead {
		return
	}
	if f.cutBody {
		key = key[:len(key)/2]
	}
	_, _ = w.Write([]byte(key))
}

// list is ListObjectsV2; the continuation token is the last key or common prefix of the page before.
func (f *fakeS3) list(w http.ResponseWriter, q url.Values) {
	f.pages.Add(1)
	prefix, delimiter, after := q.Get("prefix"), q.Get("delimiter"), q.Get("continuation-token")
	var page strings.Builder
	count, last, truncated := 0, "", false
	for _, key := range f.keys[sort.SearchStrings(f.keys, max(prefix, after)):] {
		if !strings.HasPrefix(key, prefix) {
			break
		}
		name := key
		if i := strings.Index(key[len(prefix):], "/"); delimiter == "/" && i >= 0 {
			name = key[:len(prefix)+i+1]
		}
		if name <= after || name == last {
			continue
		}
		if count == f.pageSize {
			truncated = true
			break
		}
		count, last = count+1, name
		if name != key || (delimiter == "/" && strings.HasSuffix(name, "/")) {
			fmt.Fprintf(&page, "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", url.QueryEscape(name))
			continue
		}
		fmt.Fprintf(&page, `<Contents><Key>%s</Key><LastModified>%s</LastModified><ETag>"etag-of-%s"</ETag><Size>%d</Size></Contents>`,
			url.QueryEscape(key), fakeTime.Format("2006-01-02T15:04:05.000Z"), url.QueryEscape(key), len(key))
	}
	token := ""
	if truncated {
		token = last
	}
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte(token))
	fmt.Fprintf(w, "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>%v</IsTruncated><NextContinuationToken>%s</NextContinuationToken>%s</ListBucketResult>",
		truncated, escaped.String(), page.String())
}
