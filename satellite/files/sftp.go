package files

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"path"
	"strings"

	"github.com/pkg/sftp"

	"github.com/exospherehost/orbit"
)

// sftpStore is the files of a server that one user sees.
type sftpStore struct {
	*sessions[*sftpSession]
	host string // host:port, for sentences
}

func (s *sftpStore) identity() string { return "" } // the place names the server

// with does something by a connection.
func (s *sftpStore) with(ctx context.Context, at place, d deed, do func(*sftpSession) error) error {
	err := s.use(ctx, sftpBroken, do)
	if err == nil {
		return nil
	}
	return s.fault(ctx, err, at, d)
}

// list implements store.
func (s *sftpStore) list(ctx context.Context, q query, take func(found) error) error {
	err := s.with(ctx, q.at, reading, func(c *sftpSession) error {
		info, err := c.Stat(path.Clean(q.at.path)) // a slash at the end would ask for a folder
		if err == nil && !info.IsDir() {
			err = orbit.Permanent(orbit.CodeInvalidConfig, "folder-path %s is a file; write file-path instead", q.at.trimmed().uri())
		}
		return err
	})
	if err != nil {
		return err
	}
	return walk{folders: s, root: q.at, recursive: q.recursive, filter: q.filter}.list(ctx, take)
}

// each implements folders.
func (s *sftpStore) each(ctx context.Context, at place, visit func(entry)) error {
	return s.with(ctx, at, reading, func(c *sftpSession) error {
		entries, err := c.ReadDirContext(ctx, at.path)
		for _, e := range entries {
			visit(entry{name: e.Name(), kind: kindOf(e.Mode()), size: e.Size(), modified: e.ModTime()})
		}
		return err
	})
}

// file implements folders. The listing tells all of a file, and nothing of what a link leads to.
func (s *sftpStore) file(ctx context.Context, at place, e entry) (found, bool, error) {
	if e.kind == isFile {
		return foundAs(at, e.size, e.modified), true, nil
	}
	var f found
	ok := false
	err := s.with(ctx, at, reading, func(c *sftpSession) error {
		info, err := c.Stat(at.path)
		if err == nil && info.Mode().IsRegular() {
			f, ok = foundIn(at, info), true
		}
		return err
	})
	if isNotFound(err) {
		return found{}, false, nil
	}
	return f, ok, err
}

// stat implements store.
func (s *sftpStore) stat(ctx context.Context, at place) (f found, err error) {
	err = s.with(ctx, at, reading, func(c *sftpSession) error {
		info, err := c.Stat(at.path)
		if err == nil {
			err = onlyFile(at, info.Mode())
			f = foundIn(at, info)
		}
		return err
	})
	return f, err
}

// onlyFile refuses folders, pipes and devices.
func onlyFile(at place, mode fs.FileMode) error {
	if mode.IsDir() {
		return orbit.Permanent(orbit.CodeInvalidConfig, "%s is a folder; name a file, or write folder-path instead of file-path", at.uri())
	}
	if !mode.IsRegular() {
		return orbit.Permanent(orbit.CodeInvalidConfig, "%s is not a regular file; name a file to read", at.uri())
	}
	return nil
}

// open implements store. The connection belongs to the file until it is closed.
func (s *sftpStore) open(ctx context.Context, at place) (io.ReadCloser, int64, error) {
	c, err := s.take(ctx)
	if err != nil {
		return nil, 0, s.fault(ctx, err, at, reading)
	}
	stop := context.AfterFunc(ctx, c.close)
	done := func(err error) {
		if !stop() || sftpBroken(err) {
			c.close()
			return
		}
		s.give(c)
	}
	info, err := c.Stat(at.path)
	if err == nil {
		err = onlyFile(at, info.Mode())
	}
	var file *sftp.File
	if err == nil {
		file, err = c.Open(at.path)
	}
	if err != nil {
		done(err)
		return nil, 0, s.fault(ctx, err, at, reading)
	}
	ahead := readAhead{bufio.NewReaderSize(file, sftpAhead), file}
	return &borrowed{body: ahead, fault: func(err error) error { return s.fault(ctx, err, at, reading) }, done: done}, info.Size(), nil
}

// sftpAhead is asked for in one go, by as many requests as that takes: one after the other would wait for the network
// each time.
const sftpAhead = 1 << 20

// readAhead is a file that is read in larger pieces than who reads it asks for.
type readAhead struct {
	*bufio.Reader
	io.Closer
}

// sftpBroken tells an error of the connection from one of a file.
func sftpBroken(err error) bool {
	var (
		status *sftp.StatusError
		told   *orbit.Error
	)
	return err != nil && !errors.As(err, &status) && !errors.As(err, &told) &&
		!errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, io.ErrShortWrite) && !errors.Is(err, errOtherDisk)
}

// fault turns an error into a sentence and says whose fault it is. Nothing that the server wrote is quoted.
func (s *sftpStore) fault(ctx context.Context, err error, at place, d deed) error {
	var (
		told    *orbit.Error
		status  *sftp.StatusError
		network *net.OpError
	)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errOtherDisk):
		return errOtherDisk
	case errors.As(err, &told):
		return told
	case errors.Is(err, fs.ErrNotExist):
		return orbit.Permanent(orbit.CodeNotFound, "%s was not found; check the path, which begins at the root of the server", at.trimmed().uri())
	case errors.Is(err, fs.ErrPermission):
		return orbit.Permanent(orbit.CodeDenied, "the user in secrets may not %s %s; give it the right to, or use another SFTP_USER", d.verb, at.trimmed().uri())
	case errors.Is(err, io.ErrShortWrite):
		return orbit.Transient(orbit.CodeUnavailable, "the server %s has kept only a part of %s; check its disk", s.host, at.trimmed().uri())
	case errors.As(err, &network):
		return orbit.Transient(orbit.CodeUnavailable, "the server %s cannot be reached (%s); check the network", s.host, netReason(err))
	case errors.As(err, &status):
		return orbit.Transient(orbit.CodeUnavailable, "the server %s cannot %s %s (SFTP status %d); check its disk, and that no folder of that name is in the way",
			s.host, d.verb, at.trimmed().uri(), status.Code)
	}
	return orbit.Transient(orbit.CodeUnavailable, "the connection to the server %s has broken off; it is opened again", s.host)
}

// trimmed is a place without the slash that marks a folder.
func (p place) trimmed() place {
	p.path = strings.TrimSuffix(p.path, "/")
	return p
}
