package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// enclose runs this program once more, in namespaces of its own where that is allowed: its network and its mounts are then
// nobody else's, and vanish with it, even if it is killed.
func enclose(args []string, stderr io.Writer) int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(stderr, "chaos:", err)
		return 1
	}
	flags, a := probe(self)
	cmd := exec.Command(self, append(args, "-inside", a.encode())...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = os.Stdin, os.Stdout, stderr, spaces(flags)
	cmd.SysProcAttr.Setpgid = true // a Ctrl-C reaches it once, through us
	home, err := newEnd(nil)
	if err == nil {
		err = home.start(cmd)
	}
	if err != nil {
		fmt.Fprintln(stderr, "chaos:", err)
		return 1
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	var exit *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &exit) {
		return max(1, exit.ExitCode())
	} else if err != nil {
		fmt.Fprintln(stderr, "chaos:", err)
		return 1
	}
	return 0
}

// spaces are the namespaces named by the flags; not being root, we are root in a user namespace of our own.
func spaces(flags uintptr) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Unshareflags: flags}
	if flags != 0 && os.Geteuid() != 0 {
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

// probe finds out by trying what this machine allows. A child tries, so that nothing is left behind.
func probe(self string) (flags uintptr, a allowed) {
	var why []string
	for _, flags := range []uintptr{syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, syscall.CLONE_NEWNS, 0} {
		cmd := exec.Command(self, roleWord, "probe", space("net"), space("mnt"))
		cmd.SysProcAttr = spaces(flags)
		out, err := cmd.Output()
		if err != nil {
			why = append(why, fmt.Sprintf("namespaces: %v", err))
			continue
		}
		a := parseAllowed(strings.TrimSpace(string(out)))
		if flags&syscall.CLONE_NEWNET != 0 && !a.net { // without our wire a network of our own would be an empty one
			why = append(why, a.why...)
			continue
		}
		a.why = append(why, a.why...)
		return flags, a
	}
	return 0, allowed{why: why}
}

// space names a namespace of this process.
func space(kind string) string {
	name, err := os.Readlink(filepath.Join("/proc/self/ns", kind))
	if err != nil {
		return "unknown"
	}
	return name
}

// playProbe tries, in the namespaces it was started in, and prints what it found. It is told those of its parent: in these it
// must not put an interface, nor mount anything.
func playProbe(theirs []string) int {
	own := func(i int, kind string) bool {
		return i < len(theirs) && theirs[i] != "unknown" && space(kind) != theirs[i]
	}
	var a allowed
	note := func(what string, err error) bool {
		if err != nil {
			a.why = append(a.why, strings.ReplaceAll(fmt.Sprintf("%s: %v", what, err), ";", ","))
		}
		return err == nil
	}
	w := newWire(1)
	if own(0, "net") {
		if a.net = note("wire", w.hub(address(1))); a.net {
			_, err := w.plug(address(2))
			a.net = note("wire", err)
		}
	}
	if dir, err := os.MkdirTemp("", "orbit-chaos-probe-"); note("disk", err) {
		if own(1, "mnt") {
			if a.disk = note("disk", mountSmall(dir, 1)); a.disk {
				_ = syscall.Unmount(dir, 0)
			}
		}
		_ = os.Remove(dir)
	}
	_, err := delaySyncs()
	a.slow = note("slow fsync", err)
	fmt.Println(a.encode())
	return 0
}

// mountSmall puts an empty file system of so many MiB on a folder.
func mountSmall(dir string, mib int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syscall.Mount("chaos", dir, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=700", mib))
}

// unmount takes it away again.
func unmount(dir string) { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }

// tie makes a process die with the thread that starts it.
func tie(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
