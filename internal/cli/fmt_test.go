package cli_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	untidy = "cluster:\n    sla: 6h  # long\n    identifier: demo/a\n\n\nversion: 0.0.1b"
	tidy   = "version: 0.0.1b\n\ncluster:\n  identifier: demo/a\n  sla: 6h  # long\n"
)

// folder writes files into a new folder, and gives a function that names them.
func folder(t *testing.T, files map[string]string) func(name string) string {
	t.Helper()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range files {
		if err := os.WriteFile(in(name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

// holds checks the text of a file.
func holds(t *testing.T, name, want string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", filepath.Base(name), diff)
	}
}

func TestFmtRewritesTheFilesThatChange(t *testing.T) {
	in := folder(t, map[string]string{"a.yml": untidy, "b.yml": tidy, "c.yml": untidy})
	if err := os.Chmod(in("c.yml"), 0o604); err != nil {
		t.Fatal(err)
	}
	invoke(call{args: []string{"fmt", in("a.yml"), in("b.yml"), in("c.yml")}}).expect(t, 0, in("a.yml")+"\n"+in("c.yml")+"\n", "")
	for name, mode := range map[string]fs.FileMode{"a.yml": 0o640, "b.yml": 0o640, "c.yml": 0o604} {
		holds(t, in(name), tidy)
		info, err := os.Stat(in(name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != mode {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), mode)
		}
	}
	if left, err := os.ReadDir(in("")); err != nil || len(left) != 3 {
		t.Errorf("left behind: %v %v", left, err)
	}
	invoke(call{args: []string{"fmt", in("a.yml"), in("b.yml"), in("c.yml")}}).expect(t, 0, "", "")
}

func TestFmtGoesOnAfterAFileThatCannotBeRead(t *testing.T) {
	in := folder(t, map[string]string{"a.yml": "version: 1\nversion:   2\n", "b.yml": untidy})
	got := invoke(call{args: []string{"fmt", in("none.yml"), in("a.yml"), in("b.yml")}})
	got.stderr = strings.ReplaceAll(got.stderr, in(""), "")
	got.expect(t, 1, in("b.yml")+"\n", `orbit: /none.yml cannot be read: there is no such file
/a.yml:2:1: error[ORB-C007]: the key "version" stands here twice
    2 | version:   2
        ^
hint: keep one of them
1 error
`)
	holds(t, in("a.yml"), "version: 1\nversion:   2\n")
	holds(t, in("b.yml"), tidy)
}

func TestFmtFormatsWhatDoesNotCompile(t *testing.T) {
	in := folder(t, map[string]string{"a.yml": "version:  2\nclutser:\n- x\n"})
	invoke(call{args: []string{"fmt", in("a.yml")}}).expect(t, 0, in("a.yml")+"\n", "")
	holds(t, in("a.yml"), "version: 2\nclutser:\n  - x\n")
}

func TestFmtCheckNamesTheFilesThatWouldChange(t *testing.T) {
	in := folder(t, map[string]string{"a.yml": untidy, "b.yml": tidy})
	invoke(call{args: []string{"fmt", "--check", in("a.yml"), in("b.yml")}}).expect(t, 1, in("a.yml")+"\n", "")
	invoke(call{args: []string{"fmt", "--check", in("b.yml")}}).expect(t, 0, "", "")
	invoke(call{args: []string{"fmt", "--check", "-"}, stdin: untidy}).expect(t, 1, "stdin\n", "")
	invoke(call{args: []string{"fmt", "--check", "-"}, stdin: tidy}).expect(t, 0, "", "")
	holds(t, in("a.yml"), untidy)
}

func TestFmtOfStdinGoesToStdout(t *testing.T) {
	invoke(call{args: orbitArgs("fmt -"), stdin: untidy}).expect(t, 0, tidy, "")
	invoke(call{args: orbitArgs("fmt -"), stdin: tidy}).expect(t, 0, tidy, "")
	got := invoke(call{args: orbitArgs("fmt -"), stdin: "\tversion: 1\n"})
	if got.code != 1 || got.stdout != "" || !strings.HasPrefix(got.stderr, "stdin:1:1: error[ORB-C003]: a tab stands in the indentation\n") {
		t.Errorf("exit code %d, stdout %q, stderr:\n%s", got.code, got.stdout, got.stderr)
	}
}

func TestFmtInJSON(t *testing.T) {
	in := folder(t, map[string]string{"a.yml": untidy, "b.yml": tidy})
	invoke(call{args: []string{"fmt", "-o", "json", in("a.yml"), in("b.yml")}}).expect(t, 0, "[\n  \""+in("a.yml")+"\"\n]\n", "")
	invoke(call{args: []string{"fmt", "-o", "json", in("a.yml"), in("b.yml")}}).expect(t, 0, "[]\n", "")
	invoke(call{args: orbitArgs("fmt -o json --check -"), stdin: untidy}).expect(t, 1, "[\n  \"stdin\"\n]\n", "")
}

func TestFmtLeavesASymbolicLinkALink(t *testing.T) {
	in := folder(t, map[string]string{"a.yml": untidy})
	if err := os.Symlink("a.yml", in("link.yml")); err != nil {
		t.Fatal(err)
	}
	invoke(call{args: []string{"fmt", in("link.yml")}}).expect(t, 0, in("link.yml")+"\n", "")
	holds(t, in("a.yml"), tidy)
	if to, err := os.Readlink(in("link.yml")); err != nil || to != "a.yml" {
		t.Error(to, err)
	}
}
