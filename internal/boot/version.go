package boot

import "runtime/debug"

// version is set when a release is built: -ldflags "-X github.com/exospherehost/orbit/internal/boot.version=v1.2.3".
var version = ""

// Version is that of this program: of the release, else of the module, else of the commit.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "v0.1.0-dev"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "v0.1.0-dev+" + s.Value[:12]
		}
	}
	return "v0.1.0-dev"
}
