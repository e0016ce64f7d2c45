package files

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/textproto"
	"path"

	"github.com/jlaffaye/ftp"

	"github.com/exospherehost/orbit"
)

// create implements store: a file beside the new one is written, and renamed when it is whole.
func (s *ftpStore) create(ctx context.Context, at place, body io.Reader, _ int64) error {
	from := &upload{body: inTime{ctx, body}}
	err := s.with(ctx, at, writing, func(c *ftpSession) error {
		folder := path.Dir(at.path)
		if err := c.makeFolders(folder); err != nil {
			return err
		}
		temp := path.Join(folder, tempPrefix+rand.Text())
		err := c.Stor(temp, from)
		if err == nil && from.err == nil {
			err = c.whole(temp, from.n)
		}
		if err == nil && from.err == nil {
			err = c.replace(temp, at.path)
		}
		if err != nil || from.err != nil {
			_ = c.Delete(temp) // the first error is the one to tell
		}
		return err
	})
	if from.err != nil {
		return from.err // not the server's
	}
	return err
}

// whole makes sure that all of a file has arrived, where the server tells sizes.
func (c *ftpSession) whole(name string, size int64) error {
	there, err := c.FileSize(name)
	var said *textproto.Error
	if errors.As(err, &said) && said.Code >= 500 && said.Code != ftp.StatusFileUnavailable {
		return nil // it does not know the command
	}
	if err == nil && there != size {
		err = io.ErrShortWrite
	}
	return err
}

// makeFolders makes a folder and those above it. One that is there is refused, in words that differ from server to
// server, so it is entered to see.
func (c *ftpSession) makeFolders(folder string) error {
	if c.ChangeDir(folder) == nil || folder == "/" {
		return nil
	}
	if err := c.makeFolders(path.Dir(folder)); err != nil {
		return err
	}
	made := c.MakeDir(folder)
	if made != nil && c.ChangeDir(folder) == nil {
		return nil // someone else was faster
	}
	return made
}

// replace renames a file over one that is there. Some servers do not rename over a file.
func (c *ftpSession) replace(from, to string) error {
	err := c.Rename(from, to)
	var said *textproto.Error
	if errors.As(err, &said) && said.Code >= 500 {
		if deleted := c.Delete(to); deleted == nil {
			err = c.Rename(from, to)
		}
	}
	return err
}

// rename implements renamer.
func (s *ftpStore) rename(ctx context.Context, from, to place) error {
	return s.with(ctx, from, writing, func(c *ftpSession) error {
		if err := c.makeFolders(path.Dir(to.path)); err != nil {
			return err
		}
		err := c.replace(from.path, to.path)
		var said *textproto.Error
		if errors.As(err, &said) {
			return errOtherDisk // it does not say why: perhaps a copy will do
		}
		return err
	})
}

// remove implements store. Servers answer alike for a file that is not there and one that may not be deleted, so that is
// asked for.
func (s *ftpStore) remove(ctx context.Context, at place) (deleted bool, err error) {
	err = s.with(ctx, at, deleting, func(c *ftpSession) error {
		_, err := c.stat(at)
		if err == nil {
			err = c.Delete(at.path)
			deleted = err == nil
			if err != nil && !ftpBroken(err) {
				return orbit.Permanent(orbit.CodeDenied, "the user in secrets may not delete %s; give it the right to, or use another FTP_USER", at.uri())
			}
			return err
		}
		var said *textproto.Error
		if errors.As(err, &said) && said.Code == ftp.StatusFileUnavailable {
			return nil
		}
		if told, is := errors.AsType[*orbit.Error](err); is && told.Code == orbit.CodeInvalidConfig {
			return orbit.Permanent(orbit.CodeInvalidInput, "%s is a folder; only files are deleted", at.uri())
		}
		return err
	})
	return deleted, err
}
