package cluster_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/exospherehost/orbit/cluster"
)

// testingT is what a property needs of testing.T and rapid.T.
type testingT interface {
	Helper()
	Fatalf(format string, args ...any)
}

// formatted formats a file and checks what holds for all of them: the second time nothing changes, the plan and the codes of
// what is wrong stay, and no character but blanks comes or goes. It gives false for a file that is refused.
func formatted(t testingT, text string) (string, bool) {
	t.Helper()
	before := compile(text)
	out, ds := cluster.Format("c.yml", []byte(text))
	if len(ds) > 0 {
		if out != nil {
			t.Fatalf("a text in spite of %s", told(ds))
		}
		return told(ds), false
	}
	again, ds := cluster.Format("c.yml", out)
	if diff := cmp.Diff(string(out), string(again)); diff != "" || len(ds) > 0 {
		t.Fatalf("formatted again (-once +twice):\n%s\n%s\nof:\n%s", diff, told(ds), text)
	}
	after := compile(string(out))
	if diff := cmp.Diff(codes(before), codes(after)); diff != "" {
		t.Fatalf("codes (-before +after):\n%s\nof:\n%s\nnow:\n%s", diff, text, out)
	}
	if (before.Plan == nil) != (after.Plan == nil) || before.Plan != nil && string(before.Plan.Encode()) != string(after.Plan.Encode()) {
		t.Fatalf("another plan of:\n%s\nnow:\n%s", text, out)
	}
	if !endsInsideBlock(text) {
		if diff := cmp.Diff(characters(text), characters(string(out))); diff != "" {
			t.Fatalf("characters (-before +after):\n%s\nof:\n%s\nnow:\n%s", diff, text, out)
		}
	}
	if !strings.ContainsAny(string(out[max(0, len(out)-3):]), "\n\u2028\u2029") { // the separators are data
		t.Fatalf("no line end at the end of %q", out)
	}
	return string(out), true
}

func codes(r *cluster.Result) (codes []string) {
	for _, d := range r.Diagnostics {
		codes = append(codes, d.Code)
	}
	slices.Sort(codes)
	return codes
}

// characters gives all characters of a text but its blanks, sorted.
func characters(text string) string {
	var all []rune
	for _, r := range strings.TrimPrefix(text, "\ufeff") {
		if !unicode.IsSpace(r) {
			all = append(all, r)
		}
	}
	slices.Sort(all)
	return string(all)
}

// endsInsideBlock tells whether a block scalar may end with the file without a line end, so that it gets a dash.
func endsInsideBlock(text string) bool {
	return text != "" && !strings.ContainsAny(text[len(text)-1:], "\r\n") && strings.ContainsAny(text, "|>")
}

func TestFormatKeepsEveryFileOfTheRepository(t *testing.T) {
	var names []string
	for _, pattern := range []string{"../examples/*/*.yml", "testdata/*.mended.yml", "../internal/cli/testdata/*.yml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	if len(names) < 5 {
		t.Fatalf("only %v", names)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			if said, ok := formatted(t, readFile(t, name)); !ok {
				t.Error(said)
			}
		})
	}
}

func TestTheExamplesAreFormatted(t *testing.T) {
	names, err := filepath.Glob("../examples/*/*.yml")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "structured-json/cluster.yml") { // it stays as it was published
			continue
		}
		text := readFile(t, name)
		out, _ := cluster.Format(name, []byte(text))
		if diff := cmp.Diff(text, string(out)); diff != "" {
			t.Errorf("run orbit fmt %s (-now +formatted):\n%s", name, diff)
		}
	}
}

func TestFormatKeepsEveryWrongFileThatCanBeRead(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/bad.txtar")
	if err != nil {
		t.Fatal(err)
	}
	structural := []string{"ORB-C001", "ORB-C002", "ORB-C003", "ORB-C004", "ORB-C005", "ORB-C006", "ORB-C007", "ORB-C008", "ORB-C009"}
	kept := 0
	for i := 0; i+1 < len(archive.Files); i += 2 {
		file, want := archive.Files[i], string(archive.Files[i+1].Data)
		t.Run(file.Name, func(t *testing.T) {
			said, ok := formatted(t, string(file.Data))
			if ok {
				kept++
				return
			}
			if lines := strings.Fields(said); !slices.Contains(structural, lines[2]) && lines[2] != "ORB-C011" {
				t.Errorf("refused: %s", said)
			}
			if !strings.HasPrefix(want, said) {
				t.Errorf("not what the compiler says: %s", said)
			}
		})
	}
	if kept < 100 {
		t.Errorf("only %d files were formatted", kept)
	}
}

// TestFormat goes through testdata/fmt.txtar: pairs of a file and its canonical form, or what is said about it.
func TestFormat(t *testing.T) {
	const name = "testdata/fmt.txtar"
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		file, want := archive.Files[i], &archive.Files[i+1]
		t.Run(file.Name, func(t *testing.T) {
			got, _ := formatted(t, string(file.Data))
			if *update {
				want.Data = []byte(got)
			} else if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if *update {
		if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// What a golden file cannot show: other line ends, blanks at line ends, and no line end at the end.
func TestFormatOfUnusualLineEnds(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"Windows", "a: 1\r\n# b\r\nc: |\r\n    x\r\n\r\n    y\r\n", "a: 1\n# b\nc: |\n  x\n\n  y\n"},
		{"old Mac", "a: 1\rb: 'x\r\r  y'\r", "a: 1\nb: 'x\n\n  y'\n"},
		{"a mark at the beginning", "\ufeffa: 1\n", "a: 1\n"},
		{"none at the end", "a: 1", "a: 1\n"},
		{"many at the end", "a: 1\n\n\n  \n", "a: 1\n"},
		{"blanks", "a: \t1  \nb:  \t\n  - x \t# y \t\n", "a: 1\nb:\n  - x # y\n"},
		{"blanks inside a block", "a: |\n    x  \n      \n     \n  \n", "a: |\n  x  \n    \n   \n"},
		{"blanks at an escaped line end", "a: \"x \\ \n   y\\   \n   z  \n  \\  w\"\n", "a: \"x \\ \n  y\\ \n  z\n  \\  w\"\n"},
		{"a block without a line end", "a: |\n   x", "a: |-\n  x\n"},
		{"a block with its empty lines and no line end", "a: |2+ # b\n   x\n\n   y", "a: |2- # b\n   x\n\n   y\n"},
		{"a folded block that only lacks text", "a: >+", "a: >+\n"},
		{"empty lines of a block", "a: |+\n   x\n   \n\n  ", "a: |+\n  x\n\n\n"},
		{"a separator inside a block", "a: |\n   x\u2028   y\u2029   z\n", "a: |\n  x\u2028  y\u2029  z\n"},
		{"a separator inside quotes", "a: \"x\u2028     y\"\n", "a: \"x\u2028  y\"\n"},
		{"a separator as a line end", "a: 1\u2028b: 2\u0085c: 3\n", "a: 1\nb: 2\nc: 3\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _ := formatted(t, c.text)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestAnyInputIsFormattedOrRefused: inputs as large as a file may be.
func TestAnyInputIsFormattedOrRefused(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			out, ds := cluster.Format("c.yml", []byte(text))
			t.Logf("%v, %d bytes, %d diagnostics", time.Since(start), len(text), len(ds))
			if (out == nil) != (len(ds) > 0) {
				t.Error("neither a text nor a reason, or both")
			}
			if again, _ := cluster.Format("c.yml", out); string(again) != string(out) {
				t.Error("another text the second time")
			}
		})
	}
}
