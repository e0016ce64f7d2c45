package files

import (
	"context"
	"strings"

	"github.com/minio/minio-go/v7"
)

// bucket is a part of a bucket to be listed: the keys that begin with at.path.
type bucket struct {
	store     *store
	at        place
	recursive bool
	filter    filter
}

// list hands each wanted object to take, in byte order of their keys, page by page as the store gives them. Keys that
// end in a slash are folders and left out. Without recursive, a prefix without a slash takes the files beside the folder
// of that name and the files in it.
func (b bucket) list(ctx context.Context, take func(found) error) error {
	prefix := b.at.path
	folder := prefix + "/"
	if b.recursive || prefix == "" || strings.HasSuffix(prefix, "/") {
		return b.keys(ctx, prefix, take)
	}
	inFolder := func() error { return b.keys(ctx, folder, take) }
	done := false
	err := b.keys(ctx, prefix, func(f found) error {
		if !done && f.at.path > folder {
			done = true
			if err := inFolder(); err != nil {
				return err
			}
		}
		return take(f)
	})
	if err != nil || done {
		return err
	}
	return inFolder()
}

// keys lists one prefix, and one level of it unless b is recursive.
func (b bucket) keys(ctx context.Context, prefix string, take func(found) error) error {
	listing := b.store.s3.ListObjectsIter(ctx, b.at.bucket, minio.ListObjectsOptions{
		Prefix:     prefix,
		Recursive:  b.recursive,
		FetchOwner: new(bool), // false: nobody looks at owners, and some stores do not know them
	})
	for info := range listing {
		if info.Err != nil {
			return b.store.fault(ctx, info.Err, place{bucket: b.at.bucket})
		}
		if strings.HasSuffix(info.Key, "/") || !b.filter.wantsKey(b.below(info.Key), info.Key) {
			continue
		}
		if err := take(foundKey(b.at.bucket, info)); err != nil {
			return err
		}
	}
	return ctx.Err() // the listing ends without a word when ctx does
}

// below gives the part of a key below the folder that the prefix names.
func (b bucket) below(key string) string {
	prefix := b.at.path
	if strings.HasPrefix(key, prefix+"/") {
		return key[len(prefix)+1:]
	}
	return key[strings.LastIndexByte(prefix, '/')+1:]
}

// stat describes a single object.
func (s *store) stat(ctx context.Context, at place) (found, error) {
	info, err := s.s3.StatObject(ctx, at.bucket, at.path, minio.StatObjectOptions{})
	if err != nil {
		return found{}, s.fault(ctx, err, at)
	}
	info.Key = at.path
	return foundKey(at.bucket, info), nil
}

func foundKey(bucket string, info minio.ObjectInfo) found {
	return found{at: place{bucket: bucket, path: info.Key}, size: info.Size, modified: info.LastModified, etag: info.ETag}
}
