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
