package files

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/exospherehost/orbit"
)

// readBatch bounds the directory entries that are looked at before the next check whether to go on.
const readBatch = 1024

// folder is a folder of the node to be listed. Only the names of one folder at each depth are held in memory, which the
// order needs.
type folder struct {
	root      string // absolute
	recursive bool
	filter    filter
}

// list hands each wanted file to take, in byte order of their paths, as S3 orders keys. Links to files are followed,
// links to folders are not. A file or folder that vanishes meanwhile is left out; one that may not be read is an error,
// because a listing with silent gaps is worse than none.
func (f folder) list(ctx context.Context, take func(found) error) error {
	info, err := os.Stat(f.root)
	if err != nil {
		return localFault(err, "folder", f.root)
	}
	if !info.IsDir() {
		return orbit.Permanent(orbit.CodeInvalidConfig, "folder-path %s is a file; write file-path instead", f.root)
	}
	return f.walk(ctx, "", take)
}

// walk lists the folder at rel, a slash-separated path below the root that is empty or ends in a slash.
func (f folder) walk(ctx context.Context, rel string, take func(found) error) error {
	names, err := f.names(ctx, rel)
	if rel != "" && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return localFault(err, "folder", f.path(rel))
	}
	for _, name := range names {
		if strings.HasSuffix(name, "/") {
			err = f.walk(ctx, rel+name, take)
		} else {
			err = f.take(rel+name, take)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// names gives the wanted entries of a folder in order; folders end in a slash, which sorts them among the files as
// whole paths do.
func (f folder) names(ctx context.Context, rel string) ([]string, error) {
	dir, err := os.Open(f.path(rel))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	var names []string
	for ctx.Err() == nil {
		entries, err := dir.ReadDir(readBatch)
		for _, e := range entries {
			if name, ok := f.wanted(rel, e); ok {
				names = append(names, name)
			}
		}
		if errors.Is(err, io.EOF) {
			slices.Sort(names)
			return names, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, ctx.Err()
}

func (f folder) wanted(rel string, e fs.DirEntry) (string, bool) {
	name := e.Name()
	path := rel + name
	if e.IsDir() {
		return name + "/", f.recursive && f.filter.wantsFolder(path, f.path(path))
	}
	mayBeFile := e.Type().IsRegular() || e.Type()&fs.ModeSymlink != 0
	return name, mayBeFile && !strings.HasPrefix(name, tempPrefix) && f.filter.wantsFile(path, f.path(path))
}

func (f folder) take(rel string, take func(found) error) error {
	path := f.path(rel)
	info, err := os.Stat(path) // follows a link
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ELOOP) {
		return localFault(err, "file", path)
	}
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return take(foundLocal(path, info))
}

func (f folder) path(rel string) string { return filepath.Join(f.root, filepath.FromSlash(rel)) }

// statLocal describes a single file.
func statLocal(path string) (found, error) {
	info, err := os.Stat(path)
	if err != nil {
		return found{}, localFault(err, "file", path)
	}
	if info.IsDir() {
		return found{}, orbit.Permanent(orbit.CodeInvalidConfig, "file-path %s is a folder; write folder-path instead", path)
	}
	if !info.Mode().IsRegular() {
		return found{}, orbit.Permanent(orbit.CodeInvalidConfig, "file-path %s is not a regular file; name a file to read", path)
	}
	return foundLocal(path, info), nil
}
