package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// The accounts that the cluster file's secrets are of: one for the reports, one for the failure bucket alone.
const (
	accessKey, secretKey               = "your-aws-access-key", "your-aws-secret-key"
	failureAccessKey, failureSecretKey = "your-failure-s3-aws-access-key", "your-failure-s3-aws-secret-key"
)

// store is an S3 server over a folder.
type store struct {
	url           string
	reports, fail *minio.Client
}

func startStore(ctx context.Context, procs *processes, o Options) (*store, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	s := &store{url: "http://" + addr}
	folder, iam, side := filepath.Join(o.Dir, "buckets"), filepath.Join(o.Dir, "accounts"), filepath.Join(o.Dir, "sidecar")
	for _, dir := range []string{folder, iam, side} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if err := procs.start("versitygw", o.S3, "--access", accessKey, "--secret", secretKey, "--port", addr, "--health", "/health", "--quiet", "--iam-dir", iam, "posix", "--sidecar", side, folder); err != nil {
		return nil, err
	}
	if err := ready(ctx, s.url+"/health"); err != nil {
		return nil, err
	}
	if err := procs.do(ctx, o.S3, "admin", "--access", accessKey, "--secret", secretKey, "--endpoint-url", s.url,
		"create-user", "--access", failureAccessKey, "--secret", failureSecretKey, "--role", "userplus"); err != nil {
		return nil, err
	}
	if s.reports, err = s.client(accessKey, secretKey); err != nil {
		return nil, err
	}
	if s.fail, err = s.client(failureAccessKey, failureSecretKey); err != nil {
		return nil, err
	}
	return s, errors.Join(s.reports.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}), s.fail.MakeBucket(ctx, failureBucket, minio.MakeBucketOptions{}))
}

func (s *store) client(access, secret string) (*minio.Client, error) {
	u, err := url.Parse(s.url)
	if err != nil {
		return nil, err
	}
	return minio.New(u.Host, &minio.Options{Creds: credentials.NewStaticV4(access, secret, ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath})
}

// upload puts the reports of a folder where the cluster looks for them, and gives their number.
func (s *store) upload(ctx context.Context, folder string) (n int, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.pdf"))
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		if _, err := s.reports.FPutObject(ctx, bucket, prefix+filepath.Base(f), f, minio.PutObjectOptions{ContentType: "application/pdf"}); err != nil {
			return 0, err
		}
	}
	return len(files), nil
}

// list gives the keys of a bucket.
func (s *store) list(ctx context.Context, bucket string) (keys []string, err error) {
	client := s.reports
	if bucket == failureBucket {
		client = s.fail
	}
	for o := range client.ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			return nil, o.Err
		}
		keys = append(keys, o.Key)
	}
	return keys, nil
}

// has tells whether a key is there.
func (s *store) has(ctx context.Context, bucket, key string) bool {
	_, err := s.reports.StatObject(ctx, bucket, key, minio.StatObjectOptions{})
	return err == nil
}

// ready waits until a URL answers.
func ready(ctx context.Context, url string) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode < 300 {
				return nil
			}
			err = errors.New(resp.Status)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", url, err)
		}
	}
}
