package files

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
)

// azureStore is the blobs of one storage account (learn.microsoft.com/rest/api/storageservices/blob-service-rest-api).
type azureStore struct {
	*rest
	sas string // signature that a copy's source needs as well
}

func (s *azureStore) identity() string { return s.base }

func azurePath(at place) string {
	path := "/" + url.PathEscape(at.bucket)
	if at.path == "" {
		return path
	}
	for part := range strings.SplitSeq(at.path, "/") {
		path += "/" + url.PathEscape(part)
	}
	return path
}

// azurePage is one answer of List Blobs.
type azurePage struct {
	Blobs struct {
		Blob []struct {
			Name       azureName
			Properties struct {
				Modified string `xml:"Last-Modified"`
				Etag     string
				Length   int64  `xml:"Content-Length"`
				Type     string `xml:"ResourceType"` // directory, where the account has a hierarchical namespace
			}
		}
	}
	NextMarker string
}

// azureName is a name; one with characters that XML has not comes percent-escaped.
type azureName string

// UnmarshalXML implements xml.Unmarshaler.
func (n *azureName) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	var text struct {
		Encoded bool   `xml:"Encoded,attr"`
		Name    string `xml:",chardata"`
	}
	if err := d.DecodeElement(&text, &start); err != nil {
		return err
	}
	if text.Encoded {
		plain, err := url.PathUnescape(text.Name)
		if err != nil {
			return err
		}
		text.Name = plain
	}
	*n = azureName(text.Name)
	return nil
}

// list implements store.
func (s *azureStore) list(ctx context.Context, q query, take func(found) error) error {
	return listKeys(ctx, s, q, take)
}

// keys implements flat.
func (s *azureStore) keys(ctx context.Context, at place, deep bool, take func(found) error) error {
	container := place{provider: at.provider, bucket: at.bucket}
	query := url.Values{"restype": {"container"}, "comp": {"list"}, "maxresults": {"1000"}}
	if at.path != "" {
		query.Set("prefix", at.path)
	}
	if !deep {
		query.Set("delimiter", "/")
	}
	for {
		var page azurePage
		if _, err := s.answer(ctx, call{method: http.MethodGet, path: azurePath(container), query: query, at: container, deed: reading}, asXML, &page); err != nil {
			return err
		}
		for _, blob := range page.Blobs.Blob {
			if blob.Properties.Type == "directory" {
				continue
			}
			at := place{provider: at.provider, bucket: at.bucket, path: string(blob.Name)}
			f := found{at: at, size: blob.Properties.Length, modified: httpTime(blob.Properties.Modified), etag: strings.Trim(blob.Properties.Etag, `"`)}
			if err := take(f); err != nil {
				return err
			}
		}
		if page.NextMarker == "" {
			return nil
		}
		query.Set("marker", page.NextMarker)
	}
}

// httpTime reads a date of HTTP; the zero time where it is none.
func httpTime(text string) time.Time {
	at, err := http.ParseTime(text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// stat implements store.
func (s *azureStore) stat(ctx context.Context, at place) (found, error) {
	resp, err := s.do(ctx, call{method: http.MethodHead, path: azurePath(at), at: at, deed: reading})
	if err != nil {
		return found{}, err
	}
	resp.Body.Close()
	return found{at: at, size: max(resp.ContentLength, 0), modified: httpTime(resp.Header.Get("Last-Modified")), etag: strings.Trim(resp.Header.Get("Etag"), `"`)}, nil
}

// open implements store.
func (s *azureStore) open(ctx context.Context, at place) (io.ReadCloser, int64, error) {
	return s.download(ctx, call{method: http.MethodGet, path: azurePath(at), at: at, deed: reading})
}

// remove implements store. Snapshots of the blob go with it; without that it could not be deleted.
func (s *azureStore) remove(ctx context.Context, at place) (bool, error) {
	c := call{method: http.MethodDelete, path: azurePath(at), header: map[string]string{"X-Ms-Delete-Snapshots": "include"}, at: at, deed: deleting}
	resp, err := s.do(ctx, c)
	if err == nil {
		resp.Body.Close()
		return true, nil
	}
	var said *refused
	if isNotFound(err) && errors.As(err, &said) && said.word != "ContainerNotFound" {
		return false, nil
	}
	return false, err
}

// copyPoll is how often a copy that takes its time is asked after.
const copyPoll = 250 * time.Millisecond

// copy implements copier. Within an account most copies are done at once; the others are waited for.
func (s *azureStore) copy(ctx context.Context, from found, to place) error {
	source := s.base + azurePath(from.at)
	if s.sas != "" {
		source += "?" + s.sas
	}
	resp, err := s.do(ctx, call{method: http.MethodPut, path: azurePath(to), header: map[string]string{"X-Ms-Copy-Source": source}, at: to, deed: writing})
	for err == nil {
		resp.Body.Close()
		switch resp.Header.Get("X-Ms-Copy-Status") {
		case "success", "":
			return nil
		case "pending":
		default:
			return orbit.Transient(orbit.CodeUnavailable, "%s at %s could not copy to %s; it is begun again", s.title, s.host, to.uri())
		}
		if err := pause(ctx, copyPoll); err != nil {
			return err
		}
		resp, err = s.do(ctx, call{method: http.MethodHead, path: azurePath(to), at: to, deed: writing})
	}
	return err
}
