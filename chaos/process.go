package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// stopTime is how long a process may take to end by itself before it is killed.
const stopTime = 25 * time.Second

// process is one process of the mesh under a supervisor, as a service manager would be: it is started again when it ends by
// itself. How it did so is told.
type process struct {
	name string
	argv []string
	env  []string
	end  *end
	log  string // file
	tell func(name, how string)

	mu      sync.Mutex
	wanted  bool
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	exited  chan struct{} // of cmd; closed
	begun   time.Time
	starts  int
	stopped bool // by SIGSTOP
	wg      sync.WaitGroup
}

// start starts the process and keeps it running until kill or term. Started already, it does nothing.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanted {
		return nil
	}
	p.wanted = true
	return p.spawn()
}

// spawn starts it once; mu is held.
func (p *process) spawn() error {
	out, err := os.OpenFile(p.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(p.argv[0], p.argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), p.env...), out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C in the terminal is for us alone
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := p.end.start(cmd); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	p.cmd, p.stdin, p.exited, p.begun, p.stopped = cmd, stdin, make(chan struct{}), time.Now(), false
	p.starts++
	p.wg.Go(func() { p.watch(cmd, p.exited, p.begun) })
	return nil
}

// watch waits for the end of what was started, and starts it again unless it was ended on purpose.
func (p *process) watch(cmd *exec.Cmd, exited chan struct{}, begun time.Time) {
	_ = cmd.Wait() // how it ended is in ProcessState
	close(exited)
	p.mu.Lock()
	wanted := p.wanted
	p.mu.Unlock()
	if !wanted {
		return
	}
	p.tell(p.name, fmt.Sprintf("%s after %s: %s", cmd.ProcessState, time.Since(begun).Round(100*time.Millisecond), tail(p.log)))
	time.Sleep(time.Second)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanted {
		if err := p.spawn(); err != nil {
			p.wanted = false
			p.tell(p.name, err.Error())
		}
	}
}

// kill ends it at once and returns when it is gone.
func (p *process) kill() {
	p.mu.Lock()
	p.wanted = false
	cmd, exited := p.cmd, p.exited
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill() // it may be gone
	<-exited
	p.wg.Wait()
}

// term asks it to end and returns when it is gone. The error says how it did, unless it did so with exit code 0 and in time.
func (p *process) term(ctx context.Context) error {
	p.mu.Lock()
	p.wanted = false
	cmd, exited := p.cmd, p.exited
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	select {
	case <-exited: // by itself, and told
		return nil
	default:
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-exited:
	case <-time.After(stopTime):
		p.kill()
		return fmt.Errorf("%s did not end within %s of SIGTERM: %s", p.name, stopTime, tail(p.log))
	case <-ctx.Done():
		p.kill()
		return nil
	}
	p.wg.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("%s ended with %s on SIGTERM: %s", p.name, cmd.ProcessState, tail(p.log))
	}
	return nil
}

// signal sends a signal to what runs.
func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Signal(s) // it may be gone
	}
}

// say writes a line to its standard input.
func (p *process) say(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stdin != nil {
		_, _ = io.WriteString(p.stdin, line+"\n")
	}
}

// started is how often it was started.
func (p *process) started() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.starts
}

// tail is the end of a log, on one line.
func tail(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return filepath.Base(file) + " cannot be read"
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	last := bytes.Join(lines[max(0, len(lines)-3):], []byte(" ⏎ "))
	if len(last) > 600 {
		last = last[len(last)-600:]
	}
	return string(last)
}

// crashed tells whether a log shows the crash of a Go program.
func crashed(file string) (line string, ok bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", false
	}
	for l := range bytes.Lines(text) {
		for _, mark := range []string{"panic: ", "fatal error: ", "runtime: goroutine stack exceeds"} {
			if bytes.HasPrefix(l, []byte(mark)) {
				return string(bytes.TrimSpace(l)), true
			}
		}
	}
	return "", false
}
