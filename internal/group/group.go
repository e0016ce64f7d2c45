// Package group runs child processes that end with us: each leads a process group of its own, and is ended with all that it
// has started.
//
//	Start ──► running ──End: SIGTERM, after a grace SIGKILL──► Gone
//
// It owns the signals and the reaping, so that no signal ever reaches an id that is another's by now. It refuses to know what
// a process is for: its pipes, environment and meaning are the caller's.
package group

import (
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Stuck is how long a process is waited for that should end by now, such as one that was sent SIGKILL. One that is held up in
// the kernel dies when it comes out; nobody waits for that.
const Stuck = time.Second

// Group is a process and whatever it has started.
type Group struct {
	cmd  *exec.Cmd
	left func()
	gone chan struct{} // closed when it has ended, its group is killed and it is reaped

	mu     sync.Mutex // guards reaped, and is held while a signal is sent: a reaped id may be another's
	reaped bool
	state  *os.ProcessState // set before gone is closed
}

// Start starts a process as the first of its own group. left is called once when it has ended and its group is killed, before
// Gone is closed; nil is fine. On Linux the kernel kills the process when we end, however that happens.
func Start(cmd *exec.Cmd, left func()) (*Group, error) {
	cmd.SysProcAttr = attributes()
	g := &Group{cmd: cmd, left: left, gone: make(chan struct{})}
	started := make(chan error)
	go g.live(started)
	if err := <-started; err != nil {
		return nil, err
	}
	return g, nil
}

// live starts the process and sees it end. It keeps its thread to itself, for the kernel kills the process when the thread
// ends that started it.
func (g *Group) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := g.cmd.Start(); err != nil {
		started <- err
		return
	}
	started <- nil
	pid := g.cmd.Process.Pid
	if !awaitEnd(pid) {
		_ = g.cmd.Wait() // its state says all
	}
	g.mu.Lock()
	_ = syscall.Kill(-pid, syscall.SIGKILL) // what it left behind: it is nobody's now
	_ = g.cmd.Wait()                        // a second one is refused
	g.state, g.reaped = g.cmd.ProcessState, true
	g.mu.Unlock()
	if g.left != nil {
		g.left()
	}
	close(g.gone)
}

// ID is the id of the process and of its group.
func (g *Group) ID() int { return g.cmd.Process.Pid }

// Gone is closed when the process has ended, its group is killed and it is reaped.
func (g *Group) Gone() <-chan struct{} { return g.gone }

// State tells how the process ended, once it is gone; before, it is nil.
func (g *Group) State() *os.ProcessState {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state
}

// Signal sends a signal to the whole group, unless that is gone.
func (g *Group) Signal(s syscall.Signal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.reaped {
		_ = syscall.Kill(-g.cmd.Process.Pid, s) // it is ending
	}
}

// Within tells whether the process is gone before a time has passed.
func (g *Group) Within(d time.Duration) bool {
	limit := time.NewTimer(d)
	defer limit.Stop()
	select {
	case <-g.gone:
		return true
	case <-limit.C:
		return false
	}
}

// End ends the group: SIGTERM, and after a grace SIGKILL. It tells whether it is gone; if not, it is stuck in the kernel.
func (g *Group) End(grace time.Duration) bool {
	g.Signal(syscall.SIGTERM)
	if g.Within(grace) {
		return true
	}
	g.Signal(syscall.SIGKILL)
	return g.Within(Stuck)
}
