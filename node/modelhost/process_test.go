package modelhost

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/placement"
)

// freeAddress is one that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// always is a node with work for every model.
type always struct{ mu sync.Mutex }

func (*always) Loads(_ context.Context, pools []string) map[string]placement.Load {
	loads := map[string]placement.Load{}
	for _, p := range pools {
		loads[p] = placement.Load{Waiting: 1, Deadline: time.Now().Add(time.Hour)}
	}
	return loads
}
func (*always) Poke()             {}
func (*always) Quiet(string) bool { return true }
func (*always) HandBack(string)   {}

// realHost starts the test binary as the server of one model.
func realHost(dir, address string, more ...string) *Host {
	h := New(Options{Dir: dir, Log: zerolog.Nop(), GPUs: func() []orbit.GPU {
		return []orbit.GPU{{Memory: 24 * orbit.GiB, Free: 24 * orbit.GiB}, {Memory: 80 * orbit.GiB, Free: 80 * orbit.GiB, Handle: "MIG-7"}}
	}, Servers: []Server{{Name: "acme/tiny", Pool: "p", Command: append([]string{os.Args[0], address}, more...), Memory: 60 * orbit.GiB, Devices: 1, Health: Health{URL: "http://" + address + "/health"}, StartTimeout: time.Minute,
		Hidden: []string{"MODELHOST_KEY"}}}})
	h.Start(&always{})
	return h
}

// eventually waits for what another process does.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	limit, tick := time.After(30*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not within half a minute: %s", what)
		}
	}
}

// pids asks a server for its id and its child's.
func pids(t testing.TB, address string) (pid, child int) {
	t.Helper()
	a, err := http.Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	text, _ := io.ReadAll(a.Body)
	if _, err := fmt.Sscan(string(text), &pid, &child); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return pid, child
}

func gone(pid int) bool {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return true
	}
	state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(state), ") Z ") // dead; whoever adopted it has not looked yet
}

func TestAServerOfThisMachineIsStartedAndEndedWithItsChildren(t *testing.T) {
	t.Setenv("MODELHOST_TEST", "server")
	t.Setenv("MODELHOST_KEY", "CANARY-key")
	t.Setenv("ORBIT_TOKEN", "CANARY-token")
	dir, address := t.TempDir(), freeAddress(t)
	h := realHost(dir, address)
	defer h.Stop()
	eventually(t, "it is ready", h.Ready()["p"])
	pid, child := pids(t, address)
	if gone(pid) || gone(child) {
		t.Errorf("%d and %d do not live", pid, child)
	}
	h.Stop()
	if !gone(pid) {
		t.Errorf("%d lives", pid)
	}
	eventually(t, "its child is gone, too", func() bool { return gone(child) }) // it is reaped by somebody else
	log, err := os.ReadFile(filepath.Join(dir, "acme~tiny.log"))
	if err != nil || !strings.Contains(string(log), "visible: MIG-7 token:  key: \n") || !strings.Contains(string(log), "--- ") {
		t.Errorf("%v, the log is\n%s", err, log)
	}
}

func TestAServerThatDiesIsToldOfWithItsLastWordsAndStartedAgain(t *testing.T) {
	t.Setenv("MODELHOST_TEST", "server")
	address := freeAddress(t)
	h := realHost(t.TempDir(), address)
	defer h.Stop()
	eventually(t, "it is ready", h.Ready()["p"])
	if a, err := http.Get("http://" + address + "/die"); err == nil {
		_ = a.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "it has failed", func() bool { return h.Models()[0].State == orbit.ModelFailed })
	if why := h.Models()[0].Error; !strings.HasPrefix(why, "its server ended with exit status 7; the last it wrote: ") || !strings.HasSuffix(why, "out of memory") {
		t.Errorf("it failed, for %q", why)
	}
	eventually(t, "it is ready again", h.Ready()["p"])
}

func TestAServerThatHeedsNoSignalIsKilled(t *testing.T) {
	t.Setenv("MODELHOST_TEST", "server")
	address := freeAddress(t)
	p, err := start(Command{Name: "a/b", Args: []string{os.Args[0], address, "defiant"}, Env: os.Environ(), Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it answers", func() bool { return Check(t.Context(), Health{URL: "http://" + address}) == nil })
	pid, child := pids(t, address)
	p.Stop(100 * time.Millisecond)
	if how, _ := p.Ended(); how != "ended with signal: killed" || !gone(pid) {
		t.Errorf("it %s", how)
	}
	eventually(t, "its child is gone, too", func() bool { return gone(child) })
}

func TestAProgramThatIsNotThereIsToldOf(t *testing.T) {
	_, err := start(Command{Name: "a/b", Args: []string{"no-such-program"}, Dir: t.TempDir()})
	if err == nil || err.Error() != "executable file not found in $PATH" {
		t.Error(err)
	}
}

func TestHealthIs200(t *testing.T) {
	address := freeAddress(t)
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/health" && r.Header.Get("Authorization") == "Bearer key":
		case r.URL.Path == "/moved":
			http.Redirect(w, r, "/health", http.StatusFound)
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})}
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	headers := map[string]string{"Authorization": "Bearer key"}
	for path, want := range map[string]string{"/health": "", "/loading": "it answers 503 Service Unavailable", "/moved": "it answers 302 Found"} {
		err := Check(t.Context(), Health{URL: "http://" + address + path, Headers: headers})
		if (err == nil) != (want == "") || err != nil && err.Error() != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := Check(t.Context(), Health{URL: "http://" + freeAddress(t)}); err == nil || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "Get ") {
		t.Error(err)
	}
}

func TestALogIsBoundedAndItsEndIsKept(t *testing.T) {
	dir := t.TempDir()
	j, err := openJournal(dir, "acme/tiny")
	if err != nil {
		t.Fatal(err)
	}
	j.most = 1000
	j.begin([]string{"serve"})
	j.copy(strings.NewReader(strings.Repeat(strings.Repeat("x", 99)+"\n", 3) + "\n" + strings.Repeat("long", 200) + "\none\ntwo\nthree\nfour\nlast, without an end"))
	for i := range 30 {
		j.copy(strings.NewReader(fmt.Sprintf("%d %s\n", i, strings.Repeat("y", 90))))
	}
	if got := j.last(); !strings.HasPrefix(got, "25 yyy") || strings.Count(got, " | ") != 4 {
		t.Errorf("the last lines are %s", got)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Size() > 1100 || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Size(), info.Mode())
		}
	}
}
