package files

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
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
	copies    atomic.Int32 // objects copied by the store itself
	lastKey   atomic.Value // access key of the last request

	mu      sync.Mutex
	content map[string]string // of objects that do not hold their own key
}

var fakeTime = time.Date(2025, 3, 1, 12, 30, 0, 0, time.UTC)

func newFakeS3(t *testing.T, keys ...string) *fakeS3 {
	t.Helper()
	slices.Sort(keys)
	f := &fakeS3{keys: keys, pageSize: 1000, content: map[string]string{}}
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
	f.mu.Lock()
	defer f.mu.Unlock()
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
	case key == "" && r.Method == http.MethodHead:
	case key == "":
		f.list(w, r.URL.Query())
	case r.Method == http.MethodPut:
		f.put(w, r, key)
	case r.Method == http.MethodDelete:
		if i, ok := slices.BinarySearch(f.keys, key); ok {
			f.keys = slices.Delete(f.keys, i, i+1)
		}
		delete(f.content, key)
		w.WriteHeader(http.StatusNoContent)
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
	body := f.holds(key)
	w.Header().Set("Last-Modified", fakeTime.Format(http.TimeFormat))
	w.Header().Set("ETag", `"etag-of-`+url.QueryEscape(body)+`"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	if f.cutBody {
		body = body[:len(body)/2]
	}
	_, _ = w.Write([]byte(body))
}

func (f *fakeS3) holds(key string) string {
	if body, ok := f.content[key]; ok {
		return body
	}
	return key
}

// put writes or copies an object.
func (f *fakeS3) put(w http.ResponseWriter, r *http.Request, key string) {
	body := ""
	if from := r.Header.Get("X-Amz-Copy-Source"); from != "" {
		f.copies.Add(1)
		from, _ = url.PathUnescape(from)
		_, from, _ = strings.Cut(strings.TrimPrefix(from, "/"), "/")
		if _, ok := slices.BinarySearch(f.keys, from); !ok {
			fail(w, http.StatusNotFound, "NoSuchKey")
			return
		}
		body = f.holds(from)
	} else {
		data, err := io.ReadAll(signedChunks(r))
		if err != nil {
			fail(w, http.StatusBadRequest, "IncompleteBody")
			return
		}
		body = string(data)
	}
	if i, ok := slices.BinarySearch(f.keys, key); !ok {
		f.keys = slices.Insert(f.keys, i, key)
	}
	f.content[key] = body
	etag := `"etag-of-` + url.QueryEscape(body) + `"`
	w.Header().Set("ETag", etag)
	if r.Header.Get("X-Amz-Copy-Source") != "" {
		fmt.Fprintf(w, "<CopyObjectResult><ETag>%s</ETag><LastModified>%s</LastModified></CopyObjectResult>", etag, fakeTime.Format(time.RFC3339))
	}
}

// signedChunks takes the signatures out of a body that is sent in chunks, each signed (docs.aws.amazon.com, Signature
// Calculations: Transferring Payload in Multiple Chunks).
func signedChunks(r *http.Request) io.Reader {
	if r.Header.Get("X-Amz-Decoded-Content-Length") == "" {
		return r.Body
	}
	in, out := bufio.NewReader(r.Body), &bytes.Buffer{}
	for {
		line, err := in.ReadString('\n')
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, bad := strconv.ParseInt(size, 16, 32)
		if err != nil || bad != nil {
			return iotest.ErrReader(io.ErrUnexpectedEOF)
		}
		if n == 0 {
			return out
		}
		if _, err := io.CopyN(out, in, n); err != nil {
			return iotest.ErrReader(io.ErrUnexpectedEOF)
		}
		_, _ = in.ReadString('\n')
	}
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
			url.QueryEscape(key), fakeTime.Format("2006-01-02T15:04:05.000Z"), url.QueryEscape(f.holds(key)), len(f.holds(key)))
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
