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

func TestRenderNeverShowsTheValueOfASecret(t *testing.T) {
	for _, secrets := range []string{
		"[{A: CANARY-1}, {B: CANARY-2}]", "{A: 'CANARY-1', B: CANARY-2}", "{A: CANARY-1, A: CANARY-2}", "{A: CANARY-1, B: {file: CANARY-2}}",
		"[{A: CANARY-1}, {A: CANARY-2}]", "{A B: CANARY-1}",
	} {
		text := strings.Replace(head, "  satellites:\n", "  secrets: "+secrets+"\n  satellites:\n", 1) + step("a", "")
		r := compile(text)
		shown := rendered(r.Diagnostics, false)
		if !strings.Contains(shown, "***\n") || strings.Contains(shown, "CANARY") {
			t.Errorf("of %s:\n%s", secrets, shown)
		}
	}
	text := strings.Replace(head, "  satellites:\n", "  secrets: {A: CANARY}\n  satellites:\n", 1) + step("a", "")
	attached := []cluster.Diagnostic{{File: "c.yml", Line: 6, Column: 16, Code: "ORB-C084"}}
	cluster.Attach(attached, []byte(text))
	if shown := rendered(attached, false); !strings.Contains(shown, "A: ***\n") || strings.Contains(shown, "CANARY") {
		t.Error(shown)
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
