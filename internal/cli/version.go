package cli

import (
	"context"
	"runtime"
	"runtime/debug"
)

// versionCommand is `orbit version`.
type versionCommand struct{}

// versionDoc is what is known of the build.
type versionDoc struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Run prints the version.
func (*versionCommand) Run(_ context.Context, a *app) error {
	doc := newVersionDoc(a.deps.Version)
	if a.json() {
		return a.printJSON(doc)
	}
	commit := ""
	if doc.Commit != "" {
		commit = " (" + doc.Commit + ")"
	}
	return a.print("orbit %s%s %s %s", doc.Version, commit, doc.Go, doc.Platform)
}

func newVersionDoc(version string) versionDoc {
	doc := versionDoc{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if doc.Version == "" {
			doc.Version = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				doc.Commit = s.Value[:min(12, len(s.Value))]
			}
		}
	}
	if doc.Version == "" {
		doc.Version = "(devel)"
	}
	return doc
}
