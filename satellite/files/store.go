package files

import (
	"context"
	"errors"
	"io"

	"github.com/exospherehost/orbit"
)

// store is where files are, opened with one set of credentials. Every provider stands behind it. Its errors are
// *orbit.Error, that of ctx, or that of a function it was given; a file that is not there is orbit.CodeNotFound.
type store interface {
	// list hands each wanted file to take, in byte order of the paths.
	list(ctx context.Context, q query, take func(found) error) error
	// stat describes one file.
	stat(ctx context.Context, at place) (found, error)
	// open reads one file. ctx must live as long as it is read. size is -1 where the store does not tell it.
	open(ctx context.Context, at place) (body io.ReadCloser, size int64, err error)
	// create writes a file whole or not at all, over one that is there. size is -1 where it is not known.
	create(ctx context.Context, at place, body io.Reader, size int64) error
	// remove deletes a file. deleted is false where it was not there.
	remove(ctx context.Context, at place) (deleted bool, err error)
	// identity tells two sets of the same places from others; who opened them does not matter.
	identity() string
}

// copier is a store that copies a file within itself, so that its bytes need not come here. The copy appears whole.
type copier interface {
	copy(ctx context.Context, from found, to place) error
}

// renamer is a store that gives a file another name in one step, over one that is there.
type renamer interface {
	rename(ctx context.Context, from, to place) error
}

// errOtherDisk is what rename answers where the file has to be copied after all.
var errOtherDisk = errors.New("the new name is on another disk")

// query is a question for many files: those below a place that pass the filter.
type query struct {
	at        place
	recursive bool
	filter    filter
}

func isNotFound(err error) bool {
	var e *orbit.Error
	return errors.As(err, &e) && e.Code == orbit.CodeNotFound
}

// deed is what a store was asked to do, for the sentence that says it may not be done.
type deed struct {
	verb, done string
	rights     string // what S3 calls the permissions
}

var (
	reading  = deed{"read", "read", "s3:ListBucket on the bucket and s3:GetObject on its objects"}
	writing  = deed{"write", "written", "s3:PutObject on the objects of the bucket"}
	deleting = deed{"delete", "deleted", "s3:DeleteObject on the objects of the bucket"}
)

// what names a file by its URI, or else the bucket or server that is looked at.
func (p place) what() string {
	if p.path == "" {
		return p.where()
	}
	return p.uri()
}
