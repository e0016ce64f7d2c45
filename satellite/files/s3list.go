package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/minio/minio-go/v7"
)

// keys implements flat. While one page is taken, the next is asked for and read: of a page the client's own decoder alone would
// take longer than all else together, and the store's answer a good part of that again.
func (s *s3Store) keys(ctx context.Context, at place, deep bool, take func(found) error) error {
	ahead, stop := context.WithCancel(ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer stop()
	pages := make(chan []found) // with no room: one page is ahead, no more
	var failure error           // of asking, once pages is closed
	asking.Go(func() {
		defer close(pages)
		failure = s.ask(ahead, at, deep, func(page []found) error {
			select {
			case pages <- page:
				return nil
			case <-ahead.Done():
				return ahead.Err()
			}
		})
	})
	for page := range pages {
		for _, f := range page {
			if err := take(f); err != nil {
				return err
			}
		}
	}
	return failure
}

// ask gets a listing page by page. The client signs, sends and tries again; what it gets is read by a lister.
func (s *s3Store) ask(ctx context.Context, at place, deep bool, take func([]found) error) error {
	listing := s.s3.ListObjectsIter(context.WithValue(ctx, listingKey{}, &listing{at: at, take: take}), at.bucket, minio.ListObjectsOptions{
		Prefix:     at.path,
		Recursive:  deep,
		FetchOwner: new(bool), // false: nobody looks at owners, and some stores do not know them
	})
	for info := range listing { // what the lister has left to the client
		if info.Err != nil {
			return s.fault(ctx, info.Err, place{provider: at.provider, bucket: at.bucket}, reading)
		}
		if err := take([]found{foundKey(at, info)}); err != nil {
			return err
		}
	}
	return ctx.Err() // the listing ends without a word when ctx does
}

// listing is what a request for a page belongs to, in its context.
type listing struct {
	at   place
	take func([]found) error
	body bytes.Buffer // of the page that is read, one after the other
}

type listingKey struct{}

var errNoListing = errors.New("the answer is no listing")

// lister takes the files out of the pages of a listing on their way to the client, which gets nothing but where the next page
// begins. A page that it does not understand, or that is an error, goes to the client as it is.
type lister struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (l lister) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(req)
	asked, ok := req.Context().Value(listingKey{}).(*listing)
	if err != nil || !ok || resp.StatusCode != http.StatusOK || req.URL.Query().Get("list-type") != "2" {
		return resp, err
	}
	asked.body.Reset()
	if _, err := asked.body.ReadFrom(io.LimitReader(resp.Body, maxPage)); err != nil {
		resp.Body.Close()
		return nil, err // it broke off: the client asks again
	}
	page, ok := readPage(asked.at, asked.body.Bytes())
	if !ok && isNoListing(asked.body.Bytes()) {
		resp.Body.Close()
		return nil, errNoListing // the client would take it for a listing of nothing
	}
	if !ok {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(&asked.body, resp.Body), resp.Body}
		return resp, nil
	}
	resp.Body.Close()
	if err := asked.take(page.found); err != nil {
		return nil, err
	}
	rest := fmt.Sprintf("<ListBucketResult><IsTruncated>%t</IsTruncated><NextContinuationToken>%s</NextContinuationToken></ListBucketResult>", page.more, page.token)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader([]byte(rest))), int64(len(rest))
	return resp, nil
}
