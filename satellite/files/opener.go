package files

import (
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/minio/minio-go/v7"
)

// httpAttempts is how often a request to a store is tried: enough for one lost connection in a listing of thousands of
// requests. A store that is down is left to the retries of the item.
const httpAttempts = 3

// Opener opens files by URI. It is safe for concurrent use.
type Opener struct {
	endpoints map[string]string // of services, where the secrets name none
	attempts  int               // httpAttempts; 1 in tests that expect a failure
	transport *http.Transport   // shared by all stores, so that a client dropped from the cache leaves no connections

	mu     sync.Mutex
	stores map[account]store
	used   []account // keys of stores, the longest unused first
}

// NewOpener makes an Opener. endpoints may hold, under "s3", "gcs" and "azure-blob", the URL of the service that is used
// where the secrets name none; without one that is Amazon's, Google's or Microsoft's.
func NewOpener(endpoints map[string]string) *Opener {
	transport, err := minio.DefaultTransport(true)
	if err != nil {
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true} // files come as they are stored
	}
	return &Opener{
		endpoints: endpoints,
		attempts:  httpAttempts,
		transport: transport,
		stores:    map[account]store{},
	}
}

// Open opens a file for reading: an absolute path, file:///folder/name, s3://bucket/key, gs://bucket/key,
// az://container/blob, sftp://host/path or ftp://host/path. size is -1 where the store does not tell it. The first of the
// secrets maps that has credentials for the store is used; ctx bounds the reading as well as the opening. Errors, those of
// reading included, are *orbit.Error or that of ctx.
func (o *Opener) Open(ctx context.Context, uri string, secrets ...map[string]string) (rc io.ReadCloser, size int64, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	at, err := parseURI(uri)
	if err != nil {
		return nil, 0, err
	}
	if err := at.check(); err != nil {
		return nil, 0, err
	}
	s, err := o.store(at, lent(secrets)...)
	if err != nil {
		return nil, 0, err
	}
	return s.open(ctx, at)
}

// Close lets go of idle connections. Files that are open stay so.
func (o *Opener) Close() {
	o.mu.Lock()
	stores := o.stores
	o.stores, o.used = map[account]store{}, nil
	o.mu.Unlock()
	for _, s := range stores {
		leave(s)
	}
	o.transport.CloseIdleConnections()
}

// leave closes what a store keeps open of its own.
func leave(s store) {
	if c, ok := s.(interface{ leave() }); ok {
		c.leave()
	}
}
