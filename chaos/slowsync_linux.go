package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// The kernel's numbers for what follows; package syscall does not have them.
const (
	prSetNoNewPrivs    = 38
	seccompSetFilter   = 1
	seccompTsync       = 1 << 0
	seccompNewListener = 1 << 3
	seccompTsyncESRCH  = 1 << 4
	retUserNotif       = 0x7fc00000
	retAllow           = 0x7fff0000
	notifRecv          = 0xc0502100
	notifSend          = 0xc0182101
	notifContinue      = 1
)

// notification is struct seccomp_notif: which call of which thread waits for us.
type notification struct {
	id    uint64
	pid   uint32
	flags uint32
	data  [64]byte
}

// answer is struct seccomp_notif_resp.
type answer struct {
	id    uint64
	val   int64
	err   int32
	flags uint32
}

// delaySyncs makes every fsync and fdatasync of this process wait before it is done, for as long as is set later: a disk that
// has become slow. It needs no rights, and cannot be undone.
func delaySyncs() (set func(ms int64), err error) {
	type instruction struct {
		code   uint16
		jt, jf uint8
		k      uint32
	}
	filter := []instruction{
		{0x20, 0, 0, 0}, // load the number of the call
		{0x15, 1, 0, syscall.SYS_FSYNC},
		{0x15, 0, 1, syscall.SYS_FDATASYNC},
		{0x06, 0, 0, retUserNotif},
		{0x06, 0, 0, retAllow},
	}
	program := struct {
		n      uint16
		filter *instruction
	}{uint16(len(filter)), &filter[0]}
	runtime.LockOSThread() // both calls from one thread; the second takes all others along
	defer runtime.UnlockOSThread()
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		return nil, fmt.Errorf("give up new privileges: %w", errno)
	}
	fd, _, errno := syscall.Syscall(sysSeccomp, seccompSetFilter, seccompTsync|seccompNewListener|seccompTsyncESRCH, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return nil, fmt.Errorf("listen for calls of fsync: %w", errno)
	}
	var delay atomic.Int64
	go func() {
		for {
			n := notification{}
			if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, notifRecv, uintptr(unsafe.Pointer(&n))); errno != 0 {
				continue // the caller was interrupted, and will call again
			}
			pass := func() {
				a := answer{id: n.id, flags: notifContinue}
				_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, fd, notifSend, uintptr(unsafe.Pointer(&a)))
			}
			if d := delay.Load(); d > 0 {
				time.AfterFunc(time.Duration(d)*time.Millisecond, pass)
				continue
			}
			pass()
		}
	}()
	return delay.Store, nil
}
