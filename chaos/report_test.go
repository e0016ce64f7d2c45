package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheLongestGapIsFound(t *testing.T) {
	s := time.Second
	commits := []time.Duration{1 * s, 2 * s, 5 * s, 6 * s, 12 * s}
	for _, c := range []struct {
		from, to time.Duration
		want     gap
	}{
		{0, 6 * s, gap{2 * s, 3 * s}},
		{0, 20 * s, gap{12 * s, 8 * s}},
		{3 * s, 4 * s, gap{2 * s, 3 * s}}, // it began before and ended after
		{5 * s, 6 * s, gap{5 * s, 1 * s}},
		{13 * s, 14 * s, gap{12 * s, 2 * s}},
	} {
		if got := longest(commits, c.from, c.to); got != c.want {
			t.Errorf("from %s to %s: %+v, want %+v", c.from, c.to, got, c.want)
		}
	}
	if got := longest(nil, 0, 3*s); got != (gap{0, 3 * s}) {
		t.Errorf("without a commit: %+v", got)
	}
}

func TestTheReportTellsWhatWasDoneAndWhatCouldNotBe(t *testing.T) {
	w := record(t)
	found, r := w.check()
	r.Missing[diskFull] = "it needs a disk"
	r.Faults = []done{{Fault: fault{Lane: "nodes", Kind: kill, Target: "node-1", At: 3 * time.Second, For: time.Second}, Began: 3 * time.Second, Healed: 4 * time.Second},
		{Fault: fault{Lane: "servers", Kind: diskFull, Target: cramped}, Note: "it needs a disk"}}
	r.gaps(w.evidence())
	r.Violations = found
	text := r.markdown()
	for _, want := range []string{"# Chaos, seed 1: every promise was kept", "1 accepted: 1 succeeded", "5 succeeded; 5 records, 1 attempts", "| kill -9 | 1 | 0 |", "| disk full | 0 | 1 |", "- disk full: it needs a disk", "not done: it needs a disk"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	r.Violations = []string{"run x: it was lost"}
	if text := r.markdown(); !strings.Contains(text, "1 promises were broken") || !strings.Contains(text, "- **run x: it was lost**") {
		t.Errorf("%s", text)
	}
}

func TestWebhooksAreCountedAndAnsweredByTheirFate(t *testing.T) {
	h := &hooks{attempts: map[string]int{}, callers: map[string]caller{}, answers: map[string]int{}}
	seen := map[fate]bool{}
	for n := range 400 {
		c := caller{"run", "s", n}
		f, times := c.fate()
		seen[f] = true
		key := c.Salt + strings.Repeat("k", n)
		for i := range 3 {
			status, body := h.answer(key, c)
			want := http.StatusOK
			switch {
			case f == never, f == moody && i >= times:
				want = http.StatusBadRequest
			case f == busy && i < times:
				want = http.StatusServiceUnavailable
			case f == silent && i < times:
				want = 0
			}
			if status != want {
				t.Errorf("call %d of item %d: %d, want %d", i, n, status, want)
			}
			if want == http.StatusOK && h.effects[body["effect"].(int)] != c {
				t.Errorf("item %d got the effect of %+v", n, h.effects[body["effect"].(int)])
			}
		}
	}
	if len(seen) != 5 || len(h.keysOf()) > 0 {
		t.Errorf("fates %v, wrong %v", seen, h.keysOf())
	}
	h.answer("one", caller{"run", "s", 0})
	if wrong := h.keysOf(); len(wrong) != 1 || !strings.Contains(wrong[0], "called under two Idempotency-Keys") {
		t.Errorf("an item with two keys: %v", wrong)
	}
	h.answer("one", caller{"run", "s", 1})
	if wrong := h.keysOf(); !strings.Contains(strings.Join(wrong, " "), "came from two items") {
		t.Errorf("a key of two items: %v", wrong)
	}
}

func TestSecretsAreFoundInAnswersAndFiles(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.URL.Path)) }))
	defer srv.Close()
	ears := &heard{}
	client := &http.Client{Transport: &earwig{http.DefaultTransport, ears}}
	for _, path := range []string{"/nothing", "/CANARY-inline-4711"} {
		resp, err := client.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	if ears.answers != 2 || len(ears.wrong) != 1 {
		t.Errorf("%d answers, %v", ears.answers, ears.wrong)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "node-1.log"), []byte("a CANARY-file-0815 b"), 0o600); err != nil {
		t.Fatal(err)
	}
	if wrong := leaks(dir); len(wrong) != 1 || !strings.Contains(wrong[0], "node-1.log") {
		t.Errorf("%v", wrong)
	}
}

func TestACrashInALogIsFound(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	for text, want := range map[string]bool{"10:00:00 INF all is well\n": false, "10:00:00 INF panic: not at the beginning\n": false, "x\npanic: it went wrong\n\ngoroutine 1 [running]:\n": true, "fatal error: concurrent map writes\n": true} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if line, ok := crashed(file); ok != want {
			t.Errorf("%q: %q, %v", text, line, ok)
		}
	}
}

func TestEveryClusterOfTheLoadHasAnIdentifier(t *testing.T) {
	files, err := loadFiles()
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasPrefix(f.identifier, "chaos/") {
			t.Errorf("%s: %q", f.name, f.identifier)
		}
	}
}
