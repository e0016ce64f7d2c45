package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// startTime is how long a child may take to come up: a cold start on a busy machine takes seconds.
	startTime = time.Minute
	// stopTime is how long a child may take to end before it is killed.
	stopTime = 20 * time.Second
)

// child is this program once more, in another role. It may be killed, and started again with what it was told before.
// One goroutine starts and ends it; others may ask for its PID.
type child struct {
	role, name string
	ready      ready
	args       []string
	log        io.Writer
	hear       func(line []byte) // takes each line that it says once it is up; nil: nobody listens
	died       func(error)       // is told when it ends by itself; nil: nobody asks

	cmd    *exec.Cmd
	stdin  io.WriteCloser
	ended  chan struct{} // of cmd; closed when the process has ended
	pid    atomic.Int64
	wanted atomic.Bool // it has not been told to end
}

func newChild(b *bench, role, name string, args ...string) *child {
	return &child{role: role, name: name, args: append([]string{"-name", name}, args...), log: b.log}
}

// startChild returns when the child is up.
func startChild(ctx context.Context, b *bench, role string, args ...string) (*child, error) {
	c := newChild(b, role, role, args...)
	return c, c.Start(ctx)
}

// Start returns when the child is up. It ends with Stop or Kill, or by itself when this process dies. After an error it does
// not run.
func (c *child) Start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, append([]string{roleWord, c.role}, c.args...)...)
	cmd.Stderr = c.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C in the terminal is for us alone
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the %s: %w", c.name, err)
	}
	ended := make(chan struct{})
	c.cmd, c.stdin, c.ended = cmd, stdin, ended
	c.pid.Store(int64(cmd.Process.Pid))
	c.wanted.Store(true)
	up := make(chan error, 1)
	go func() { // ends with the process
		in := bufio.NewReader(out)
		line, err := in.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, &c.ready)
		}
		up <- err
		for err == nil {
			if line, err = in.ReadBytes('\n'); err == nil && c.hear != nil {
				c.hear(line)
			}
		}
		_ = cmd.Wait() // how it ended is in ProcessState
		close(ended)
		if c.wanted.Load() && c.died != nil {
			c.died(fmt.Errorf("the %s has ended: %s", c.name, cmd.ProcessState))
		}
	}()
	select {
	case err = <-up:
	case <-time.After(startTime):
		err = errors.New("it is not up in time")
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		c.Kill()
		return fmt.Errorf("start the %s: %w", c.name, err)
	}
	return nil
}

// Profile begins the CPU profile that the child was told to write; called again, it ends it.
func (c *child) Profile() { _, _ = io.WriteString(c.stdin, "profile\n") }

// Freeze stops the child as SIGSTOP does; Thaw lets it go on.
func (c *child) Freeze() { _ = c.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen child go on.
func (c *child) Thaw() { _ = c.cmd.Process.Signal(syscall.SIGCONT) }

// Kill ends the child as kill -9 does, and returns when it is gone. One that does not run is left alone.
func (c *child) Kill() {
	c.wanted.Store(false)
	if c.cmd == nil || c.cmd.Process == nil {
		return
	}
	_ = c.cmd.Process.Kill()
	_ = c.stdin.Close()
	<-c.ended
}

// Stop asks the child to end and returns when it is gone.
func (c *child) Stop() {
	c.wanted.Store(false)
	if c.cmd == nil || c.cmd.Process == nil {
		return
	}
	c.Thaw()
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	_ = c.stdin.Close()
	select {
	case <-c.ended:
	case <-time.After(stopTime):
		c.Kill()
	}
}

// PID is the child's process.
func (c *child) PID() int { return int(c.pid.Load()) }
