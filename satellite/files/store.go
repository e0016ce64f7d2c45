package files

import (
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"github.com/exospherehost/orbit"
)

// maxStores bounds the cache of clients: more sets of credentials than a node serves at a time.
const maxStores = 64

// store is one S3-compatible store, opened with one set of credentials.
type store struct {
	s3     *minio.Core
	host   string // for sentences
	signed bool   // it has credentials
}

// store gives the client for the credentials in secrets, from the cache where it is there.
func (o *Opener) store(secrets ...map[string]string) (*store, error) {
	a, err := newAccount(o.endpoint, secrets)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if s := o.stores[a]; s != nil {
		i := slices.Index(o.used, a)
		o.used = append(slices.Delete(o.used, i, i+1), a)
		return s, nil
	}
	s, err := o.connect(a)
	if err != nil {
		return nil, err
	}
	if len(o.used) == maxStores {
		delete(o.stores, o.used[0])
		o.used = slices.Delete(o.used, 0, 1)
	}
	o.stores[a], o.used = s, append(o.used, a)
	return s, nil
}

// connect makes a client. It sends nothing yet.
func (o *Opener) connect(a account) (*store, error) {
	endpoint, err := url.Parse(a.endpoint)
	if err != nil || endpoint.Host == "" || strings.Trim(endpoint.Path, "/") != "" ||
		(endpoint.Scheme != "http" && endpoint.Scheme != "https") {
		return nil, errEndpoint
	}
	amazon := s3utils.IsAmazonEndpoint(*endpoint)
	options := &minio.Options{
		Creds:      credentials.NewStaticV4(a.accessKey, a.secretKey, a.sessionToken),
		Secure:     endpoint.Scheme == "https",
		Transport:  o.transport,
		Region:     a.region,
		MaxRetries: o.attempts,
	}
	if !amazon {
		options.BucketLookup = minio.BucketLookupPath // other stores seldom have a host name for each bucket
		if a.region == "" {
			options.Region = "us-east-1" // what they sign with; else each bucket's region is asked for first
		}
	}
	core, err := minio.NewCore(endpoint.Host, options)
	if err != nil {
		return nil, errEndpoint
	}
	return &store{s3: core, host: endpoint.Host, signed: a.accessKey != ""}, nil
}

var errEndpoint = orbit.Permanent(orbit.CodeInvalidConfig,
	"the endpoint of the S3 store is no URL of a host; write AWS_ENDPOINT like https://minio.example.com:9000")

// open gets an object. Its body streams: ctx must live as long as it is read.
func (s *store) open(ctx context.Context, at place) (io.ReadCloser, int64, error) {
	if err := at.check(); err != nil {
		return nil, 0, err
	}
	body, info, _, err := s.s3.GetObject(ctx, at.bucket, at.path, minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, s.fault(ctx, err, at)
	}
	return &object{body: body, ctx: ctx, store: s, at: at}, info.Size, nil
}

// check finds names that no store has, which the client would report without saying whose fault they are.
func (p place) check() error {
	if err := s3utils.CheckValidBucketName(p.bucket); err != nil {
		return orbit.Permanent(orbit.CodeInvalidConfig, "%q cannot be the name of a bucket; check bucket, or the part after s3://", p.bucket)
	}
	if err := s3utils.CheckValidObjectNamePrefix(p.path); err != nil {
		return orbit.Permanent(orbit.CodeInvalidInput, "a key of bucket %s is longer than 1024 bytes or no UTF-8; check the path", p.bucket)
	}
	return nil
}

// object is the body of an object of S3; its errors are sentences.
type object struct {
	body  io.ReadCloser
	ctx   context.Context // of Open, which bounds the reading
	store *store
	at    place
}

// Read implements io.Reader.
func (o *object) Read(p []byte) (int, error) {
	n, err := o.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = o.store.fault(o.ctx, err, o.at)
	}
	return n, err
}

// Close implements io.Closer.
func (o *object) Close() error { return o.body.Close() }
