package scripttest

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// What a script does with a command of the README, where it does not just run it and expect exit code 0.
var (
	// readmeNotRun are the commands that no script runs, and why.
	readmeNotRun = map[string]string{
		"make demo": "builds for minutes; scripts/demo.sh is these commands: run-local.txtar runs the same cluster",
		"make test": "is what runs this test",
	}
	// readmeCodes are exit codes other than 0.
	readmeCodes = map[string]int{
		"bin/orbit run --wait examples/quarterly-reports/cluster.yml": 3, // one of the reports is damaged on purpose
	}
	// readmeBackground are commands that run on, under these names.
	readmeBackground = map[string]string{"bin/orbit dev": "dev", "orbit-gateway": "gateway", "orbit-node": "node"}
	// readmeSections are the sections with commands; readme.txtar runs all but the first.
	readmeSections = []string{"Two commands", "Look around", "Several machines", "Debugging with the nats CLI"}
)

// section is one heading of the README with the blocks below it, by language.
type section struct{ shell, yaml []string }

// readReadme takes the README apart. A command of a shell block is a line.
func readReadme(text string) map[string]*section {
	out := map[string]*section{}
	title, fence := "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		s := out[title]
		switch {
		case strings.HasPrefix(line, "```"):
			fence = strings.TrimPrefix(line, "```")
		case fence == "" && strings.HasPrefix(line, "#"):
			title = strings.TrimSpace(strings.TrimLeft(line, "#"))
			out[title] = &section{}
		case s != nil && fence == "sh" && strings.TrimSpace(line) != "":
			s.shell = append(s.shell, line)
		case s != nil && fence == "yaml":
			s.yaml = append(s.yaml, line)
		}
	}
	return out
}

func readmeText(t interface{ Fatalf(string, ...any) }) string {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(text)
}

func TestEverySectionOfTheREADMEWithCommandsIsKnown(t *testing.T) {
	var found []string
	for title, s := range readReadme(readmeText(t)) {
		if len(s.shell) > 0 {
			found = append(found, title)
		}
	}
	slices.Sort(found)
	if want := slices.Sorted(slices.Values(readmeSections)); !slices.Equal(found, want) {
		t.Errorf("sections with commands: %q, want %q; run a new one in testdata/script/readme.txtar and name it in readmeSections", found, want)
	}
	script, err := os.ReadFile("testdata/script/readme.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, title := range readmeSections[1:] {
		if !strings.Contains(string(script), "\nreadme '"+title+"'") {
			t.Errorf("readme.txtar does not run the section %q", title)
		}
	}
}

func TestEveryCommandThatIsTreatedApartIsInTheREADME(t *testing.T) {
	text := readmeText(t)
	for command := range readmeNotRun {
		if !strings.Contains(text, "\n"+command+"\n") {
			t.Errorf("%q is not in the README any more", command)
		}
	}
	for _, command := range slices.Collect(maps.Keys(readmeCodes)) {
		if !strings.Contains(text, "\n"+command+"\n") {
			t.Errorf("%q is not in the README any more", command)
		}
	}
}

// readme 'SECTION' [OLD=NEW…] runs the commands of a section as they stand there, but for the replacements: addresses on
// loopback instead of those of several machines, and further flags. A command that runs on is started in the background,
// and the gateway waited for.
func readme(ts *testscript.TestScript, neg bool, args []string) {
	sections := readReadme(readmeText(ts))
	s := sections[args[0]]
	if s == nil || len(s.shell) == 0 {
		ts.Fatalf("the README has no commands under %q", args[0])
	}
	for _, line := range s.shell {
		run := line
		for _, r := range args[1:] {
			old, with, _ := strings.Cut(r, "=>")
			run = strings.ReplaceAll(run, old, with)
		}
		words := strings.Fields(run)
		name, background := readmeBackground[strings.Join(words[:min(2, len(words))], " ")]
		if !background {
			name, background = readmeBackground[words[0]]
		}
		switch {
		case readmeNotRun[line] != "":
			continue
		case background:
			ts.Logf("[start] %s", run)
			launch(ts, name, "sh", "-c", "exec "+run)
			waitReady(ts, false, nil)
			continue
		}
		if strings.HasPrefix(line, "bin/nats ") {
			natsCLI(ts)
		}
		if code := exitCode(ts, ts.Exec("sh", "-c", run)); code != readmeCodes[line] {
			ts.Fatalf("README: %s\nexit code %d, want %d", line, code, readmeCodes[line])
		}
		if out := ts.ReadFile("stdout"); !strings.Contains(run, " > ") && strings.TrimSpace(out+ts.ReadFile("stderr")) == "" {
			ts.Fatalf("README: %s\nprints nothing", line)
		} else if trouble.MatchString(out) {
			ts.Fatalf("README: %s\nprints an error", line)
		}
	}
}

// readmeyaml SECTION FILE writes the YAML that a section shows to a file.
func readmeYAML(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: readmeyaml SECTION FILE")
	}
	s := readReadme(readmeText(ts))[args[0]]
	if s == nil || len(s.yaml) == 0 {
		ts.Fatalf("the README shows no YAML under %q", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(s.yaml, "\n")+"\n"), 0o644))
}

// trouble is what the nats command line prints of an error without an exit code.
var trouble = regexp.MustCompile(`(?i)nats-service-error|"status": ?[45]\d\d|no responders|no such `)

// natsCLI puts the nats command line where the README has it.
func natsCLI(ts *testscript.TestScript) {
	to := ts.MkAbs("bin/nats")
	if _, err := os.Stat(to); err == nil {
		return
	}
	from, err := filepath.Abs(filepath.Join(root, "bin", "nats"))
	ts.Check(err)
	if _, err := os.Stat(from); err != nil {
		ts.Fatalf("run make nats first")
	}
	ts.Check(os.Symlink(from, to))
}
