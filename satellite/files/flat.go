package files

import (
	"context"
	"strings"
)

// flat is a store of keys that has no folders but slashes in keys.
type flat interface {
	// keys hands the objects whose key begins with at.path to take, in byte order, page by page as the store gives them;
	// without deep, only those with no slash after it.
	keys(ctx context.Context, at place, deep bool, take func(found) error) error
}

// listKeys answers a query. Keys that end in a slash are folders and left out. Without recursive, a prefix without a
// slash takes the files beside the folder of that name and the files in it.
func listKeys(ctx context.Context, s flat, q query, take func(found) error) error {
	prefix := q.at.path
	wanted := func(f found) error {
		if strings.HasSuffix(f.at.path, "/") || !q.filter.wantsKey(below(prefix, f.at.path), f.at.path) {
			return nil
		}
		return take(f)
	}
	folder := q.at.folder()
	if q.recursive || prefix == "" || folder == q.at {
		return s.keys(ctx, q.at, q.recursive, wanted)
	}
	done := false
	err := s.keys(ctx, q.at, false, func(f found) error {
		if !done && f.at.path > folder.path {
			done = true
			if err := s.keys(ctx, folder, false, wanted); err != nil {
				return err
			}
		}
		return wanted(f)
	})
	if err != nil || done {
		return err
	}
	return s.keys(ctx, folder, false, wanted)
}

// below gives the part of a key below the folder that the prefix names.
func below(prefix, key string) string {
	if strings.HasPrefix(key, prefix+"/") {
		return key[len(prefix)+1:]
	}
	return key[strings.LastIndexByte(prefix, '/')+1:]
}
