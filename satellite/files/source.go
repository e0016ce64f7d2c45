package files

import (
	"strings"

	"github.com/exospherehost/orbit"
)

var errNoSource = orbit.Permanent(orbit.CodeInvalidConfig, "it is not said which files; give folder-path, file-path or bucket")

// source is what get-files looks at: a single file, or all below a place.
type source struct {
	at     place
	single bool
}

// newSource reads from the config which files to list.
func newSource(p provider, config map[string]any, secrets map[string]string) (source, error) {
	field, path, err := pathField(config)
	if err != nil {
		return source{}, err
	}
	bucket, prefix := text(config, "bucket"), text(config, "prefix")
	in := named{field: field, path: path, bucket: bucket, provider: p.name, secrets: secrets}
	switch {
	case p.naming != inBucket && bucket != "":
		return source{}, in.noMeaning("bucket", p)
	case p.naming != inBucket && prefix != "":
		return source{}, in.noMeaning("prefix", p)
	case path != "" && prefix != "":
		return source{}, orbit.Permanent(orbit.CodeInvalidConfig, "prefix and %s both say which files; keep one of them", field)
	case path == "" && bucket == "":
		return source{}, errNoSource
	case path == "":
		at := place{provider: p.name, bucket: bucket, path: prefix}
		return source{at: at}, at.check()
	}
	if p.naming == inBucket && field == "folder-path" && bucket != "" && !strings.Contains(path, "://") {
		in.path = strings.TrimPrefix(path, "/") // people write folders of a bucket from its root
	}
	at, err := in.locate()
	if err != nil {
		return source{}, err
	}
	if field == "file-path" {
		if p.naming != onNode && (at.path == "" || strings.HasSuffix(at.path, "/")) {
			return source{}, orbit.Permanent(orbit.CodeInvalidConfig, "file-path names a folder of %s; write folder-path instead", at.where())
		}
		return source{at: at, single: true}, nil
	}
	return source{at: at.folder()}, nil
}

// folder marks a place of a bucket or server as a folder.
func (p place) folder() place {
	if p.of().naming != onNode && p.path != "" && !strings.HasSuffix(p.path, "/") {
		p.path += "/"
	}
	return p
}

// where names the bucket or server that the place is in, for sentences.
func (p place) where() string {
	switch {
	case p.provider == providerAzure:
		return "container " + p.bucket
	case p.of().naming == inBucket:
		return "bucket " + p.bucket
	}
	return p.bucket
}

// pathField gives the one of folder-path and file-path that the config has.
func pathField(config map[string]any) (field, value string, err error) {
	folder, file := text(config, "folder-path"), text(config, "file-path")
	switch {
	case folder != "" && file != "":
		return "", "", orbit.Permanent(orbit.CodeInvalidConfig, "folder-path and file-path both say which files; keep one of them")
	case file != "":
		return "file-path", file, nil
	}
	return "folder-path", folder, nil
}

func text(config map[string]any, key string) string {
	s, _ := config[key].(string)
	return s
}

func boolean(config map[string]any, key string) bool {
	b, _ := config[key].(bool)
	return b
}

func texts(config map[string]any, key string) []string {
	list, _ := config[key].([]any)
	out := make([]string, 0, len(list))
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
