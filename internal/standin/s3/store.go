// Package s3 is a stand-in for an S3 store: one bucket in memory, and of Amazon's API what moving single files and listing many
// takes: GET, HEAD, PUT, DELETE and copies of objects, and ListObjectsV2. Tests make it fail in the ways that stores do, and
// benchmarks list a bucket of a size that a real server over a folder of this machine would take a minute for.
//
// It looks at nobody's signature, but for the name of the access key.
package s3

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The buckets that it tells from others. Whatever is asked of Forbidden is refused; any other is not there.
const (
	Bucket    = "bucket"
	Forbidden = "forbidden"
)

// Modified is when all its objects were written.
var Modified = time.Date(2025, 3, 1, 12, 30, 0, 0, time.UTC)

// Refusal is an answer that is an error.
type Refusal struct {
	Status int
	Code   string
}

// Options say how it behaves. They may be changed between requests.
type Options struct {
	AccessKey, SecretKey string // the one account; both are repeated in errors, as some stores do
	PageSize             int    // keys of a page of a listing; 0: 1,000
	Public               bool   // no credentials are needed
	Refuse               *Refusal
	CutBody              bool // an object breaks off half way
}

// Store answers requests. It is an http.Handler.
type Store struct {
	Options
	FailFirst atomic.Int32 // requests that are answered with 503
	Requests  atomic.Int32 // so far
	Pages     atomic.Int32 // listings so far
	Copies    atomic.Int32 // objects copied by the store itself

	mu      sync.Mutex
	keys    []string          // sorted
	content map[string]string // of objects that do not hold their own key
	last    string            // access key of the last request
}

// New makes a store whose bucket has these keys. Each object holds its own.
func New(o Options, keys ...string) *Store {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	return &Store{Options: o, keys: keys, content: map[string]string{}}
}

// Keys are those of the bucket, in byte order.
func (s *Store) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.keys)
}

// Content is what an object holds.
func (s *Store) Content(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.holds(key)
}

// LastKey is the access key of the last request; "" without one.
func (s *Store) LastKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// ServeHTTP implements http.Handler.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Requests.Add(1)
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	accessKey, _, _ := strings.Cut(credential, "/")
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = accessKey
	switch {
	case s.FailFirst.Add(-1) >= 0:
		s.fail(w, http.StatusServiceUnavailable, "SlowDown")
	case s.Refuse != nil:
		s.fail(w, s.Refuse.Status, s.Refuse.Code)
	case !s.Public && accessKey == "":
		s.fail(w, http.StatusForbidden, "AccessDenied")
	case !s.Public && accessKey != s.AccessKey:
		s.fail(w, http.StatusForbidden, "InvalidAccessKeyId")
	case bucket == Forbidden:
		s.fail(w, http.StatusForbidden, "AccessDenied")
	case bucket != Bucket:
		s.fail(w, http.StatusNotFound, "NoSuchBucket")
	case key == "" && r.Method == http.MethodHead:
	case key == "":
		s.list(w, r.URL.Query())
	case r.Method == http.MethodPut:
		s.put(w, r, key)
	case r.Method == http.MethodDelete:
		if i, ok := slices.BinarySearch(s.keys, key); ok {
			s.keys = slices.Delete(s.keys, i, i+1)
		}
		delete(s.content, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		s.object(w, r, key)
	}
}

// fail answers with an error that repeats the credentials.
func (s *Store) fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no: %s %s</Message><AWSAccessKeyId>%s</AWSAccessKeyId></Error>", code, s.AccessKey, s.SecretKey, s.AccessKey)
}

func (s *Store) object(w http.ResponseWriter, r *http.Request, key string) {
	if _, ok := slices.BinarySearch(s.keys, key); !ok {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		s.fail(w, http.StatusNotFound, "NoSuchKey")
		return
	}
	body := s.holds(key)
	w.Header().Set("Last-Modified", Modified.Format(http.TimeFormat))
	w.Header().Set("ETag", `"`+etag(body)+`"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	if s.CutBody {
		body = body[:len(body)/2]
	}
	_, _ = w.Write([]byte(body)) // who has gone needs no more
}

func (s *Store) holds(key string) string {
	if body, ok := s.content[key]; ok {
		return body
	}
	return key
}

// etag is that of an object which was written in one piece.
func etag(body string) string {
	sum := md5.Sum([]byte(body))
	return hex.EncodeToString(sum[:])
}
