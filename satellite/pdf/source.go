package pdf

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// source is the file to read.
type source struct {
	uri  string
	path string // key in the bucket, or absolute path
	name string // last part of path
}

// findSource takes the config's file-path, else the input's file-uri, else its file-path.
func findSource(inv *satellite.Invocation) (source, error) {
	if where, _ := inv.Config["file-path"].(string); where != "" {
		return newSource(where)
	}
	input, _ := inv.Input.(map[string]any)
	for _, field := range []string{"file-uri", "file-path"} {
		where, _ := input[field].(string)
		if where == "" {
			continue
		}
		src, err := newSource(where)
		if err != nil {
			return source{}, err
		}
		if p, _ := input["file-path"].(string); field == "file-uri" && p != "" && (path.Base(p) == src.name || path.Base(p) == unescaped(src.name)) {
			src.path, src.name = p, path.Base(p) // as its finder wrote it
		}
		return src, nil
	}
	return source{}, orbit.Permanent(orbit.CodeInvalidInput,
		"there is no file to read: set file-path in the config, or give an input with a file-uri, such as get-files returns")
}

// unescaped undoes the percent-escapes of a URI, where they are some.
func unescaped(text string) string {
	if plain, err := url.PathUnescape(text); err == nil {
		return plain
	}
	return text
}

// newSource understands an absolute or relative path, file:///… and any scheme://bucket/key.
func newSource(where string) (source, error) {
	scheme, rest, isURI := strings.Cut(where, "://")
	if !isURI {
		abs, err := filepath.Abs(where)
		if err != nil {
			return source{}, orbit.Permanent(orbit.CodeInvalidInput, "%s is no file path: write an absolute one", where)
		}
		uri := url.URL{Scheme: "file", Path: filepath.ToSlash(abs)}
		return source{uri: uri.String(), path: abs, name: filepath.Base(abs)}, nil
	}
	src := source{uri: where}
	if scheme == "file" {
		src.path = strings.TrimPrefix(rest, "localhost")
		if u, err := url.Parse(where); err == nil && u.Path != "" {
			src.path = u.Path
		}
	} else {
		_, src.path, _ = strings.Cut(rest, "/") // a key is not escaped: it may hold # and %
	}
	if src.path == "" || strings.HasSuffix(src.path, "/") {
		return source{}, orbit.Permanent(orbit.CodeInvalidInput, "%s names no file: write it as s3://bucket/key, sftp://host/path or file:///path", where)
	}
	src.name = path.Base(src.path)
	return src, nil
}

// load reads the whole file into memory, up to the limit.
func (p *Parser) load(ctx context.Context, inv *satellite.Invocation, src source) ([]byte, error) {
	var secrets []map[string]string
	if own := inv.Secrets(); len(own) > 0 {
		secrets = append(secrets, own)
	}
	body, size, err := p.opts.Open(ctx, src.uri, append(secrets, inv.Grants...)...)
	if err != nil {
		return nil, openError(src, err)
	}
	defer body.Close()
	if size > p.opts.MaxFileBytes {
		return nil, tooLarge(src.name, "is "+orbit.Bytes(size).String(), orbit.Bytes(p.opts.MaxFileBytes).String())
	}
	var buf bytes.Buffer
	if size > 0 {
		buf.Grow(int(size) + bytes.MinRead) // read without growing
	}
	if _, err := buf.ReadFrom(io.LimitReader(body, p.opts.MaxFileBytes+1)); err != nil {
		return nil, openError(src, err)
	}
	if int64(buf.Len()) > p.opts.MaxFileBytes {
		return nil, tooLarge(src.name, "is larger than allowed", orbit.Bytes(p.opts.MaxFileBytes).String())
	}
	return buf.Bytes(), nil
}

func openError(src source, err error) error {
	var told *orbit.Error
	switch {
	case errors.As(err, &told):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return orbit.Permanent(orbit.CodeNotFound, "%s is not there: check the path", src.uri)
	case errors.Is(err, fs.ErrPermission):
		return orbit.Permanent(orbit.CodeDenied, "%s may not be read by this node: check its permissions", src.uri)
	default:
		return orbit.Transient(orbit.CodeUnavailable, "%s could not be read: %v", src.uri, err)
	}
}

// tooLarge is the error of every limit.
func tooLarge(name, what, limit string) error {
	return orbit.Permanent(orbit.CodeTooLarge, "%s %s; the limit of this node is %s: split the file, or raise the limit", name, what, limit)
}

// checkMagic refuses what is plainly no PDF. Readers look for the mark in the first KiB, so some files have bytes before it.
func checkMagic(name string, data []byte) error {
	if len(data) == 0 {
		return orbit.Permanent(orbit.CodeInvalidInput, "%s is not a readable PDF (it is empty): repair or replace the file", name)
	}
	if !bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")) {
		return orbit.Permanent(orbit.CodeInvalidInput, "%s is not a PDF (it does not begin with %%PDF-): replace the file", name)
	}
	return nil
}
