package files

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// readBatch bounds the directory entries that are looked at before the next check whether to go on.
const readBatch = 1024

// folders is a store of folders.
type folders interface {
	// each hands the entries of a folder to visit, in any order. A folder that is not there is orbit.CodeNotFound.
	each(ctx context.Context, at place, visit func(entry)) error
	// file describes an entry at its place; false where it is no file, or has vanished meanwhile.
	file(ctx context.Context, at place, e entry) (found, bool, error)
}

// kind is what an entry of a folder is.
type kind int

const (
	isFile kind = iota
	isFolder
	isLink
	isOther // a pipe, a device
)

func kindOf(mode fs.FileMode) kind {
	switch {
	case mode.IsDir():
		return isFolder
	case mode.IsRegular():
		return isFile
	case mode&fs.ModeSymlink != 0:
		return isLink
	}
	return isOther
}

// entry is one name in a folder, with what the listing says of it.
type entry struct {
	name     string
	kind     kind
	size     int64
	modified time.Time
}

// walk lists the files below a folder. Only the names of one folder at each depth are held in memory, which the order
// needs.
type walk struct {
	folders   folders
	root      place
	recursive bool
	filter    filter
}

// list hands each wanted file to take, in byte order of their paths, as S3 orders keys. Links to files are followed,
// links to folders are not. A file or folder that vanishes meanwhile is left out; one that may not be read is an error,
// because a listing with silent gaps is worse than none.
func (w walk) list(ctx context.Context, take func(found) error) error {
	w.root.path = strings.TrimRight(w.root.path, "/")
	return w.below(ctx, "", take)
}

// below lists the folder at rel, a path below the root that is empty or ends in a slash.
func (w walk) below(ctx context.Context, rel string, take func(found) error) error {
	entries, err := w.entries(ctx, rel)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if rel != "" && isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.kind == isFolder {
			err = w.below(ctx, rel+e.name, take)
		} else {
			err = w.take(ctx, rel, e, take)
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// entries gives the wanted entries of a folder in order; folders end in a slash, which sorts them among the files as
// whole paths do.
func (w walk) entries(ctx context.Context, rel string) ([]entry, error) {
	var out []entry
	err := w.folders.each(ctx, w.at(strings.TrimSuffix(rel, "/")), func(e entry) {
		if w.wants(rel, e) {
			if e.kind == isFolder {
				e.name += "/"
			}
			out = append(out, e)
		}
	})
	slices.SortFunc(out, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return out, err
}

func (w walk) wants(rel string, e entry) bool {
	path := rel + e.name
	switch e.kind {
	case isFolder:
		return w.recursive && w.filter.wantsFolder(path, w.at(path).path)
	case isOther:
		return false
	}
	return !strings.HasPrefix(e.name, tempPrefix) && w.filter.wantsFile(path, w.at(path).path)
}

func (w walk) take(ctx context.Context, rel string, e entry, take func(found) error) error {
	f, ok, err := w.folders.file(ctx, w.at(rel+e.name), e)
	if err != nil || !ok {
		return err
	}
	return take(f)
}

// at gives the place of a path below the root.
func (w walk) at(rel string) place {
	at := w.root
	if rel != "" {
		at.path += "/" + rel
	}
	if at.path == "" {
		at.path = "/"
	}
	return at
}
