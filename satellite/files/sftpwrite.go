package files

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"path"

	"github.com/pkg/sftp"

	"github.com/exospherehost/orbit"
)

// create implements store: a file beside the new one is written, and renamed when it is whole.
func (s *sftpStore) create(ctx context.Context, at place, body io.Reader, _ int64) error {
	from := &upload{body: inTime{ctx, body}}
	err := s.with(ctx, at, writing, func(c *sftpSession) error {
		folder := path.Dir(at.path)
		if err := c.MkdirAll(folder); err != nil {
			return err
		}
		temp := path.Join(folder, tempPrefix+rand.Text())
		err := writeTemp(c, temp, from)
		if err == nil {
			err = c.replace(temp, at.path)
		}
		if err != nil {
			_ = c.Remove(temp) // the first error is the one to tell
		}
		return err
	})
	if from.err != nil {
		return from.err // not the server's
	}
	return err
}

func writeTemp(c *sftpSession, name string, from *upload) error {
	file, err := c.Create(name)
	if err != nil {
		return err
	}
	_, err = file.ReadFrom(from)
	if _, can := c.HasExtension("fsync@openssh.com"); can && err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil || from.err != nil {
		return errors.Join(err, from.err)
	}
	info, err := c.Stat(name)
	if err == nil && info.Size() != from.n {
		err = io.ErrShortWrite
	}
	return err
}

// replace renames a file over one that is there. A server without OpenSSH's extension does that in two steps.
func (c *sftpSession) replace(from, to string) error {
	if _, can := c.HasExtension("posix-rename@openssh.com"); can {
		return c.PosixRename(from, to)
	}
	if info, err := c.Stat(to); err == nil && info.Mode().IsRegular() {
		if err := c.Remove(to); err != nil {
			return err
		}
	}
	return c.Rename(from, to)
}

// rename implements renamer.
func (s *sftpStore) rename(ctx context.Context, from, to place) error {
	return s.with(ctx, from, writing, func(c *sftpSession) error {
		if err := c.MkdirAll(path.Dir(to.path)); err != nil {
			return err
		}
		err := c.replace(from.path, to.path)
		if _, is := errors.AsType[*sftp.StatusError](err); is {
			return errOtherDisk // it does not say why: perhaps a copy will do
		}
		return err
	})
}

// remove implements store.
func (s *sftpStore) remove(ctx context.Context, at place) (deleted bool, err error) {
	err = s.with(ctx, at, deleting, func(c *sftpSession) error {
		info, err := c.Lstat(at.path)
		if err == nil && info.IsDir() {
			return orbit.Permanent(orbit.CodeInvalidInput, "%s is a folder; only files are deleted", at.uri())
		}
		if err == nil {
			err = c.Remove(at.path)
		}
		deleted = err == nil
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return deleted, err
}
