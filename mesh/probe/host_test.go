package probe

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/exospherehost/orbit"
	"github.com/rs/zerolog"
)

// files makes a file system of pairs: path, content.
func files(pairs ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}

const meminfo = "MemTotal:       33554432 kB\nMemFree:         1000000 kB\n" // 32 GiB

func TestLimitsOfContainersCount(t *testing.T) {
	const v2 = "0::/\n"
	for _, tc := range []struct {
		name   string
		files  fstest.MapFS
		cores  int
		memory orbit.Bytes
	}{
		{"no limits", files("proc/self/cgroup", v2), 16, 32 * orbit.GiB},
		{"no cgroups", files(), 16, 32 * orbit.GiB},
		{"v2 says max", files("proc/self/cgroup", v2, "sys/fs/cgroup/cpu.max", "max 100000\n", "sys/fs/cgroup/memory.max", "max\n"), 16, 32 * orbit.GiB},
		{"v2 quota and memory", files("proc/self/cgroup", v2, "sys/fs/cgroup/cpu.max", "400000 100000\n", "sys/fs/cgroup/memory.max", "8589934592\n"), 4, 8 * orbit.GiB},
		{"v2 two and a half cores are two", files("proc/self/cgroup", v2, "sys/fs/cgroup/cpu.max", "250000 100000\n"), 2, 32 * orbit.GiB},
		{"v2 half a core is one", files("proc/self/cgroup", v2, "sys/fs/cgroup/cpu.max", "50000 100000\n"), 1, 32 * orbit.GiB},
		{"v2 limits of a group above count", files("proc/self/cgroup", "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max", "max", "sys/fs/cgroup/a/memory.max", "4294967296", "sys/fs/cgroup/a/b/cpu.max", "800000 100000", "sys/fs/cgroup/a/cpu.max", "300000 100000"), 3, 4 * orbit.GiB},
		{"v2 cpuset", files("proc/self/cgroup", v2, "sys/fs/cgroup/cpuset.cpus.effective", "0-3,8,10-11\n"), 7, 32 * orbit.GiB},
		{"v2 path outside of the container's view", files("proc/self/cgroup", "0::/../../x\n", "sys/fs/cgroup/cpu.max", "200000 100000"), 2, 32 * orbit.GiB},
		{"quota above the machine", files("proc/self/cgroup", v2, "sys/fs/cgroup/cpu.max", "6400000 100000", "sys/fs/cgroup/memory.max", "999999999999999"), 16, 32 * orbit.GiB},
		{"v1 in a container", files("proc/self/cgroup", "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n2:cpuset:/docker/abc\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes", "2147483648\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "600000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n",
			"sys/fs/cgroup/cpuset/cpuset.cpus", "0-4\n"), 5, 2 * orbit.GiB},
		{"v1 without limits", files("proc/self/cgroup", "4:memory:/\n3:cpu,cpuacct:/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"), 16, 32 * orbit.GiB},
		{"v1 named groups beside v2", files("proc/self/cgroup", "1:name=systemd:/x\n0::/x\n", "sys/fs/cgroup/x/memory.max", "1073741824"), 16, orbit.GiB},
		{"nonsense limits nothing", files("proc/self/cgroup", "nonsense\n0::/\n", "sys/fs/cgroup/cpu.max", "x y", "sys/fs/cgroup/memory.max", "-5", "sys/fs/cgroup/cpuset.cpus.effective", "3-1"), 16, 32 * orbit.GiB},
	} {
		tc.files["proc/meminfo"] = &fstest.MapFile{Data: []byte(meminfo)}
		h, err := host(tc.files, 16)
		if err != nil || h.Cores != tc.cores || h.Memory != tc.memory {
			t.Errorf("%s: %d cores, %s, %v", tc.name, h.Cores, h.Memory, err)
		}
	}
}

func TestSystemWithoutProcHasCoresAndUnknownMemory(t *testing.T) {
	if h, err := host(files(), 8); err != nil || h.Cores != 8 || h.Memory != 0 {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestUnreadableMeminfoIsAnError(t *testing.T) {
	for _, text := range []string{"", "MemTotal: many kB\n", "MemTotal: 0 kB\n", "MemTotal: 99999999999999999999 kB\n"} {
		if _, err := host(files("proc/meminfo", text), 1); err == nil || !strings.Contains(err.Error(), "MemTotal") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestLoadIsPerCore(t *testing.T) {
	for _, tc := range []struct {
		text  string
		cores int
		want  int
	}{{"3.00 1.00 0.50 1/467 12345\n", 4, 75}, {"0.5", 0, 50}, {"", 4, 0}, {"-1 0 0", 4, 0}, {"NaN 0 0", 4, 0}} {
		if got := load(files("proc/loadavg", tc.text), tc.cores); got != tc.want {
			t.Errorf("%q on %d cores: %d", tc.text, tc.cores, got)
		}
	}
	if got := load(files(), 1); got != 0 {
		t.Error(got)
	}
}

func TestThisMachineHasCoresAndMemory(t *testing.T) {
	h, err := Hardware(t.Context())
	if err != nil || h.Cores < 1 || h.Memory < orbit.MiB {
		t.Errorf("%+v, %v", h, err)
	}
	p := New(zerolog.Nop())
	p.Close()
	p.Close()
	if got := p.GPUs(); got != nil {
		t.Errorf("after Close: %v", got)
	}
}
