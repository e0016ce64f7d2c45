package probe

import (
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/exospherehost/orbit"
)

// limits of the control groups that this process is in; zero is none.
type limits struct {
	cores  int
	memory orbit.Bytes
}

func (l *limits) addCores(n float64) {
	if n <= 0 {
		return
	}
	whole := max(int(min(n, math.MaxInt32)), 1) // rounded down: half a core more is no core to promise
	if l.cores == 0 || whole < l.cores {
		l.cores = whole
	}
}

func (l *limits) addMemory(n int64) {
	if n > 0 && (l.memory == 0 || orbit.Bytes(n) < l.memory) {
		l.memory = orbit.Bytes(n)
	}
}

// limitsOf gives the tightest limits on the way from our groups up to the root. Version 2 has one tree for all
// controllers, version 1 one for each; a machine may use both. What cannot be read limits nothing.
func limitsOf(root fs.FS) (l limits) {
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return l
	}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3) // hierarchy:controllers:path
		if len(f) != 3 {
			continue
		}
		controllers := strings.Split(f[1], ",")
		switch {
		case f[0] == "0" && f[1] == "":
			l.upwards(root, "sys/fs/cgroup", f[2], (*limits).version2)
		case slices.Contains(controllers, "cpu"):
			l.upwards(root, "sys/fs/cgroup/cpu", f[2], (*limits).quota1)
		case slices.Contains(controllers, "memory"):
			l.upwards(root, "sys/fs/cgroup/memory", f[2], (*limits).memory1)
		}
		if slices.Contains(controllers, "cpuset") {
			l.upwards(root, "sys/fs/cgroup/cpuset", f[2], (*limits).cpuset1)
		}
	}
	return l
}

// upwards reads the group and each one above it. In a container the group's own path is often not there, as the
// container's root is mounted in its place; then that root is what is read.
func (l *limits) upwards(root fs.FS, mount, group string, read func(*limits, func(string) string)) {
	for dir := path.Join(mount, path.Clean("/"+group)); ; dir = path.Dir(dir) {
		read(l, func(name string) string {
			text, _ := fs.ReadFile(root, path.Join(dir, name))
			return strings.TrimSpace(string(text))
		})
		if dir == mount {
			return
		}
	}
}

func (l *limits) version2(file func(string) string) {
	if f := strings.Fields(file("cpu.max")); len(f) == 2 && f[0] != "max" {
		l.addCores(ratio(f[0], f[1]))
	}
	l.addCores(float64(countCPUs(file("cpuset.cpus.effective"))))
	if n, err := strconv.ParseInt(file("memory.max"), 10, 64); err == nil { // "max" is none
		l.addMemory(n)
	}
}

func (l *limits) quota1(file func(string) string) {
	l.addCores(ratio(file("cpu.cfs_quota_us"), file("cpu.cfs_period_us"))) // a quota of -1 is none
}

func (l *limits) memory1(file func(string) string) {
	if n, err := strconv.ParseInt(file("memory.limit_in_bytes"), 10, 64); err == nil { // none is a number near 2^63
		l.addMemory(n)
	}
}

func (l *limits) cpuset1(file func(string) string) {
	l.addCores(float64(countCPUs(file("cpuset.cpus"))))
}

// ratio divides two numbers, and gives 0 where there is nothing to divide.
func ratio(quota, period string) float64 {
	q, err1 := strconv.ParseInt(quota, 10, 64)
	p, err2 := strconv.ParseInt(period, 10, 64)
	if err1 != nil || err2 != nil || q <= 0 || p <= 0 {
		return 0
	}
	return float64(q) / float64(p)
}

// countCPUs counts a list such as "0-3,8,10-11"; 0 where it cannot be read.
func countCPUs(list string) (n int) {
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, err1 := strconv.ParseUint(first, 10, 16)
		b, err2 := strconv.ParseUint(last, 10, 16)
		if err1 != nil || err2 != nil || b < a {
			return 0
		}
		n += int(b-a) + 1
	}
	return n
}
