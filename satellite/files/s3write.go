package files

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/minio/minio-go/v7"
)

// s3Part is the size of the parts in which a large object is sent, and so of the memory that takes: 10,000 of them make
// 160 GB, and the client makes them larger where that is not enough.
const s3Part = 16 << 20

// s3OneCopy is the largest object that one request copies (docs.aws.amazon.com, CopyObject): 5 GB. Google has no parts
// that are copied, and no such limit.
const s3OneCopy = 5 << 30

// create implements store: an object appears when it is complete.
func (s *s3Store) create(ctx context.Context, at place, body io.Reader, size int64) error {
	from := &upload{body: body}
	_, err := s.s3.Client.PutObject(ctx, at.bucket, at.path, from, size, minio.PutObjectOptions{
		ContentType: contentType(at.path), PartSize: s3Part, NumThreads: 1,
	})
	if from.err != nil {
		return from.err // not the store's
	}
	if err != nil {
		return s.fault(ctx, err, at, writing)
	}
	return nil
}

// copy implements copier.
func (s *s3Store) copy(ctx context.Context, from found, to place) error {
	src := minio.CopySrcOptions{Bucket: from.at.bucket, Object: from.at.path}
	dst := minio.CopyDestOptions{Bucket: to.bucket, Object: to.path}
	var err error
	if from.size <= s3OneCopy || s.google {
		_, err = s.s3.Client.CopyObject(ctx, dst, src)
	} else {
		_, err = s.s3.ComposeObject(ctx, dst, src)
	}
	if err != nil {
		return s.fault(ctx, err, to, writing)
	}
	return nil
}

// remove implements store. S3 does not say whether there was something to delete, so that is asked for first.
func (s *s3Store) remove(ctx context.Context, at place) (bool, error) {
	if _, err := s.s3.StatObject(ctx, at.bucket, at.path, minio.StatObjectOptions{}); err != nil {
		var answer minio.ErrorResponse
		status := 0
		if errors.As(err, &answer) {
			status = answer.StatusCode
		}
		switch {
		case status == http.StatusNotFound:
			return false, s.bucketIsThere(ctx, at)
		case status != http.StatusForbidden: // keys may be allowed to delete and not to read
			return false, s.fault(ctx, err, at, deleting)
		}
	}
	if err := s.s3.RemoveObject(ctx, at.bucket, at.path, minio.RemoveObjectOptions{}); err != nil {
		return false, s.fault(ctx, err, at, deleting)
	}
	return true, nil
}

// bucketIsThere tells a missing bucket from a missing object, which look the same to HEAD.
func (s *s3Store) bucketIsThere(ctx context.Context, at place) error {
	there, err := s.s3.BucketExists(ctx, at.bucket)
	if err == nil && !there {
		return s.fault(ctx, minio.ErrorResponse{Code: "NoSuchBucket", StatusCode: http.StatusNotFound}, at, deleting)
	}
	var answer minio.ErrorResponse
	if err != nil && !(errors.As(err, &answer) && answer.StatusCode == http.StatusForbidden) {
		return s.fault(ctx, err, at, deleting)
	}
	return nil
}
