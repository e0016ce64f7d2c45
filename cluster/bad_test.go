package cluster_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/exospherehost/orbit/cluster"
)

var update = flag.Bool("update", false, "write what the compiler says into testdata")

// TestEachMistakeIsToldOnceAtItsPlace goes through testdata/bad.txtar: pairs of a cluster file and what is said about it.
func TestEachMistakeIsToldOnceAtItsPlace(t *testing.T) {
	golden(t, "testdata/bad.txtar", func(t *testing.T, r *cluster.Result) {
		if len(r.Errors()) == 0 {
			t.Error("no error is told")
		}
		if r.Plan != nil {
			t.Error("a plan in spite of the error")
		}
	})
}

// TestWarningsAreToldWhereTheyAreDueAndNowhereElse goes through testdata/warned.txtar in the same way.
func TestWarningsAreToldWhereTheyAreDueAndNowhereElse(t *testing.T) {
	golden(t, "testdata/warned.txtar", func(t *testing.T, r *cluster.Result) {
		if r.Plan == nil {
			t.Error("no plan in spite of there being warnings alone")
		}
		if shown := rendered(r.Diagnostics, false); strings.Contains(shown, "CANARY") {
			t.Errorf("the value of a secret is shown:\n%s", shown)
		}
	})
}

// TestSeveralMistakesAreToldTogether goes through testdata/several.txtar: what is wrong in many places is told at once,
// each once, in file order, without what only follows. Two errors at one place are told of keys that lack alone.
func TestSeveralMistakesAreToldTogether(t *testing.T) {
	golden(t, "testdata/several.txtar", func(t *testing.T, r *cluster.Result) {
		if r.Plan != nil {
			t.Error("a plan in spite of the errors")
		}
		places := map[string]bool{}
		for _, d := range r.Errors() {
			place := fmt.Sprintf("%d:%d", d.Line, d.Column)
			if strings.Contains(d.Message, " lacks the key ") {
				place += d.Message
			}
			if places[place] {
				t.Errorf("two errors at %s", place)
			}
			places[place] = true
		}
		if shown := rendered(r.Diagnostics, false); strings.Contains(shown, "CANARY") {
			t.Errorf("the value of a secret is shown:\n%s", shown)
		}
	})
}

// golden compiles each file of an archive, and compares what is said with the entry after it.
func golden(t *testing.T, name string, check func(*testing.T, *cluster.Result)) {
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		file, want := archive.Files[i], &archive.Files[i+1]
		t.Run(file.Name, func(t *testing.T) {
			r := compile(string(file.Data))
			got := told(r.Diagnostics)
			if *update {
				want.Data = []byte(got)
				return
			}
			if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("what is said (-want +got):\n%s\nabout:\n%s", diff, file.Data)
			}
			check(t, r)
		})
	}
	if *update {
		if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// told is diagnostics as the golden files have them.
func told(ds []cluster.Diagnostic) string {
	var b strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&b, "%d:%d %s %s %s\n", d.Line, d.Column, d.Severity, d.Code, d.Message)
		if d.Hint != "" {
			fmt.Fprintf(&b, "    %s\n", d.Hint)
		}
	}
	return b.String()
}
