package files

import (
	"context"
	"errors"
	"io"
	"net/textproto"
	"strings"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/exospherehost/orbit"
)

// ftpStore is the files of a server that one user sees.
type ftpStore struct {
	*sessions[*ftpSession]
	host string // host:port, for sentences
}

func (s *ftpStore) identity() string { return "" } // the place names the server

// with does something by a connection.
func (s *ftpStore) with(ctx context.Context, at place, d deed, do func(*ftpSession) error) error {
	err := s.use(ctx, ftpBroken, do)
	if err == nil {
		return nil
	}
	return s.fault(ctx, err, at, d)
}

// list implements store.
func (s *ftpStore) list(ctx context.Context, q query, take func(found) error) error {
	return walk{folders: s, root: q.at, recursive: q.recursive, filter: q.filter}.list(ctx, take)
}

// each implements folders. Old servers answer a listing of a folder that is not there with an empty one, so it is entered
// first.
func (s *ftpStore) each(ctx context.Context, at place, visit func(entry)) error {
	return s.with(ctx, at, reading, func(c *ftpSession) error {
		if err := c.ChangeDir(at.path); err != nil {
			return err
		}
		entries, err := c.List("") // a path with blanks confuses servers that hand it to ls
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Name == "" || e.Name == "." || e.Name == ".." || strings.Contains(e.Name, "/") {
				continue // the folder itself, and the one above
			}
			visit(entry{name: e.Name, kind: ftpKind(e.Type), size: int64(e.Size), modified: e.Time})
		}
		return nil
	})
}

func ftpKind(t ftp.EntryType) kind {
	switch t {
	case ftp.EntryTypeFolder:
		return isFolder
	case ftp.EntryTypeLink:
		return isLink
	}
	return isFile
}

// file implements folders. The listing tells all of a file, and nothing of what a link leads to.
func (s *ftpStore) file(ctx context.Context, at place, e entry) (found, bool, error) {
	if e.kind == isFile {
		return foundAs(at, e.size, e.modified), true, nil
	}
	f, err := s.stat(ctx, at)
	if told, is := errors.AsType[*orbit.Error](err); is && (told.Code == orbit.CodeNotFound || told.Code == orbit.CodeInvalidConfig) {
		return found{}, false, nil // it leads to a folder, or nowhere
	}
	return f, err == nil, err
}

// stat implements store.
func (s *ftpStore) stat(ctx context.Context, at place) (f found, err error) {
	err = s.with(ctx, at, reading, func(c *ftpSession) error {
		f, err = c.stat(at)
		return err
	})
	return f, err
}

// stat asks for what a listing of the folder would tell (MLST, RFC 3659), and by two older commands where the server
// does not know that one.
func (c *ftpSession) stat(at place) (found, error) {
	e, err := c.GetEntry(at.path)
	var said *textproto.Error
	if err == nil {
		if e.Type == ftp.EntryTypeFolder {
			return found{}, orbit.Permanent(orbit.CodeInvalidConfig, "%s is a folder; name a file, or write folder-path instead of file-path", at.uri())
		}
		return foundAs(at, int64(e.Size), e.Time), nil
	}
	if !errors.As(err, &said) || (said.Code != ftp.StatusNotImplemented && said.Code != ftp.StatusBadCommand) {
		return found{}, err
	}
	size, err := c.FileSize(at.path)
	if err != nil {
		return found{}, err
	}
	f := foundAs(at, size, time.Time{})
	if c.IsGetTimeSupported() {
		modified, err := c.GetTime(at.path)
		if err != nil {
			return found{}, err
		}
		f = foundAs(at, size, modified)
	}
	return f, nil
}

// open implements store. The connection belongs to the file until it is closed.
func (s *ftpStore) open(ctx context.Context, at place) (io.ReadCloser, int64, error) {
	c, err := s.take(ctx)
	if err != nil {
		return nil, 0, s.fault(ctx, err, at, reading)
	}
	stop := context.AfterFunc(ctx, c.close)
	done := func(err error) {
		if !stop() || ftpBroken(err) {
			c.close()
			return
		}
		s.give(c)
	}
	f, err := c.stat(at)
	var body *ftp.Response
	if err == nil {
		body, err = c.Retr(at.path)
	}
	if err != nil {
		done(err)
		return nil, 0, s.fault(ctx, err, at, reading)
	}
	return &borrowed{body: &ftpBody{Response: body}, fault: func(err error) error { return s.fault(ctx, err, at, reading) }, done: done}, f.size, nil
}

// ftpBody is a file on its way here. Its end on the wire is no sign that all has come: that the server says afterwards.
type ftpBody struct {
	*ftp.Response
	ended bool
}

var errCutShort = errors.New("not all of the file was read")

// Read implements io.Reader.
func (b *ftpBody) Read(p []byte) (int, error) {
	n, err := b.Response.Read(p)
	if errors.Is(err, io.EOF) {
		b.ended = true
		if failed := b.Response.Close(); failed != nil {
			return n, failed
		}
	}
	return n, err
}

// Close implements io.Closer. A server whose file was not read to its end is not used again: what it says next is not
// known.
func (b *ftpBody) Close() error {
	if b.ended {
		return nil
	}
	return errCutShort
}

// ftpBroken tells an error of the connection from one of a file.
func ftpBroken(err error) bool {
	var (
		said *textproto.Error
		told *orbit.Error
	)
	if errors.As(err, &said) {
		return said.Code == ftp.StatusNotAvailable
	}
	return err != nil && !errors.As(err, &told) && !errors.Is(err, io.ErrShortWrite) && !errors.Is(err, errOtherDisk)
}

// fault turns an error into a sentence and says whose fault it is. Nothing that the server wrote is quoted but its number
// (RFC 959, 4.2).
func (s *ftpStore) fault(ctx context.Context, err error, at place, d deed) error {
	var (
		told *orbit.Error
		said *textproto.Error
	)
	what := at.trimmed().uri()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errOtherDisk):
		return errOtherDisk
	case errors.As(err, &told):
		return told
	case errors.Is(err, io.ErrShortWrite):
		return orbit.Transient(orbit.CodeUnavailable, "the server %s has kept only a part of %s; check its disk", s.host, what)
	case !errors.As(err, &said):
		return orbit.Transient(orbit.CodeUnavailable, "the connection to the server %s has broken off (%s); it is opened again", s.host, netReason(err))
	case said.Code == ftp.StatusFileUnavailable && d == reading:
		return orbit.Permanent(orbit.CodeNotFound, "%s was not found, or may not be read by FTP_USER; check the path, which begins at the root of the server", what)
	case said.Code == ftp.StatusFileUnavailable, said.Code == ftp.StatusNotLoggedIn, said.Code == ftp.StatusStorNeedAccount, said.Code == ftp.StatusBadFileName:
		return orbit.Permanent(orbit.CodeDenied, "the server %s does not let the user in secrets %s %s (FTP status %d); check the path and the rights of FTP_USER", s.host, d.verb, what, said.Code)
	case said.Code == ftp.StatusExceededStorage, said.Code >= 400 && said.Code < 500:
		return orbit.Transient(orbit.CodeUnavailable, "the server %s cannot %s %s at the moment (FTP status %d); check its disk, or try again later", s.host, d.verb, what, said.Code)
	}
	return orbit.Permanent(orbit.CodeRejected, "the server %s does not %s %s (FTP status %d); check the path, and what the server is able to do", s.host, d.verb, what, said.Code)
}
