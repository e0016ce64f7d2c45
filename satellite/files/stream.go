package files

import (
	"errors"
	"io"
)

// download is the body of a file on its way here; its errors are sentences.
type download struct {
	body  io.ReadCloser
	fault func(error) error
}

// Read implements io.Reader.
func (d *download) Read(p []byte) (int, error) {
	n, err := d.body.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = d.fault(err)
	}
	return n, err
}

// Close implements io.Closer.
func (d *download) Close() error { return d.body.Close() }

// upload counts what a store has taken of a body, and keeps the body's own error apart from the store's.
type upload struct {
	body io.Reader
	n    int64
	err  error
}

// Read implements io.Reader.
func (u *upload) Read(p []byte) (int, error) {
	n, err := u.body.Read(p)
	u.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		u.err = err
	}
	return n, err
}
