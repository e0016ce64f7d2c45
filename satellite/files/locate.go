package files

import (
	"path/filepath"
	"strings"

	"github.com/exospherehost/orbit"
)

// named is how a config says where a file or a folder is. Each text may be empty.
type named struct {
	field    string // how the config calls the path
	path     string // a path, a key or a URI
	bucket   string
	provider string
	secrets  map[string]string // may name the host of a server
}

// locate gives the place that a config names. Where it names no provider, the URI does, or a bucket means S3.
func (n named) locate() (place, error) {
	p, err := n.of()
	if err != nil {
		return place{}, err
	}
	if at, known := providerAt(n.path); known && at.name != p.name || !known && strings.Contains(n.path, "://") {
		return place{}, n.outOfReach(p)
	}
	switch p.naming {
	case inBucket:
		return n.inBucket(p)
	case onServer:
		return n.onServer(p)
	}
	if n.bucket != "" {
		return place{}, n.noMeaning("bucket", p)
	}
	path, err := absolute(n.field, n.path)
	if err != nil {
		return place{}, err
	}
	return local(path), nil
}

// of gives the provider that is named, or the one that the other words imply.
func (n named) of() (provider, error) {
	if n.provider != "" {
		return providerNamed("provider", n.provider)
	}
	if p, known := providerAt(n.path); known {
		return p, nil
	}
	if n.bucket != "" {
		return providerNamed("provider", providerS3)
	}
	if filepath.IsAbs(n.path) {
		return providerNamed("provider", providerFile)
	}
	return provider{}, orbit.Permanent(orbit.CodeInvalidConfig, "%s does not say which store it is in; write it as a URI such as s3://bucket/key, or give bucket or provider", n.field)
}

func (n named) outOfReach(p provider) error {
	scheme, _, _ := strings.Cut(n.path, "://")
	if p.naming != onNode {
		return orbit.Permanent(orbit.CodeInvalidConfig, "%s is at %s://, which provider %s does not reach; write %s", n.field, scheme, p.name, p.form)
	}
	instead := "write a path"
	if other, known := providerAt(n.path); known {
		instead += ", or use provider " + other.name + " for " + scheme + "://"
	}
	return orbit.Permanent(orbit.CodeInvalidConfig, "%s is at %s://, which provider file does not reach; %s", n.field, scheme, instead)
}

func (n named) noMeaning(field string, p provider) error {
	return orbit.Permanent(orbit.CodeInvalidConfig, "%s has no meaning for provider %s; write the path as %s, or use provider aws-s3", field, p.name, p.form)
}

// inBucket reads a key, or a URI of a bucket. A key is taken literally.
func (n named) inBucket(p provider) (place, error) {
	at := place{provider: p.name, bucket: n.bucket, path: n.path}
	if strings.Contains(n.path, "://") {
		in, err := p.parse(n.path)
		if err != nil {
			return place{}, err
		}
		if n.bucket != "" && n.bucket != in.bucket {
			return place{}, orbit.Permanent(orbit.CodeInvalidConfig, "bucket is %s, but %s is in bucket %s; keep one of them", n.bucket, n.field, in.bucket)
		}
		at = in
	}
	if at.bucket == "" {
		return place{}, orbit.Permanent(orbit.CodeInvalidConfig, "%s names no bucket; write it as %s://bucket/%s, or give bucket as well",
			n.field, p.scheme, strings.TrimLeft(n.path, "/"))
	}
	return at, at.check()
}

// onServer reads an absolute path of a server, or a URI.
func (n named) onServer(p provider) (place, error) {
	if n.bucket != "" {
		return place{}, n.noMeaning("bucket", p)
	}
	prefix := strings.ToUpper(p.name) + "_"
	at := place{provider: p.name, path: cleanServerPath(n.path)}
	if strings.Contains(n.path, "://") {
		in, err := p.parse(n.path)
		if err != nil {
			return place{}, err
		}
		at = in
	} else if !strings.HasPrefix(n.path, "/") {
		return place{}, orbit.Permanent(orbit.CodeInvalidConfig, "%s is relative; write the path from the root of the server, like /upload/reports, or as %s", n.field, p.form)
	} else if at.bucket = n.secrets[prefix+"HOST"]; at.bucket == "" {
		return place{}, orbit.Permanent(orbit.CodeInvalidConfig, "%s names no server; put %sHOST into secrets, or write it as %s", n.field, prefix, p.form)
	}
	host, err := withPort(p, at.bucket, n.secrets[prefix+"PORT"])
	if err != nil {
		return place{}, err
	}
	at.bucket = host
	return at, at.check()
}
