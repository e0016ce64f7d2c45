package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of processor time in /proc: 100 a second on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// memory is the resident memory of a process as /proc tells it; "unknown" on systems without.
type memory struct{ now, peak string }

func memoryOf(pid int) memory {
	file := fmt.Sprintf("/proc/%d/status", pid)
	return memory{mebibytes(field(file, "VmRSS")), mebibytes(field(file, "VmHWM"))}
}

// resident is the resident memory of a process in MiB; 0 where it is not known.
func resident(pid int) int {
	kib, err := strconv.Atoi(strings.TrimSuffix(field(fmt.Sprintf("/proc/%d/status", pid), "VmRSS"), " kB"))
	if err != nil {
		return 0
	}
	return kib >> 10
}

func mebibytes(text string) string {
	kib, err := strconv.Atoi(strings.TrimSuffix(text, " kB"))
	if err != nil {
		return text
	}
	return fmt.Sprintf("%d MiB", kib>>10)
}

// cpuOf is the processor time that a process has used; 0 where that is not known.
func cpuOf(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name may hold spaces
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, err1 := strconv.Atoi(f[11])
	system, err2 := strconv.Atoi(f[12])
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(user+system) * tick
}

// quiet waits until the processes do next to nothing, a minute at most: a starting node prepares its PDF reader.
func quiet(ctx context.Context, pids ...int) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for still := 0; still < 3 && ctx.Err() == nil; still++ {
		spent := watch(pids...)
		time.Sleep(500 * time.Millisecond)
		if spent() > 5*tick {
			still = -1
		}
	}
}

// watch gives a function that tells how much processor time the processes have used since.
func watch(pids ...int) func() time.Duration {
	used := func() (sum time.Duration) {
		for _, pid := range pids {
			sum += cpuOf(pid)
		}
		return sum
	}
	before := used()
	return func() time.Duration { return used() - before }
}
