package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/exospherehost/orbit"
)

// node is the store of the node's own files.
type node struct{}

func (node) identity() string { return "" }

// list implements store.
func (n node) list(ctx context.Context, q query, take func(found) error) error {
	info, err := os.Stat(q.at.path)
	if err != nil {
		return localFault(err, "folder", q.at.path)
	}
	if !info.IsDir() {
		return orbit.Permanent(orbit.CodeInvalidConfig, "folder-path %s is a file; write file-path instead", q.at.path)
	}
	return walk{folders: n, root: q.at, recursive: q.recursive, filter: q.filter}.list(ctx, take)
}

// each implements folders.
func (node) each(ctx context.Context, at place, visit func(entry)) error {
	dir, err := os.Open(at.path)
	if err != nil {
		return localFault(err, "folder", at.path)
	}
	defer dir.Close()
	for ctx.Err() == nil {
		entries, err := dir.ReadDir(readBatch)
		for _, e := range entries {
			visit(entry{name: e.Name(), kind: kindOf(e.Type())})
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return localFault(err, "folder", at.path)
		}
	}
	return ctx.Err()
}

// file implements folders. What is listed is looked at again: its size is not part of a listing.
func (node) file(_ context.Context, at place, _ entry) (found, bool, error) {
	info, err := os.Stat(at.path) // follows a link
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ELOOP) {
		return found{}, false, localFault(err, "file", at.path)
	}
	if err != nil || !info.Mode().IsRegular() {
		return found{}, false, nil
	}
	return foundIn(at, info), true, nil
}

// stat implements store.
func (node) stat(_ context.Context, at place) (found, error) {
	info, err := os.Stat(at.path)
	if err != nil {
		return found{}, localFault(err, "file", at.path)
	}
	if info.IsDir() {
		return found{}, orbit.Permanent(orbit.CodeInvalidConfig, "file-path %s is a folder; write folder-path instead", at.path)
	}
	if !info.Mode().IsRegular() {
		return found{}, orbit.Permanent(orbit.CodeInvalidConfig, "file-path %s is not a regular file; name a file to read", at.path)
	}
	return foundIn(at, info), nil
}

// open implements store. What is no regular file is refused before it is opened: a pipe would block.
func (node) open(_ context.Context, at place) (io.ReadCloser, int64, error) {
	info, err := os.Stat(at.path)
	if err != nil {
		return nil, 0, localFault(err, "file", at.path)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, orbit.Permanent(orbit.CodeInvalidInput, "%s is not a regular file; name a file to read", at.path)
	}
	f, err := os.Open(at.path)
	if err != nil {
		return nil, 0, localFault(err, "file", at.path)
	}
	return f, info.Size(), nil
}

// create implements store.
func (node) create(ctx context.Context, at place, body io.Reader, _ int64) error {
	_, err := write(filepath.Dir(at.path), filepath.Base(at.path), inTime{ctx, body})
	return err
}

// remove implements store.
func (node) remove(_ context.Context, at place) (bool, error) {
	info, err := os.Lstat(at.path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return false, nil
	}
	if err == nil && info.IsDir() {
		return false, orbit.Permanent(orbit.CodeInvalidInput, "%s is a folder; only files are deleted", at.path)
	}
	if err == nil {
		err = os.Remove(at.path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, localFault(err, "file", at.path)
	}
	return true, nil
}

// rename implements renamer.
func (node) rename(_ context.Context, from, to place) error {
	folder := filepath.Dir(to.path)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return writeFault(err, "folder", folder)
	}
	if err := os.Rename(from.path, to.path); errors.Is(err, syscall.EXDEV) {
		return errOtherDisk
	} else if err != nil {
		return writeFault(err, "file", to.path)
	}
	// Crash before the next line: with the power, the old name may come back and the item, not yet committed, runs again.
	return syncNames(folder)
}

// inTime ends a body with its context.
type inTime struct {
	ctx  context.Context
	body io.Reader
}

// Read implements io.Reader.
func (r inTime) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.body.Read(p)
}

// absolute gives the path that a config field names: absolute, relative to the working directory, or a file URI.
func absolute(field, value string) (string, error) {
	if strings.Contains(value, "://") {
		at, err := parseURI(value)
		return at.path, err
	}
	path, err := filepath.Abs(value)
	if err != nil {
		return "", orbit.Transient(orbit.CodeUnavailable, "%s %s is relative, and the node's working directory cannot be found; write an absolute path", field, value)
	}
	return path, nil
}

// localFault turns an error of the file system into a sentence. what is "file" or "folder".
func localFault(err error, what, path string) error {
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	switch {
	case is(fs.ErrNotExist, syscall.ENOTDIR):
		return orbit.Permanent(orbit.CodeNotFound, "%s %s was not found on this node; check the path, and that every node that runs the satellite has it", what, path)
	case is(fs.ErrPermission):
		return orbit.Permanent(orbit.CodeDenied, "%s %s may not be accessed by the node; give the user it runs as the right to", what, path)
	case is(syscall.EROFS):
		return orbit.Permanent(orbit.CodeDenied, "%s %s is on a file system that is read-only; write somewhere else", what, path)
	case is(syscall.ENAMETOOLONG, syscall.ELOOP, syscall.EINVAL, syscall.EISDIR):
		return orbit.Permanent(orbit.CodeInvalidInput, "%s %s cannot have this name (%s); choose another", what, path, reason(err))
	case is(syscall.ENOSPC, syscall.EDQUOT):
		return orbit.Transient(orbit.CodeUnavailable, "%s %s cannot be written: %s; free some space", what, path, reason(err))
	}
	return orbit.Transient(orbit.CodeUnavailable, "%s %s cannot be accessed: %s; check the node's disk", what, path, reason(err))
}

// reason gives the innermost text of an error of the file system, without operation and path.
func reason(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number.Error()
	}
	return err.Error()
}
