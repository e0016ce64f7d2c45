package cli

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/catalog"
)

// docsFolder holds the manual pages as people read them in a browser, so that they need no program for it.
const docsFolder = "../../docs/satellites"

func TestThePagesInDocsAreWhatTheSpecsSay(t *testing.T) {
	all, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"README.md": markdownIndex(all.Specs())}
	for _, spec := range all.Specs() {
		want[pageName(spec)] = markdown(spec)
	}
	if update := flag.Lookup("update"); update.Value.String() == "true" {
		if err := os.RemoveAll(docsFolder); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(docsFolder, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			if err := os.WriteFile(filepath.Join(docsFolder, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := map[string]string{}
	files, err := os.ReadDir(docsFolder)
	if err != nil {
		t.Fatalf("%v; run make satellite-docs", err)
	}
	for _, f := range files {
		text, err := os.ReadFile(filepath.Join(docsFolder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[f.Name()] = string(text)
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("run make satellite-docs, and read the difference (-docs +specs):\n%s", d)
	}
}

const written = "<!-- Written by `make satellite-docs` from the satellites themselves: change it there. -->\n\n"

func pageName(s *orbit.SatelliteSpec) string {
	return s.Name[strings.IndexByte(s.Name, '/')+1:] + ".md"
}

func markdownIndex(specs []*orbit.SatelliteSpec) string {
	var b bytes.Buffer
	b.WriteString(written + "# The built-in satellites\n\nEach name is written `satellite/NAME` behind `uses:` of a cluster. `orbit satellites NAME` shows the same pages.\n\n| satellite | does |\n|---|---|\n")
	for _, s := range specs {
		fmt.Fprintf(&b, "| [%s](%s) | %s |\n", s.Name, pageName(s), cell(s.Title))
	}
	return b.String()
}

// markdown is the page of one satellite.
func markdown(s *orbit.SatelliteSpec) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s# %s\n\n%s.\n\n", written, s.Name, s.Title)
	if len(s.Aliases) > 0 {
		fmt.Fprintf(&b, "Also called %s.\n\n", strings.Join(s.Aliases, ", "))
	}
	b.WriteString(strings.TrimSpace(s.Description) + "\n")
	input := "any value; without it, the incoming object"
	if s.EmptyInput {
		input = "none"
	}
	markdownFields(&b, "Config", "config", s, s.Config, "none")
	markdownFields(&b, "Input", "input", s, s.Input, input)
	markdownFields(&b, "Output", "", s, s.Output, "any object")
	if len(s.Failures) > 0 {
		b.WriteString("\n## Failures\n\n| code | | when |\n|---|---|---|\n")
		for _, f := range s.Failures {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Code, again(f), cell(f.When))
		}
	}
	if s.Example != "" {
		fmt.Fprintf(&b, "\n## Example\n\n```yaml\n%s```\n", entry(s.Example, ""))
	}
	fmt.Fprintf(&b, "\n## Where it runs\n\n%s\n", runs(s))
	return b.String()
}

func markdownFields(b *bytes.Buffer, title, part string, s *orbit.SatelliteSpec, schema []byte, otherwise string) {
	fmt.Fprintf(b, "\n## %s\n", title)
	root := readSchema(schema)
	for _, text := range root.about(otherwise) {
		b.WriteString("\n" + strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + ".\n")
	}
	fields := root.fields()
	if len(fields) == 0 {
		return
	}
	b.WriteString("\n| field | takes | |\n|---|---|---|\n")
	for _, f := range fields {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.name, cell(f.says(s, part)), cell(f.description))
	}
}

// cell writes text for a table: a bar would end the cell, and < begin a tag.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(text)
}
