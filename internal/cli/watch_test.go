package cli_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit/internal/cli"
)

const (
	goodFile = "version: 0.0.1b\ncluster:\n  identifier: demo/a\n  sla: 6h\n  trigger: api-call\n  satellites:\n    - uses: exospherehost/jq\n      config: {query: .}\n"
	badFile  = "version: 0.0.1b\ncluster:\n  identifier: demo/a\n  sla: 6\n  trigger: api-call\n  satellites:\n    - uses: exospherehost/jq\n      config: {query: .}\n"
	badSays  = "a.yml:4:8: error[ORB-C018]: sla is no duration: \"6\"\n    4 |   sla: 6\n               ^\nhint: write it like 30s, 10m or 6h\n"
)

// watching is `orbit lint --watch` under way, in a bubble, in a folder of its own.
type watching struct {
	t         *testing.T
	out       screen // what a terminal shows: stdout and stderr together
	interrupt context.CancelFunc
	code      chan int
}

// screen is a buffer that is read while it is written to.
type screen struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *screen) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(data)
}

// take gives what was written since it was taken last.
func (s *screen) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.buf.Reset()
	return s.buf.String()
}

// watch starts it on a.yml.
func watch(t *testing.T, more ...string) *watching {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	w := &watching{t: t, interrupt: interrupt, code: make(chan int, 1)}
	go func() {
		w.code <- cli.Main(ctx, append([]string{"lint", "--watch", "a.yml"}, more...), strings.NewReader(""), &w.out, &w.out,
			func(string) (string, bool) { return "", false }, cli.Deps{})
	}()
	return w
}

// shows lets two seconds pass, and compares what was written meanwhile.
func (w *watching) shows(want string) {
	w.t.Helper()
	time.Sleep(2 * time.Second)
	synctest.Wait()
	if diff := cmp.Diff(want, w.out.take()); diff != "" {
		w.t.Errorf("shown (-want +got):\n%s", diff)
	}
}

func (w *watching) ends() {
	w.t.Helper()
	w.interrupt()
	if code := <-w.code; code != 130 {
		w.t.Errorf("exit code %d", code)
	}
	w.shows("")
}

func save(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWatchChecksAFileAgainWhenItChanges(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, "a.yml", goodFile)
	bubble(t, func(t *testing.T) {
		w := watch(t)
		w.shows("00:00:00 a.yml\nno errors\n")
		w.shows("")
		save(t, "a.yml", badFile)
		w.shows("00:00:04 a.yml\n" + badSays + "1 error\n")
		save(t, "a.yml", strings.Replace(goodFile, "  sla", "  retries: {max: 100, delay: 1h}\n  sla", 1))
		w.shows("00:00:06 a.yml\na.yml:4:3: warning[ORB-C083]: the retries may wait 8h20m in all, which is longer than the sla of 6h\n" +
			"    4 |   retries: {max: 100, delay: 1h}\n          ^\nhint: retry less often, or lower delay or max-delay\nno errors, 1 warning\n")
		w.ends()
	})
}

func TestWatchSaysNothingWhereTheTextIsTheSame(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, "a.yml", goodFile)
	bubble(t, func(t *testing.T) {
		w := watch(t)
		w.shows("00:00:00 a.yml\nno errors\n")
		if err := os.Chtimes("a.yml", time.Unix(1, 0), time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		w.shows("")
		w.ends()
	})
}

func TestWatchFollowsAFileThatIsReplacedByRenaming(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, "a.yml", goodFile)
	bubble(t, func(t *testing.T) {
		w := watch(t)
		w.shows("00:00:00 a.yml\nno errors\n")
		before, err := os.Stat("a.yml")
		if err != nil {
			t.Fatal(err)
		}
		save(t, "a.yml.new", strings.Replace(goodFile, "6h", "6x", 1)) // of the same length and, below, the same time
		if err := os.Chtimes("a.yml.new", before.ModTime(), before.ModTime()); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename("a.yml.new", "a.yml"); err != nil {
			t.Fatal(err)
		}
		w.shows("00:00:02 a.yml\n" + strings.NewReplacer(`"6"`, `"6x"`, "sla: 6\n", "sla: 6x\n").Replace(badSays) + "1 error\n")
		w.ends()
	})
}

func TestWatchWaitsForAFileThatVanishes(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, "a.yml", goodFile)
	bubble(t, func(t *testing.T) {
		w := watch(t)
		w.shows("00:00:00 a.yml\nno errors\n")
		if err := os.Remove("a.yml"); err != nil {
			t.Fatal(err)
		}
		w.shows("00:00:02 a.yml cannot be read: there is no such file; it is checked again as soon as it can be\n")
		w.shows("")
		save(t, "a.yml", goodFile)
		w.shows("00:00:06 a.yml\nno errors\n")
		w.ends()
	})
}

func TestWatchForgivesAShortAbsence(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, "a.yml", goodFile)
	bubble(t, func(t *testing.T) {
		w := watch(t)
		w.shows("00:00:00 a.yml\nno errors\n")
		if err := os.Remove("a.yml"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(400 * time.Millisecond) // one look
		synctest.Wait()
		save(t, "a.yml", badFile)
		w.shows("00:00:02 a.yml\n" + badSays + "1 error\n")
		w.ends()
	})
}

func TestWatchLeavesAFileAloneWhileItIsWritten(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, "a.yml", goodFile)
	bubble(t, func(t *testing.T) {
		w := watch(t)
		w.shows("00:00:00 a.yml\nno errors\n")
		save(t, "a.yml", "")
		time.Sleep(400 * time.Millisecond)
		synctest.Wait()
		save(t, "a.yml", badFile)
		w.shows("00:00:02 a.yml\n" + badSays + "1 error\n")
		w.ends()
	})
}

func TestWatchTellsEachFileAndJSON(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, "a.yml", goodFile)
	save(t, "b.yml", goodFile)
	bubble(t, func(t *testing.T) {
		w := watch(t, "b.yml", "-o", "json")
		w.shows("00:00:00 a.yml\n[]\n00:00:00 b.yml\n[]\n")
		save(t, "b.yml", badFile)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := w.out.take(); !strings.HasPrefix(got, "00:00:02 b.yml\n[\n  {\n    \"file\": \"b.yml\",\n") || strings.Contains(got, "a.yml") {
			t.Error(got)
		}
		w.ends()
	})
}

func TestWatchNeedsItsFilesAtTheStart(t *testing.T) {
	t.Chdir(t.TempDir())
	save(t, "a.yml", goodFile)
	invoke(call{args: orbitArgs("lint --watch a.yml b.yml")}).expect(t, 1, "", "orbit: b.yml cannot be read: there is no such file\n")
	invoke(call{args: orbitArgs("lint --watch .")}).expect(t, 1, "", "orbit: . cannot be read: it is a folder; name the cluster file in it\n")
}
