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
	"syscall"
	"time"
)

const (
	// startTime is how long a child may take to come up: a cold start on a busy machine takes seconds.
	startTime = time.Minute
	// stopTime is how long a child may take to end before it is killed.
	stopTime = 20 * time.Second
)

// child is this program once more, in another role.
type child struct {
	role  string
	ready ready
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{} // closed when the process has ended
}

// startChild returns when the child is up. It ends with Stop, or by itself when this process dies.
func startChild(ctx context.Context, b *bench, role string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{role: role, cmd: exec.Command(self, append([]string{roleWord, role}, args...)...), ended: make(chan struct{})}
	c.cmd.Stderr = b.log
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", role, err)
	}
	up := make(chan error, 1)
	go func() {
		defer close(c.ended)
		line, err := bufio.NewReader(out).ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, &c.ready)
		}
		up <- err
		_ = c.cmd.Wait() // how it ended says nothing that its log does not
	}()
	select {
	case err = <-up:
	case <-time.After(startTime):
		err = errors.New("it is not up in time")
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		c.Stop()
		return nil, fmt.Errorf("start the %s: %w", role, err)
	}
	return c, nil
}

// Profile begins the CPU profile that the child was told to write; called again, it ends it.
func (c *child) Profile() { _, _ = io.WriteString(c.stdin, "profile\n") }

// Stop ends the child and returns when it is gone.
func (c *child) Stop() {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	_ = c.stdin.Close()
	select {
	case <-c.ended:
	case <-time.After(stopTime):
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
}

// PID is the child's process.
func (c *child) PID() int { return c.cmd.Process.Pid }
