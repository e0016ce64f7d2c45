package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/exospherehost/orbit"
)

// host gives cores and memory as the file system at root tells them. cpus is what the runtime sees.
func host(root fs.FS, cpus int) (orbit.Hardware, error) {
	h := orbit.Hardware{Cores: cpus}
	text, err := fs.ReadFile(root, "proc/meminfo")
	switch {
	case errors.Is(err, fs.ErrNotExist): // no Linux
		return h, nil
	case err != nil:
		return h, fmt.Errorf("read the size of memory: %w", err)
	}
	if h.Memory, err = total(string(text)); err != nil {
		return h, err
	}
	limits := limitsOf(root)
	if limits.cores > 0 {
		h.Cores = min(h.Cores, limits.cores)
	}
	if limits.memory > 0 {
		h.Memory = min(h.Memory, limits.memory)
	}
	return h, nil
}

// total reads the line "MemTotal:  32768000 kB" of /proc/meminfo.
func total(meminfo string) (orbit.Bytes, error) {
	for line := range strings.Lines(meminfo) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "MemTotal:" && f[2] == "kB" {
			if kib, err := strconv.ParseInt(f[1], 10, 50); err == nil && kib > 0 {
				return orbit.Bytes(kib) * orbit.KiB, nil
			}
		}
	}
	return 0, errors.New("/proc/meminfo has no MemTotal that can be read")
}

// load reads /proc/loadavg, "0.52 0.58 0.59 1/467 12345". Its first number counts the threads of the whole machine, so in
// a container it may be far above what this program does.
func load(root fs.FS, cores int) int {
	text, err := fs.ReadFile(root, "proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), " ")
	threads, err := strconv.ParseFloat(first, 64)
	if err != nil || !(threads >= 0 && threads < 1e6) { // NaN fails every comparison
		return 0
	}
	return int(threads * 100 / float64(max(cores, 1)))
}
