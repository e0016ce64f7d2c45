package files

import (
	"context"
	"io"

	"github.com/minio/minio-go/v7"
)

// s3Store is one S3-compatible store, opened with one set of credentials.
type s3Store struct {
	s3     *minio.Core
	host   string // for sentences
	same   string // what all addresses of the store have in common
	signed bool   // it has credentials
	google bool

	keyName, secretName string // of the credentials, in secrets
}

func (s *s3Store) identity() string { return s.same }

// list implements store.
func (s *s3Store) list(ctx context.Context, q query, take func(found) error) error {
	return listKeys(ctx, s, q, take)
}

// keys implements flat.
func (s *s3Store) keys(ctx context.Context, at place, deep bool, take func(found) error) error {
	listing := s.s3.ListObjectsIter(ctx, at.bucket, minio.ListObjectsOptions{
		Prefix:     at.path,
		Recursive:  deep,
		FetchOwner: new(bool), // false: nobody looks at owners, and some stores do not know them
	})
	for info := range listing {
		if info.Err != nil {
			return s.fault(ctx, info.Err, place{provider: at.provider, bucket: at.bucket}, reading)
		}
		if err := take(foundKey(at, info)); err != nil {
			return err
		}
	}
	return ctx.Err() // the listing ends without a word when ctx does
}

// stat implements store.
func (s *s3Store) stat(ctx context.Context, at place) (found, error) {
	info, err := s.s3.StatObject(ctx, at.bucket, at.path, minio.StatObjectOptions{})
	if err != nil {
		return found{}, s.fault(ctx, err, at, reading)
	}
	info.Key = at.path
	return foundKey(at, info), nil
}

func foundKey(at place, info minio.ObjectInfo) found {
	at.path = info.Key
	return found{at: at, size: info.Size, modified: info.LastModified, etag: info.ETag}
}

// open implements store.
func (s *s3Store) open(ctx context.Context, at place) (io.ReadCloser, int64, error) {
	body, info, _, err := s.s3.GetObject(ctx, at.bucket, at.path, minio.GetObjectOptions{})
	if err != nil {
		return nil, 0, s.fault(ctx, err, at, reading)
	}
	return &download{body: body, fault: func(err error) error { return s.fault(ctx, err, at, reading) }}, info.Size, nil
}
