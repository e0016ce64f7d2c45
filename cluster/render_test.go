package cluster_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit/cluster"
)

func readFile(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func rendered(ds []cluster.Diagnostic, color bool) string {
	var b strings.Builder
	cluster.Render(&b, ds, color)
	return b.String()
}

func TestRenderShowsTheLineACaretAndTheHint(t *testing.T) {
	r := compile(head + "    - uses:\texospherehost/jq\n      config: {query: .}\n      input: {漢字:\t\"\tx ${{ run.nme }}\"}\n")
	want := "c.yml:9:23: error[ORB-C052]: run has no \"nme\"\n" +
		"    9 |       input: {漢字:\t\"\tx ${{ run.nme }}\"}\n" +
		"                           \t \t  ^\n" +
		"hint: known are id, deadline\n"
	if diff := cmp.Diff(want, rendered(r.Diagnostics, false)); diff != "" {
		t.Error(diff)
	}
	if c := rendered(r.Diagnostics, true); !strings.Contains(c, "\x1b[1;31merror[ORB-C052]:\x1b[0m") {
		t.Errorf("%q", c)
	}
}

func TestRenderCutsLongLinesAndHidesControlCharacters(t *testing.T) {
	r := compile("version: " + strings.Repeat("x", 500) + "\ncluster: 1\n")
	if got := rendered(r.Diagnostics, false); len(got) > 900 || !strings.Contains(got, "…") {
		t.Errorf("%d bytes:\n%s", len(got), got)
	}
	if got := rendered(compile("a: \x1b[31m").Diagnostics, false); strings.Contains(got, "\x1b") {
		t.Errorf("%q", got)
	}
}

func TestAttachGivesDiagnosticsTheirLinesBack(t *testing.T) {
	text := "version: 1\n"
	ds := compile(text).Diagnostics
	raw, err := json.Marshal(ds)
	if err != nil {
		t.Fatal(err)
	}
	var again []cluster.Diagnostic
	if err := json.Unmarshal(raw, &again); err != nil {
		t.Fatal(err)
	}
	if rendered(again, false) == rendered(ds, false) {
		t.Error("the line came through JSON")
	}
	cluster.Attach(again, []byte(text))
	if diff := cmp.Diff(rendered(ds, false), rendered(again, false)); diff != "" {
		t.Error(diff)
	}
}
