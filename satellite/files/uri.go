package files

import (
	"net/url"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/exospherehost/orbit"
)

// place is where a file is.
type place struct {
	provider string
	bucket   string // bucket or container; host, or host:port, of a server; "" for a file of the node
	path     string // key, or absolute path
}

// local is a file of the node.
func local(path string) place { return place{provider: providerFile, path: path} }

// uri writes the place as file:///…, s3://bucket/key and so on, percent-escaped.
func (p place) uri() string {
	of := p.of()
	escaped := (&url.URL{Path: p.path}).EscapedPath()
	if of.naming == inBucket {
		escaped = "/" + escaped
	}
	return of.scheme + "://" + p.bucket + escaped
}

func (p place) name() string { return path.Base(p.path) }

// parseURI reads what uri writes, and absolute paths, which are taken literally.
func parseURI(uri string) (place, error) {
	p, known := providerAt(uri)
	if !known {
		if filepath.IsAbs(uri) {
			return local(filepath.Clean(uri)), nil
		}
		if scheme, _, ok := strings.Cut(uri, "://"); ok { // the rest may hold a password or a signature
			return place{}, orbit.Permanent(orbit.CodeInvalidInput, "files at %s:// cannot be opened; use %s", scheme, uriForms)
		}
		return place{}, orbit.Permanent(orbit.CodeInvalidInput, "%q is neither a URI nor an absolute path; use %s", uri, uriForms)
	}
	at, err := p.parse(uri)
	if err != nil {
		return place{}, err
	}
	if at.path == "" || strings.HasSuffix(at.path, "/") && p.naming == onServer {
		return place{}, orbit.Permanent(orbit.CodeInvalidInput, "%q names no file; write it as %s", uri, p.form)
	}
	return at, nil
}

const uriForms = "file:///folder/name, s3://bucket/key, gs://bucket/key, az://container/blob, sftp://host/path or ftp://host/path"

// parse reads a URI of the provider. Its path may be that of a folder, or empty.
func (p provider) parse(uri string) (place, error) {
	authority, rest, slash := strings.Cut(strings.TrimPrefix(uri, p.scheme+"://"), "/")
	at := place{provider: p.name, bucket: authority, path: unescape(rest)}
	switch p.naming {
	case onNode:
		if (authority != "" && authority != "localhost") || !slash {
			return place{}, orbit.Permanent(orbit.CodeInvalidInput, "%q names no file of this machine; write it as %s", uri, p.form)
		}
		return local(filepath.Clean("/" + at.path)), nil
	case onServer:
		if strings.Contains(authority, "@") || !isHost(authority) {
			return place{}, orbit.Permanent(orbit.CodeInvalidInput,
				"a URI of %s begins with a host, or host:port, and has no room for user and password; write %s, and put those into secrets", p.name, p.form)
		}
		at.path = cleanServerPath("/" + at.path)
		return at, nil
	}
	if strings.ContainsAny(authority, "@:") {
		return place{}, orbit.Permanent(orbit.CodeInvalidInput,
			"a URI of %s has no room for credentials or a port; write %s, and put those into secrets", p.name, p.form)
	}
	if authority == "" {
		return place{}, orbit.Permanent(orbit.CodeInvalidInput, "%q names no bucket; write it as %s", uri, p.form)
	}
	return at, nil
}

// isHost tells whether text is a host name or address, with or without a port.
func isHost(text string) bool {
	u, err := url.Parse("//" + text + "/")
	if err != nil || u.Host != text || u.Hostname() == "" {
		return false
	}
	if u.Port() == "" {
		return !strings.HasSuffix(text, ":")
	}
	port, err := strconv.Atoi(u.Port())
	return err == nil && port > 0 && port < 1<<16
}

// cleanServerPath brings an absolute path to its shortest form and keeps the slash that marks a folder.
func cleanServerPath(p string) string {
	clean := path.Clean(p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return clean
}

// unescape undoes percent-escapes. Text that holds a stray % was typed by a person and is taken as it is.
func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}
