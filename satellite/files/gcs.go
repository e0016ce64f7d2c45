package files

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/exospherehost/orbit"
)

// gcsStore is Google Cloud Storage by its JSON API (cloud.google.com/storage/docs/json_api/v1/objects).
type gcsStore struct{ *rest }

func (s *gcsStore) identity() string { return s.host }

// gcsObject is what the API says of an object, as far as it is asked for.
type gcsObject struct {
	Name    string
	Size    string // a number, written as text
	Updated time.Time
	Etag    string
}

const gcsFields = "name,size,updated,etag"

func (g gcsObject) found(at place) found {
	size, err := strconv.ParseInt(g.Size, 10, 64)
	if err != nil {
		size = 0
	}
	at.path = g.Name
	return found{at: at, size: size, modified: g.Updated, etag: g.Etag}
}

// gcsPath is the address of a bucket's objects, or of one of them.
func gcsPath(at place) string {
	path := "/storage/v1/b/" + url.PathEscape(at.bucket) + "/o"
	if at.path != "" {
		path += "/" + url.PathEscape(at.path)
	}
	return path
}

// list implements store.
func (s *gcsStore) list(ctx context.Context, q query, take func(found) error) error {
	return listKeys(ctx, s, q, take)
}

// keys implements flat.
func (s *gcsStore) keys(ctx context.Context, at place, deep bool, take func(found) error) error {
	bucket := place{provider: at.provider, bucket: at.bucket}
	query := url.Values{"maxResults": {"1000"}, "fields": {"nextPageToken,items(" + gcsFields + ")"}}
	if at.path != "" {
		query.Set("prefix", at.path)
	}
	if !deep {
		query.Set("delimiter", "/")
	}
	for {
		var page struct {
			NextPageToken string
			Items         []gcsObject
		}
		if _, err := s.answer(ctx, call{method: http.MethodGet, path: gcsPath(bucket), query: query, at: bucket, deed: reading}, asJSON, &page); err != nil {
			return err
		}
		for _, item := range page.Items {
			if err := take(item.found(bucket)); err != nil {
				return err
			}
		}
		if page.NextPageToken == "" {
			return nil
		}
		query.Set("pageToken", page.NextPageToken)
	}
}

// stat implements store.
func (s *gcsStore) stat(ctx context.Context, at place) (found, error) {
	var o gcsObject
	c := call{method: http.MethodGet, path: gcsPath(at), query: url.Values{"fields": {gcsFields}}, at: at, deed: reading}
	if _, err := s.answer(ctx, c, asJSON, &o); err != nil {
		return found{}, err
	}
	o.Name = at.path
	return o.found(at), nil
}

// open implements store. An object that is stored compressed is asked for as it is: else Google unpacks it on the way.
func (s *gcsStore) open(ctx context.Context, at place) (io.ReadCloser, int64, error) {
	return s.download(ctx, call{method: http.MethodGet, path: gcsPath(at), query: url.Values{"alt": {"media"}},
		header: map[string]string{"Accept-Encoding": "gzip"}, at: at, deed: reading})
}

// create implements store: an object appears when all of it has come.
func (s *gcsStore) create(ctx context.Context, at place, body io.Reader, size int64) error {
	from := &upload{body: body}
	var o gcsObject
	c := call{method: http.MethodPost, path: "/upload" + gcsPath(place{bucket: at.bucket}),
		query:  url.Values{"uploadType": {"media"}, "name": {at.path}, "fields": {gcsFields}},
		header: map[string]string{"Content-Type": contentType(at.path)}, body: from, size: size, at: at, deed: writing}
	if _, err := s.answer(ctx, c, asJSON, &o); err != nil {
		if from.err != nil {
			return from.err // not the store's
		}
		return err
	}
	return nil
}

// copy implements copier. Google copies a large object in pieces, and is asked to go on until it is done.
func (s *gcsStore) copy(ctx context.Context, from found, to place) error {
	query := url.Values{"fields": {"done,rewriteToken"}}
	for {
		var progress struct {
			Done         bool
			RewriteToken string
		}
		c := call{method: http.MethodPost, path: gcsPath(from.at) + "/rewriteTo" + gcsPath(to)[len("/storage/v1"):], query: query, at: to, deed: writing}
		if _, err := s.answer(ctx, c, asJSON, &progress); err != nil {
			return err
		}
		if progress.Done {
			return nil
		}
		if progress.RewriteToken == "" {
			return orbit.Transient(orbit.CodeUnavailable, "%s at %s stopped copying to %s half way; it is begun again", s.title, s.host, to.uri())
		}
		query.Set("rewriteToken", progress.RewriteToken)
	}
}

// remove implements store.
func (s *gcsStore) remove(ctx context.Context, at place) (bool, error) {
	_, err := s.answer(ctx, call{method: http.MethodDelete, path: gcsPath(at), at: at, deed: deleting}, nil, nil)
	if isNotFound(err) {
		return false, s.bucketIsThere(ctx, at)
	}
	return err == nil, err
}

// bucketIsThere tells a missing bucket from a missing object, whose answers are the same.
func (s *gcsStore) bucketIsThere(ctx context.Context, at place) error {
	bucket := place{provider: at.provider, bucket: at.bucket}
	c := call{method: http.MethodGet, path: gcsPath(bucket), query: url.Values{"maxResults": {"1"}, "fields": {"nextPageToken"}}, at: bucket, deed: deleting}
	_, err := s.answer(ctx, c, nil, nil)
	if err != nil && orbit.AsError(err).Code == orbit.CodeDenied {
		return nil // who may delete need not be allowed to list
	}
	return err
}
