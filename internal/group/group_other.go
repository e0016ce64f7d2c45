//go:build !linux

package group

import "syscall"

// attributes make a process the first of its own group. Only Linux can end it with us when we are killed; elsewhere it sees
// the end of its stdin.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// awaitEnd does not wait: whoever calls it reaps.
func awaitEnd(int) bool { return false }

// Resident knows nothing here: a limit on memory is not kept.
func Resident() map[int]int64 { return nil }
