package group

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// attributes make a process the first of its own group, and end it with us, however we end. The kernel counts the thread
// that started it as "us", which is why that thread stays with it (Group.live).
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// From <linux/wait.h>: what waitid(2) is to wait for.
const (
	pPID    = 1
	wEXITED = 0x4
	wNOWAIT = 0x1000000
)

// awaitEnd waits until a process has ended, and leaves it to be reaped: so long, its id and its group's are nobody else's.
func awaitEnd(pid int) (waited bool) {
	var info [128]byte // siginfo_t
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pPID, uintptr(pid), uintptr(unsafe.Pointer(&info)), wEXITED|wNOWAIT, 0, 0)
		if errno != syscall.EINTR {
			return errno == 0
		}
	}
}

// Resident gives the memory that is resident for each process group, in bytes, as proc(5) tells.
func Resident() map[int]int64 {
	page := int64(os.Getpagesize())
	sum := map[int]int64{}
	dir, err := os.Open("/proc")
	if err != nil {
		return sum
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		text, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil { // it has ended
			continue
		}
		// The second field is the program's name in parentheses, and may hold anything.
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		if len(fields) < 22 {
			continue
		}
		group, _ := strconv.Atoi(string(fields[2]))
		pages, _ := strconv.ParseInt(string(fields[21]), 10, 64)
		sum[group] += pages * page
	}
	return sum
}
