package files

import (
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/minio/minio-go/v7"
)

// s3Attempts is how often a request to S3 is tried: enough for one lost connection in a listing of thousands of
// requests. A store that is down is left to the retries of the item.
const s3Attempts = 3

// Opener opens files by URI. It is safe for concurrent use.
type Opener struct {
	endpoint  string          // of S3 where the secrets name none; "" is AWS
	attempts  int             // s3Attempts; 1 in tests that expect a failure
	transport *http.Transport // shared by all stores, so that a client dropped from the cache leaves no connections

	mu     sync.Mutex
	stores map[account]*store
	used   []account // keys of stores, the longest unused first
}

// NewOpener makes an Opener. endpoints may hold, under "s3", the URL of an S3-compatible store that is used where the
// secrets name none; without one that is AWS.
func NewOpener(endpoints map[string]string) *Opener {
	transport, err := minio.DefaultTransport(true)
	if err != nil {
		transport = &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true} // files come as they are stored
	}
	return &Opener{
		endpoint:  endpoints["s3"],
		attempts:  s3Attempts,
		transport: transport,
		stores:    map[account]*store{},
	}
}

// Open opens a file for reading: file:///folder/name, an absolute path, or s3://bucket/key. size is -1 where the store
// does not tell it. For S3 the first of the secrets maps that has AWS_ACCESS_KEY is used; ctx bounds the reading as well
// as the opening. Errors, those of reading included, are *orbit.Error or that of ctx.
func (o *Opener) Open(ctx context.Context, uri string, secrets ...map[string]string) (rc io.ReadCloser, size int64, err error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	at, err := parseURI(uri)
	if err != nil {
		return nil, 0, err
	}
	if at.bucket == "" {
		return openLocal(at.path)
	}
	s, err := o.store(secrets...)
	if err != nil {
		return nil, 0, err
	}
	return s.open(ctx, at)
}

// Close lets go of idle connections. Files that are open stay so.
func (o *Opener) Close() { o.transport.CloseIdleConnections() }
