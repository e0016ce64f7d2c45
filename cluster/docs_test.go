package cluster_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

// keepCurrent compares a document, or the part of it between two marks, with what it should say; with -update it writes it.
func keepCurrent(t *testing.T, name, want string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil && !*update {
		t.Fatal(err)
	}
	whole := want
	const from, to = "<!-- begin generated -->\n", "<!-- end generated -->\n"
	if head, rest, found := strings.Cut(string(text), from); found {
		_, tail, _ := strings.Cut(rest, to)
		whole = head + from + want + to + tail
	}
	if *update {
		if err := os.WriteFile(name, []byte(whole), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(whole, string(text)); diff != "" {
		t.Errorf("%s is stale; go test ./cluster -run Document -update makes it anew (-want +got):\n%s", name, diff)
	}
}

func TestDocumentOfDiagnosticsIsCurrent(t *testing.T) {
	options := usersOptions(t)
	var b strings.Builder
	b.WriteString("# Diagnostics\n\nWhat `orbit lint` says of a cluster file, and what the gateway answers with 422, carries a code. `orbit explain CODE` shows the same\n" +
		"as this page, which is made from it; a code keeps its meaning for ever. Of each example only the lines that matter are shown;\n" +
		"`orbit explain CODE -o json` has the whole files.\n\n| code | title |\n|---|---|\n")
	for _, e := range cluster.Explanations() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", e.Code, strings.ToLower(e.Code), e.Title)
	}
	for _, e := range cluster.Explanations() {
		fails, mended := e.Excerpts()
		fmt.Fprintf(&b, "\n## %s\n\n**%s.** %s\n\n%s\n\n```\n%s```\n\n```\n%s```\n\nMended:\n\n```\n%s```\n",
			e.Code, e.Title, inCode(e.Text), inCode(e.Why), fails, e.Told("cluster.yml", options, false), mended)
	}
	keepCurrent(t, "../docs/diagnostics.md", b.String())
}

// inCode keeps Markdown from reading expressions and marks as its own.
func inCode(text string) string {
	return strings.NewReplacer("*", `\*`, "<<", `\<\<`, "_", `\_`).Replace(text)
}

func TestDocumentOfRetriesIsCurrent(t *testing.T) {
	waits := func(p cluster.RetryPolicy) string {
		var out []string
		for attempts := range p.Max {
			out = append(out, orbit.Duration(p.Wait(attempts+1)).String())
		}
		return fmt.Sprintf("%s | %s", strings.Join(out, " + "), orbit.Duration(p.Longest()))
	}
	var b strings.Builder
	b.WriteString("| `retries:` | longest waits | together |\n|---|---|---|\n")
	for _, row := range []struct {
		text   string
		change func(*cluster.RetryPolicy)
	}{
		{"not given", func(*cluster.RetryPolicy) {}},
		{"`3`", func(p *cluster.RetryPolicy) { p.Max = 3 }},
		{"`{max: 8, delay: 10s}`", func(p *cluster.RetryPolicy) { p.Max, p.Delay = 8, orbit.Duration(10*time.Second) }},
		{"`{factor: 3}`", func(p *cluster.RetryPolicy) { p.Factor = 3 }},
		{"`{strategy: linear, delay: 30s}`", func(p *cluster.RetryPolicy) { p.Strategy, p.Delay = "linear", orbit.Duration(30*time.Second) }},
		{"`{strategy: linear, delay: 2m, max-delay: 6m}`", func(p *cluster.RetryPolicy) {
			p.Strategy, p.Delay, p.MaxDelay = "linear", orbit.Duration(2*time.Minute), orbit.Duration(6*time.Minute)
		}},
		{"`{strategy: fixed, delay: 1m}`", func(p *cluster.RetryPolicy) { p.Strategy, p.Delay = "fixed", orbit.Duration(time.Minute) }},
	} {
		p := cluster.DefaultRetries
		row.change(&p)
		if yml := strings.Trim(row.text, "`"); yml != row.text { // the file says the same
			r := compile(strings.Replace(head, "  satellites:\n", "  retries: "+yml+"\n  satellites:\n", 1) + step("a", ""))
			if r.Plan == nil || r.Plan.Steps[0].Retries != p {
				t.Errorf("%s is not %+v", row.text, p)
			}
		}
		fmt.Fprintf(&b, "| %s | %s |\n", row.text, waits(p))
	}
	keepCurrent(t, "../docs/cluster-file.md", b.String())
}
