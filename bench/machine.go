package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/exospherehost/orbit/internal/boot"
)

// machine says where, when and of what the figures are.
func machine() []row {
	rows := []row{
		{"date", "", time.Now().UTC().Format("2006-01-02 15:04 MST")},
		{"machine", "", fmt.Sprintf("%s/%s, %d cores, %s, %s of memory", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), field("/proc/cpuinfo", "model name"), field("/proc/meminfo", "MemTotal"))},
		{"load before", "", firstLine("/proc/loadavg")},
	}
	versions := "orbit " + boot.Version() + ", " + runtime.Version()
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if name, ok := map[string]string{"github.com/nats-io/nats-server/v2": "nats-server", "github.com/nats-io/nats.go": "nats.go"}[d.Path]; ok {
				versions += ", " + name + " " + d.Version
			}
		}
	}
	return append(rows, row{"versions", "", versions}, row{"setting", "", "R1, file storage, default sync; gateway with embedded server, node and client each a process (recovery, replicas and soak have more); TCP on loopback"})
}

// field reads the first value of a key from a file of "key: value" lines; "unknown" where there is none.
func field(file, key string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return "unknown"
}

func firstLine(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}
