package files

import (
	"strings"

	"github.com/exospherehost/orbit"
)

var errNoSource = orbit.Permanent(orbit.CodeInvalidConfig, "it is not said which files; give folder-path, file-path or bucket")

// localSource reads from the config which folder to list, or which single file to give.
func localSource(config map[string]any) (path string, single bool, err error) {
	for _, field := range []string{"bucket", "prefix"} {
		if text(config, field) != "" {
			return "", false, orbit.Permanent(orbit.CodeInvalidConfig, "%s has no meaning for provider file; use folder-path, or provider aws-s3", field)
		}
	}
	field, path, err := pathField(config)
	if err != nil {
		return "", false, err
	}
	if path == "" {
		return "", false, errNoSource
	}
	path, err = absolute(field, path)
	return path, field == "file-path", err
}

// bucketSource reads from the config which bucket and prefix to list, or which single object to give.
func bucketSource(config map[string]any) (at place, single bool, err error) {
	at = place{bucket: text(config, "bucket"), path: text(config, "prefix")}
	field, path, err := pathField(config)
	if err != nil {
		return place{}, false, err
	}
	if path == "" {
		if at.bucket == "" {
			return place{}, false, errNoSource
		}
		return at, false, nil
	}
	if at.path != "" {
		return place{}, false, orbit.Permanent(orbit.CodeInvalidConfig, "prefix and %s both say which files; keep one of them", field)
	}
	if rest, ok := strings.CutPrefix(path, "s3://"); ok {
		bucket, key, _ := strings.Cut(rest, "/")
		if strings.ContainsAny(bucket, "@:") {
			return place{}, false, errURICredentials
		}
		if at.bucket != "" && at.bucket != bucket {
			return place{}, false, orbit.Permanent(orbit.CodeInvalidConfig, "bucket is %s, but %s is in bucket %s; keep one of them", at.bucket, field, bucket)
		}
		at.bucket, path = bucket, unescape(key)
	} else if scheme, _, ok := strings.Cut(path, "://"); ok {
		return place{}, false, orbit.Permanent(orbit.CodeInvalidConfig, "%s is at %s://, which provider aws-s3 does not reach; write s3://bucket/key", field, scheme)
	} else if at.bucket == "" {
		return place{}, false, orbit.Permanent(orbit.CodeInvalidConfig, "%s names no bucket; write it as s3://bucket/%s, or give bucket as well", field, strings.TrimLeft(path, "/"))
	} else if field == "folder-path" {
		path = strings.TrimPrefix(path, "/") // people write folders of a bucket from its root
	}
	if field == "file-path" {
		if path == "" || strings.HasSuffix(path, "/") {
			return place{}, false, orbit.Permanent(orbit.CodeInvalidConfig, "file-path names a folder of bucket %s; write folder-path instead", at.bucket)
		}
		at.path = path
		return at, true, nil
	}
	if path != "" && !strings.HasSuffix(path, "/") {
		path += "/"
	}
	at.path = path
	return at, false, nil
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
