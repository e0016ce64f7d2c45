package files

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/exospherehost/orbit"
)

// tempPrefix begins the names of files that are being written. A listing leaves them out, so that one which a crash has
// left behind is not taken for a result.
const tempPrefix = ".orbit-put-"

// write puts a body into a file of the folder, whole or not at all, and gives its path. It makes the folders on the way.
// No link leads out of the folder.
func write(folder, name string, body io.Reader) (path string, err error) {
	path = filepath.Join(folder, name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", writeFault(err, "folder", folder)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return "", writeFault(err, "folder", folder)
	}
	defer root.Close()
	parent := filepath.Dir(name)
	if err := root.MkdirAll(parent, 0o755); err != nil {
		return "", writeFault(err, "folder", filepath.Dir(path))
	}
	temp := filepath.Join(parent, tempPrefix+rand.Text())
	from := &upload{body: body}
	if err := writeSynced(root, temp, from); err != nil {
		_ = root.Remove(temp) // the first error is the one to tell
		if from.err != nil {
			return "", from.err // not the disk's
		}
		return "", writeFault(err, "file", path)
	}
	if err := root.Rename(temp, name); err != nil {
		_ = root.Remove(temp)
		return "", writeFault(err, "file", path)
	}
	// Crash before the next line: the new name may be lost with the power, and the item, not yet committed, runs again.
	if err := syncFolder(root, parent); err != nil {
		return "", writeFault(err, "folder", filepath.Dir(path))
	}
	return path, nil
}

func writeSynced(root *os.Root, name string, body io.Reader) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncFolder makes a rename in the folder last. File systems that cannot sync a folder say EINVAL or ENOTSUP.
func syncFolder(root *os.Root, name string) error {
	dir, err := root.Open(name)
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// syncNames is syncFolder for a path.
func syncNames(folder string) error {
	dir, err := os.Open(folder)
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return writeFault(err, "folder", folder)
	}
	return nil
}

func syncDir(dir *os.File) error {
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}

// writeFault is localFault for what is to be made, where something in the way is the usual cause.
func writeFault(err error, what, path string) error {
	switch {
	case what == "folder" && (errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrExist)):
		return orbit.Permanent(orbit.CodeInvalidInput, "folder %s cannot be made: a part of the path is a file; choose another folder", path)
	case errors.Is(err, syscall.EISDIR), errors.Is(err, fs.ErrExist):
		return orbit.Permanent(orbit.CodeInvalidInput, "%s %s cannot be written: a folder of that name is there; choose another name", what, path)
	case strings.Contains(err.Error(), "path escapes from parent"): // os.Root has no value for it
		return orbit.Permanent(orbit.CodeDenied, "%s %s is behind a link that leads out of folder-path; write to where the link points", what, path)
	}
	return localFault(err, what, path)
}
