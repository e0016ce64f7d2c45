package files

import (
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/exospherehost/orbit"
)

// place is where a file is: an absolute path of the node, or a key of a bucket.
type place struct {
	bucket string // "": a file of the node
	path   string // absolute path, or key
}

// uri writes the place as file:///… or s3://bucket/key, percent-escaped.
func (p place) uri() string {
	escaped := (&url.URL{Path: p.path}).EscapedPath()
	if p.bucket == "" {
		return "file://" + escaped
	}
	return "s3://" + p.bucket + "/" + escaped
}

func (p place) name() string { return path.Base(p.path) }

// parseURI reads what uri writes, and absolute paths, which are taken literally.
func parseURI(uri string) (place, error) {
	if rest, ok := strings.CutPrefix(uri, "s3://"); ok {
		bucket, key, _ := strings.Cut(rest, "/")
		if strings.ContainsAny(bucket, "@:") {
			return place{}, errURICredentials
		}
		if bucket == "" || key == "" {
			return place{}, orbit.Permanent(orbit.CodeInvalidInput, "%q names no file; write it as s3://bucket/key", uri)
		}
		return place{bucket: bucket, path: unescape(key)}, nil
	}
	if rest, ok := strings.CutPrefix(uri, "file://"); ok {
		host, _, _ := strings.Cut(rest, "/")
		if local := unescape(strings.TrimPrefix(rest, host)); (host == "" || host == "localhost") && local != "" {
			return place{path: filepath.Clean(local)}, nil
		}
		return place{}, orbit.Permanent(orbit.CodeInvalidInput, "%q names no file of this machine; write it as file:///folder/name", uri)
	}
	if filepath.IsAbs(uri) {
		return place{path: filepath.Clean(uri)}, nil
	}
	if scheme, _, ok := strings.Cut(uri, "://"); ok { // the rest may hold a password or a signature
		return place{}, orbit.Permanent(orbit.CodeInvalidInput, "files at %s:// cannot be opened; use file:///folder/name or s3://bucket/key", scheme)
	}
	return place{}, orbit.Permanent(orbit.CodeInvalidInput, "%q is neither a URI nor an absolute path; use file:///folder/name or s3://bucket/key", uri)
}

// errURICredentials quotes nothing: what stands before the @ is a password.
var errURICredentials = orbit.Permanent(orbit.CodeInvalidInput, "a URI of S3 has no room for credentials or a port; write s3://bucket/key, and put keys and AWS_ENDPOINT into secrets")

// unescape undoes percent-escapes. Text that holds a stray % was typed by a person and is taken as it is.
func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
