package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/exospherehost/orbit"
)

// openLocal opens a regular file of the node. What is none is refused before it is opened: a pipe would block.
func openLocal(path string) (io.ReadCloser, int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, localFault(err, "file", path)
	}
	if !info.Mode().IsRegular() {
		return nil, 0, orbit.Permanent(orbit.CodeInvalidInput, "%s is not a regular file; name a file to read", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, localFault(err, "file", path)
	}
	return f, info.Size(), nil
}

// absolute gives the path that a config field names: absolute, relative to the working directory, or a file URI.
func absolute(field, value string) (string, error) {
	if strings.Contains(value, "://") {
		at, err := parseURI(value)
		if err != nil || at.bucket != "" {
			scheme, _, _ := strings.Cut(value, "://")
			return "", orbit.Permanent(orbit.CodeInvalidConfig, "%s is at %s://, which provider file does not reach; write a path, or use provider aws-s3 for s3://", field, scheme)
		}
		return at.path, nil
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
