//go:build !linux

package exec

import "syscall"

// attributes make a process the first of its own group. Only Linux can end it with us when we are killed; elsewhere it sees
// the end of its stdin.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// awaitEnd does not wait: whoever calls it reaps.
func awaitEnd(int) bool { return false }

// resident knows nothing here: a limit on memory is not kept.
func resident() map[int]int64 { return nil }
