package files

import (
	"path"
	"strings"

	"github.com/exospherehost/orbit"
)

// filter says which files of a listing are wanted.
type filter struct {
	allowed, blocked []string // ".pdf"; no allowed: all are
	files, folders   []string // patterns of path.Match
}

func newFilter(config map[string]any) (filter, error) {
	f := filter{
		allowed: extensions(append(texts(config, "allowed-extensions"), text(config, "extension"))),
		blocked: extensions(texts(config, "blocked-extensions")),
		files:   texts(config, "exclude-files"),
		folders: texts(config, "exclude-folders"),
	}
	for i, pattern := range f.folders {
		f.folders[i] = strings.TrimRight(pattern, "/")
	}
	for field, patterns := range map[string][]string{"exclude-files": f.files, "exclude-folders": f.folders} {
		for _, pattern := range patterns {
			if _, err := path.Match(pattern, ""); err != nil {
				return filter{}, orbit.Permanent(orbit.CodeInvalidConfig, `%s has %q, which is no pattern; write \[ where you mean the character [`, field, pattern)
			}
		}
	}
	return f, nil
}

// wantsFile judges a file: rel is its path below the folder that is listed, full its whole path.
func (f filter) wantsFile(rel, full string) bool {
	name := strings.ToLower(path.Base(rel))
	if hasExtension(name, f.blocked) || (len(f.allowed) > 0 && !hasExtension(name, f.allowed)) {
		return false
	}
	return !matches(f.files, rel, full)
}

// wantsFolder judges one folder, not those above it.
func (f filter) wantsFolder(rel, full string) bool { return !matches(f.folders, rel, full) }

// wantsKey judges a file together with every folder above it, for stores that list no folders.
func (f filter) wantsKey(rel, full string) bool {
	if len(f.folders) > 0 {
		above := len(full) - len(rel)
		for i := range len(rel) {
			if rel[i] == '/' && !f.wantsFolder(rel[:i], full[:above+i]) {
				return false
			}
		}
	}
	return f.wantsFile(rel, full)
}

// matches tries a pattern without a slash on the name, any other on the path below the folder and on the whole path.
func matches(patterns []string, rel, full string) bool {
	for _, pattern := range patterns {
		if !strings.Contains(pattern, "/") {
			if ok, _ := path.Match(pattern, path.Base(rel)); ok {
				return true
			}
			continue
		}
		if ok, _ := path.Match(pattern, rel); ok {
			return true
		}
		if ok, _ := path.Match(pattern, full); ok {
			return true
		}
	}
	return false
}

func hasExtension(name string, extensions []string) bool {
	for _, e := range extensions {
		if strings.HasSuffix(name, e) {
			return true
		}
	}
	return false
}

// extensions brings "pdf", ".PDF" and "*.pdf" to ".pdf".
func extensions(list []string) []string {
	var out []string
	for _, e := range list {
		if e = strings.ToLower(strings.TrimLeft(strings.TrimSpace(e), "*.")); e != "" {
			out = append(out, "."+e)
		}
	}
	return out
}
