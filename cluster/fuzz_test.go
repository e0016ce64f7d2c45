package cluster_test

import (
	"io"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/exospherehost/orbit/cluster"
)

// FuzzCompile: whatever comes in, there is a plan or an error, each diagnostic has a place in the file, and a plan
// survives its JSON.
func FuzzCompile(f *testing.F) {
	for _, name := range []string{"bad", "several", "warned", "good"} {
		archive, err := txtar.ParseFile("testdata/" + name + ".txtar")
		if err != nil {
			f.Fatal(err)
		}
		for i := 0; i < len(archive.Files); i += 2 {
			f.Add(archive.Files[i].Data)
		}
	}
	f.Add([]byte(chain))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := compile(string(text))
		if (r.Plan == nil) != (len(r.Errors()) > 0) {
			t.Fatalf("plan %v, %d errors", r.Plan != nil, len(r.Errors()))
		}
		seen := map[cluster.Diagnostic]bool{}
		for _, d := range r.Diagnostics {
			if d.Line < 1 || d.Column < 1 || d.Message == "" || !utf8.ValidString(d.Message+d.Hint) {
				t.Fatalf("no place or no message: %+v", d)
			}
			if _, ok := cluster.Explain(d.Code); !ok {
				t.Fatalf("no code: %+v", d)
			}
			if seen[d] {
				t.Fatalf("told twice: %v", d)
			}
			seen[d] = true
		}
		if !slices.IsSortedFunc(r.Diagnostics, func(a, b cluster.Diagnostic) int {
			if a.Line != b.Line {
				return a.Line - b.Line
			}
			return a.Column - b.Column
		}) {
			t.Fatalf("not in file order: %v", r.Diagnostics)
		}
		cluster.Render(io.Discard, r.Diagnostics, true)
		if r.Plan == nil {
			return
		}
		again, err := cluster.ParsePlan(r.Plan.Encode())
		if err != nil || again.Hash() != r.Plan.Hash() {
			t.Fatalf("%v: %s", err, r.Plan.Encode())
		}
	})
}
