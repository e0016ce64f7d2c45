package main

import (
	"os/exec"
	"runtime"
)

// end is a place where processes are started: a thread of its own, in the network namespace that prepare has put it into. What
// it starts dies with it, and so with this program, however that ends.
type end struct {
	do chan func()
}

// newEnd makes a place. The thread stays until this program ends, for its death is that of what it started.
func newEnd(prepare func() error) (*end, error) {
	e := &end{do: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread()
		if prepare != nil {
			if err := prepare(); err != nil {
				ready <- err
				return // still locked, so the thread ends with its namespace
			}
		}
		ready <- nil
		for f := range e.do {
			f()
		}
	}()
	return e, <-ready
}

// start starts a process there.
func (e *end) start(cmd *exec.Cmd) error {
	tie(cmd)
	done := make(chan error)
	e.do <- func() { done <- cmd.Start() }
	return <-done
}
