package scripttest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// process is a program that a script has started in the background.
type process struct {
	cmd    *exec.Cmd
	log    string        // its stderr
	exited chan struct{} // closed once it has ended; code is set then
	code   int           // -1: by a signal
}

func (p *process) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// processes are those of one script, by name. Only they are ever signalled.
type processes struct {
	dir string

	mu  sync.Mutex
	all map[string]*process
}

type processesKey struct{}

func newProcesses(dir string) *processes { return &processes{dir: dir, all: map[string]*process{}} }

func processesOf(ts *testscript.TestScript) *processes {
	return ts.Value(processesKey{}).(*processes)
}

// start starts a program; what it writes goes to NAME.out and NAME.err, after what an earlier one of the name has written.
func (ps *processes) start(name string, cmd *exec.Cmd) error {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if old := ps.all[name]; old != nil && !old.ended() {
		return fmt.Errorf("%s is running already", name)
	}
	p := &process{cmd: cmd, log: filepath.Join(ps.dir, name+".err"), exited: make(chan struct{})}
	out, err := os.OpenFile(filepath.Join(ps.dir, name+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = out, log
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = cmd.Wait() // the state says it better
		p.code = cmd.ProcessState.ExitCode()
		close(p.exited)
	}()
	ps.all[name] = p
	return nil
}

func (ps *processes) get(name string) *process {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.all[name]
}

// dead names a process that has ended; "" where all are alive. kill9 and term forget those they end.
func (ps *processes) dead() string {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for name, p := range ps.all {
		if p.ended() {
			return fmt.Sprintf("%s ended with exit code %d", name, p.code)
		}
	}
	return ""
}

func (ps *processes) forget(name string) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	delete(ps.all, name)
}

func (ps *processes) killAll() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for _, p := range ps.all {
		if !p.ended() {
			_ = p.cmd.Process.Kill() // it may have ended just now
		}
		<-p.exited
	}
}

// lastWords gives the end of every log, for a test that has failed.
func (ps *processes) lastWords() string {
	const most = 3000
	logs, _ := filepath.Glob(filepath.Join(ps.dir, "*.err")) // the pattern is good
	sort.Strings(logs)
	var b strings.Builder
	for _, log := range logs {
		text, _ := os.ReadFile(log) // what cannot be read is not shown
		if len(text) > most {
			text = append([]byte("… "), text[len(text)-most:]...)
		}
		fmt.Fprintf(&b, "-- %s --\n%s\n", filepath.Base(log), text)
	}
	return b.String()
}

// start NAME COMMAND ARGS… starts a program in the background.
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME COMMAND ARGS…")
	}
	launch(ts, args[0], args[1:]...)
}

func launch(ts *testscript.TestScript, name string, line ...string) {
	cmd := exec.Command(line[0], line[1:]...)
	if !strings.Contains(line[0], "/") {
		path, err := lookPath(ts, line[0])
		ts.Check(err)
		cmd.Path, cmd.Err = path, nil
	}
	cmd.Dir, cmd.Env = ts.MkAbs("."), environment(ts)
	ts.Check(processesOf(ts).start(name, cmd))
}

// lookPath finds a command on the script's PATH.
func lookPath(ts *testscript.TestScript, name string) (string, error) {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if stat, err := os.Stat(path); err == nil && stat.Mode()&0o111 != 0 && !stat.IsDir() {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no command %s", name)
}

// environment is the script's for a program in the background.
func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "TMPDIR", "NO_COLOR", "ORBIT_GATEWAY", "ORBIT_TOKEN", "NATS_URL", "GOCOVERDIR", "GORACE"} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// running gives a process that must not have ended by itself.
func running(ts *testscript.TestScript, name string) *process {
	p := processesOf(ts).get(name)
	if p == nil {
		ts.Fatalf("there is no process %s", name)
	}
	if p.ended() {
		ts.Fatalf("%s has ended by itself, with exit code %d", name, p.code)
	}
	return p
}

// kill9 NAME… kills processes at once.
func kill9(ts *testscript.TestScript, neg bool, args []string) {
	var all []*process
	for _, name := range args {
		p := running(ts, name)
		ts.Check(p.cmd.Process.Kill())
		all = append(all, p)
	}
	for i, p := range all {
		<-p.exited
		processesOf(ts).forget(args[i])
	}
}

// term NAME [CODE] sends SIGTERM and checks the exit code, 0 where none is given.
func term(ts *testscript.TestScript, neg bool, args []string) {
	end(ts, syscall.SIGTERM, "0", args)
}

// interrupt NAME [CODE] sends SIGINT, as Ctrl-C does, and checks the exit code, 130 where none is given.
func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	end(ts, syscall.SIGINT, "130", args)
}

func end(ts *testscript.TestScript, sig syscall.Signal, code string, args []string) {
	if len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: term|interrupt NAME [CODE]")
	}
	if len(args) == 2 {
		code = args[1]
	}
	p := running(ts, args[0])
	ts.Check(p.cmd.Process.Signal(sig))
	until(ts, args[0]+" to end", func() (bool, string) { return p.ended(), "it still runs" })
	if strconv.Itoa(p.code) != code {
		ts.Fatalf("%s ended with exit code %d, want %s", args[0], p.code, code)
	}
	processesOf(ts).forget(args[0])
}

// exits CODE COMMAND ARGS… runs a program to its end and checks its exit code. Its output is what stdout and stderr see.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS…")
	}
	if code := exitCode(ts, ts.Exec(args[1], args[2:]...)); strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

func exitCode(ts *testscript.TestScript, err error) int {
	if err == nil {
		return 0
	}
	exit, ok := err.(*exec.ExitError)
	if !ok {
		ts.Fatalf("%v", err)
	}
	return exit.ExitCode()
}

// fails CODE SENTENCE COMMAND ARGS… runs a program that must end with the code, nothing on stdout, and on stderr one
// sentence that the pattern matches. Log lines, which begin with a time, may stand before it.
func fails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: fails CODE SENTENCE COMMAND ARGS…")
	}
	want, err := regexp.Compile(args[1])
	ts.Check(err)
	if code := exitCode(ts, ts.Exec(args[2], args[3:]...)); strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("on stdout: %s", out)
	}
	said := sentences(ts.ReadFile("stderr"))
	if len(said) != 1 {
		ts.Fatalf("%d lines on stderr, want one sentence", len(said))
	}
	if !want.MatchString(said[0]) {
		ts.Fatalf("the sentence is %q, want %s", said[0], args[1])
	}
	for _, bare := range []string{"goroutine ", "panic", "%!", "<nil>", "0x"} {
		if strings.Contains(said[0], bare) {
			ts.Fatalf("%q is no sentence for a person", said[0])
		}
	}
}

var logLine = regexp.MustCompile(`^\d\d:\d\d:\d\d (DBG|INF|WRN|ERR) `)

// sentences are the lines of stderr that are neither log lines nor the pointer to --help after a usage error.
func sentences(text string) []string {
	var out []string
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || logLine.MatchString(line) || strings.HasSuffix(line, `for more information.`) {
			continue
		}
		out = append(out, line)
	}
	return out
}

// waitlog NAME PATTERN waits until the stderr of a process has the pattern.
func waitLog(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: waitlog NAME PATTERN")
	}
	want, err := regexp.Compile(args[1])
	ts.Check(err)
	p := processesOf(ts).get(args[0])
	if p == nil {
		ts.Fatalf("there is no process %s", args[0])
	}
	var text []byte
	until(ts, "the log of "+args[0], func() (bool, string) {
		text, _ = os.ReadFile(p.log) // not there yet: nothing in it
		return want.Match(text), "nothing like it yet"
	})
	ts.Setenv("FOUND", string(bytes.TrimSpace(lastGroup(want.FindSubmatch(text)))))
}

func lastGroup(groups [][]byte) []byte { return groups[len(groups)-1] }
