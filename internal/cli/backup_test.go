package cli_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/exospherehost/orbit/internal/backup"
	"github.com/exospherehost/orbit/internal/cli"
)

// run runs a command line against a gateway.
func run(t *testing.T, api http.Handler, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	got := invoke(call{args: args, api: api})
	return got.code, got.stdout, got.stderr
}

// wholeBackup is a backup of nothing.
func wholeBackup(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	w, err := backup.NewWriter(&out, backup.Header{Partitions: 1, Queues: json.RawMessage("[]")})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestBackupIsAFileForItsOwnerAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "b")
	for _, line := range [][]string{{"backup", "-o", file}, {"backup", "--output=" + file}, {"backup", "-o" + file}, {"backup", "--file", file}, {"--no-color", "backup", "-o", file}} {
		_ = os.Remove(file)
		api := &fakeAPI{backup: wholeBackup(t)}
		code, out, errs := run(t, api, line...)
		if code != 0 || out != "" || !strings.Contains(errs, "written to "+file) || !strings.Contains(errs, "not the key that opens them") {
			t.Errorf("%v: exit code %d, %q, %q", line, code, out, errs)
		}
		text, err := os.ReadFile(file)
		info, serr := os.Stat(file)
		if err != nil || serr != nil || string(text) != api.backup || info.Mode().Perm() != 0o600 {
			t.Errorf("%v: %d bytes, %v, %v", line, len(text), info, err)
		}
	}
	code, out, errs := run(t, &fakeAPI{backup: wholeBackup(t)}, "backup", "-o", "-")
	if code != 0 || out != wholeBackup(t) || !strings.Contains(errs, "not the key") {
		t.Errorf("to stdout: exit code %d, %d bytes, %q", code, len(out), errs)
	}
}

func TestBackupThatBreaksOffLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	breaks := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "some of it")
	})
	server := httptest.NewServer(breaks)
	defer server.Close()
	transport := &http.Transport{DisableKeepAlives: true}
	got := invoke(call{args: []string{"--gateway", server.URL, "backup", "-o", filepath.Join(dir, "b")}, deps: cli.Deps{Transport: transport}})
	code, errs := got.code, got.stderr
	if list, err := os.ReadDir(dir); code != 1 || len(list) != 0 || err != nil || !strings.Contains(errs, "broke the backup off") {
		t.Errorf("exit code %d, %v, %q", code, list, errs)
	}
}

func TestRestoreSendsAFileThatIsWholeAndNoOther(t *testing.T) {
	dir := t.TempDir()
	whole := wholeBackup(t)
	for name, c := range map[string]struct{ text, want string }{
		"whole":   {whole, "restored 9 streams"},
		"cut":     {whole[:len(whole)-1], "cannot be restored: the backup is cut off"},
		"damaged": {strings.Replace(whole, `"partitions":1`, `"partitions":2`, 1), "cannot be restored: the backup is damaged"},
		"other":   {"hello", "cannot be restored: it is no backup of Orbit"},
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		api := &fakeAPI{}
		code, _, errs := run(t, api, "restore", file)
		if sent := len(api.requests) > 0; (code == 0) != (name == "whole") || sent != (name == "whole") || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit code %d, %q, requests %v", name, code, errs, api.requests)
		}
		if name == "whole" && api.restored != whole {
			t.Errorf("%d bytes arrived of %d", len(api.restored), len(whole))
		}
	}
	if code, _, errs := run(t, &fakeAPI{}, "restore", filepath.Join(dir, "nothing")); code != 1 || !strings.Contains(errs, "there is no such file") {
		t.Errorf("exit code %d, %q", code, errs)
	}
}

func (f *fakeAPI) giveBackup(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, f.backup)
}

func (f *fakeAPI) takeBackup(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	f.restored = string(text)
	give(w, map[string]any{"created": "2026-01-05T08:00:00Z", "streams": 9, "runs": 1, "bundles": 2})
}
