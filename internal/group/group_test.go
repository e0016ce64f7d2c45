package group_test

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/exospherehost/orbit/internal/group"
)

// started gives a group of a shell that runs a script which says one line.
func started(t *testing.T, script string) (g *group.Group, line string) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout = in
	g, err = group.Start(cmd, nil)
	_ = in.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.End(0) })
	text, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return g, strings.TrimSpace(text)
}

func TestAGroupIsGoneWithAllThatItsFirstProcessStarted(t *testing.T) {
	g, child := started(t, "sleep 1000 & echo $!; exit 3")
	if !g.Within(10 * time.Second) {
		t.Fatal("its first process has ended, and it is not gone")
	}
	if s := g.State().String(); s != "exit status 3" {
		t.Errorf("it ended with %s", s)
	}
	pid, err := strconv.Atoi(child)
	if err != nil {
		t.Fatal(err)
	}
	for syscall.Kill(-g.ID(), 0) == nil { // until whoever adopted it has looked
		if t.Context().Err() != nil {
			t.Fatalf("%d lives", pid)
		}
	}
	g.Signal(syscall.SIGKILL) // reaches nobody
}

func TestAGroupThatHeedsSIGTERMIsNotKilled(t *testing.T) {
	g, _ := started(t, "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done")
	if g.State() != nil {
		t.Error("it has ended already")
	}
	if !g.End(10*time.Second) || g.State().String() != "exit status 0" {
		t.Errorf("it ended with %v", g.State())
	}
}

func TestAGroupThatHeedsNothingIsKilled(t *testing.T) {
	g, _ := started(t, "trap '' TERM; echo ready; while :; do sleep 0.01; done")
	if !g.End(50*time.Millisecond) || g.State().String() != "signal: killed" {
		t.Errorf("it ended with %v", g.State())
	}
}

func TestAProgramThatIsNotThere(t *testing.T) {
	if _, err := group.Start(exec.Command("/no/such/program"), nil); err == nil {
		t.Error("it was started")
	}
}
