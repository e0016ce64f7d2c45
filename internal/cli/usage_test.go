package cli_test

import (
	"strings"
	"testing"
)

func TestMisuseEndsWith2AndAHint(t *testing.T) {
	for line, want := range map[string]string{
		"frobnicate":              "unexpected argument frobnicate",
		"runn":                    `unexpected argument runn, did you mean one of "run", "runs"?`,
		"status":                  `an argument is missing: expected "<run>"`,
		"status a b":              "unexpected argument b",
		"why":                     `an argument is missing: expected "<run>"`,
		"lint":                    `an argument is missing: expected "<file> ..."`,
		"lint --watch a.yml -":    "stdin cannot be watched; name a file",
		"runs --limt 3":           "unknown flag --limt",
		"nodes -o xml":            `--output must be one of "table","json","mermaid" but got "xml"`,
		"nodes -o mermaid":        "only `orbit plan` draws; here -o is table or json",
		"items r --state dead":    `"dead" is no state of an item; it is one of waiting, running, retrying, succeeded, failed, skipped, cancelled`,
		"run a/b --payload {":     "--payload is no JSON (unexpected EOF); write it like '{\"month\": 3}', or @FILE",
		"logs r --level loud":     `"loud" is no level; it is one of debug, info, warn, error`,
		"run --local a/b":         "--local runs a file: a private mesh knows no registered cluster, and a/b is no file",
		"dev --nodes 0":           "--nodes must be 1 at least",
		"dev --nodes many":        "--nodes: expected a valid 64 bit int but got \"many\"",
		"--gateway":               "--gateway needs a value",
		"fmt":                     `an argument is missing: expected "<file> ..."`,
		"fmt - a.yml":             "the form of stdin goes to stdout, where the names of other files would be lost in it; name - alone",
		"halt 0123456789abcdefgh": "unexpected argument halt",
	} {
		t.Run(line, func(t *testing.T) {
			got := invoke(call{args: orbitArgs(line)})
			if got.code != 2 || got.stdout != "" || !strings.HasPrefix(got.stderr, "orbit: "+want) || !strings.Contains(got.stderr, "--help\" for more information.\n") {
				t.Errorf("exit code %d, stdout %q, stderr:\n%swant: %s", got.code, got.stdout, got.stderr, want)
			}
		})
	}
}

func TestHelpIsCompleteAndGoesToStdout(t *testing.T) {
	got := invoke(call{args: orbitArgs("--help")})
	if got.code != 0 || got.stderr != "" {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
	for _, word := range []string{"lint", "fmt", "plan", "explain", "schema", "run", "apply", "clusters", "delete", "runs", "status", "items", "outputs", "logs", "events", "why", "cancel", "pause", "resume", "retry", "nodes", "queues", "top", "secrets",
		"satellites", "dev", "decode", "version", "--gateway", "ORBIT_GATEWAY", "--token", "ORBIT_TOKEN", "-o, --output", "--no-color", "NO_COLOR"} {
		if !strings.Contains(got.stdout, word) {
			t.Errorf("%s is not in the help", word)
		}
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	for _, name := range []string{"lint", "fmt", "plan", "explain", "schema", "run", "apply", "clusters", "delete", "runs", "status", "items", "outputs", "logs", "events", "why", "cancel", "pause", "resume", "retry", "nodes", "queues", "top", "secrets",
		"satellites", "dev", "decode", "version"} {
		got := invoke(call{args: []string{name, "--help"}})
		if got.code != 0 || got.stderr != "" || !strings.HasPrefix(got.stdout, "Usage: orbit "+name) {
			t.Errorf("%s: exit code %d, stderr %q, stdout:\n%s", name, got.code, got.stderr, got.stdout)
		}
	}
}

func TestNoArgumentsShowTheHelpAsAMistake(t *testing.T) {
	got := invoke(call{})
	if got.code != 2 || got.stdout != "" || !strings.HasPrefix(got.stderr, "Usage: orbit <command>") {
		t.Errorf("exit code %d, stdout %q, stderr %q", got.code, got.stdout, got.stderr)
	}
}

func TestGlobalFlagsWorkBeforeAndAfterTheCommand(t *testing.T) {
	for _, line := range []string{"-o json version", "version -o json", "version --output=json", "--no-color version -ojson --gateway http://other:1"} {
		got := invoke(call{args: orbitArgs(line)})
		if got.code != 0 || !strings.HasPrefix(got.stdout, "{\n  \"version\": ") {
			t.Errorf("%s: exit code %d, stdout %q, stderr %q", line, got.code, got.stdout, got.stderr)
		}
	}
}
