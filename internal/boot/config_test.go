package boot

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit"
)

// main runs a daemon's command line and gives its exit code and output.
func run[C any](c Command[C], args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = c.Main(args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestConfigurationFilesHoldEveryKeyWithItsDefault(t *testing.T) {
	for _, role := range []string{"gateway", "node"} {
		file := filepath.Join("..", "..", "configs", role+".yml")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(string(text), "\n\n")
		var code int
		var defaults, read string
		if role == "gateway" {
			code, defaults, _ = run(GatewayCommand(), "config")
			_, read, _ = run(GatewayCommand(), "config", "--config", file)
		} else {
			code, defaults, _ = run(NodeCommand(), "config")
			_, read, _ = run(NodeCommand(), "config", "--config", file)
		}
		if code != 0 {
			t.Fatalf("%s: exit code %d", role, code)
		}
		if strings.TrimSpace(body) != strings.TrimSpace(defaults) {
			t.Errorf("configs/%s.yml is not what `orbit-%s config` prints; write it anew:\n%s", role, role, defaults)
		}
		if read != defaults {
			t.Errorf("configs/%s.yml, read back, gives another configuration:\n%s", role, read)
		}
	}
}

func TestFlagsWinOverTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "node.yml")
	if err := os.WriteFile(file, []byte("name: from-file\nslots: 3\njoin: [a:1, b:2]\nendpoints: {s3: http://x:9, docling: http://y}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, out, errs := run(NodeCommand(), "config", "--config", file, "--slots", "5")
	for _, want := range []string{"name: from-file\n", "slots: 5\n", "    - a:1\n    - b:2\n", "    s3: http://x:9\n", "    docling: http://y\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s%s", want, out, errs)
		}
	}
}

func TestMistakesInTheConfigurationAreToldInASentence(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"an unknown key": {"slotz: 3\n", `has an unknown key "slotz"`},
		"no YAML":        {"a: b: c\n", "is no YAML"},
		"a wrong type":   {"slots: many\n", "slots"},
		"a wrong choice": {"log-level: loud\n", "log-level"},
	} {
		file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, errs := run(NodeCommand(), "config", "--config", file)
		if code != 2 || !strings.Contains(errs, c.want) || strings.Count(strings.TrimSpace(errs), "\n") > 0 {
			t.Errorf("%s: exit code %d, %q", name, code, errs)
		}
	}
}

// section is a part of a configuration that reads itself.
type section map[string]struct {
	URL   string   `yaml:"url"`
	Names []string `yaml:"names"`
}

func (s *section) UnmarshalText(text []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	return dec.Decode((*map[string]struct {
		URL   string   `yaml:"url"`
		Names []string `yaml:"names"`
	})(s))
}

func TestSectionReadsItself(t *testing.T) {
	type settings struct{ Things section }
	command := Command[settings]{Name: "thing", About: "Tests."}
	file := filepath.Join(t.TempDir(), "thing.yml")
	for name, c := range map[string]struct {
		text string
		args []string
		code int
		want string
	}{
		"in the file":               {"things:\n  a: {url: http://x/, names: [b, \"c,d\"]}\n", nil, 0, "url: http://x/"},
		"as a flag":                 {"", []string{"--things", `{a: {url: "http://y/", names: [b]}}`}, 0, "url: http://y/"},
		"an unknown key in it":      {"things:\n  a: {uri: http://x/}\n", nil, 2, "uri"},
		"something else than a map": {"things: 3\n", nil, 2, "things"},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs := run(command, append([]string{"config", "--config", file}, c.args...)...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s: exit code %d, %s%s", name, code, out, errs)
		}
	}
}

func TestAStoreThatIsTooSmallToBeginWithIsRefused(t *testing.T) {
	_, err := StartGateway(t.Context(), GatewayConfig{Data: t.TempDir(), HTTP: "127.0.0.1:0", MaxStore: 12 * orbit.MiB}, "test", true, zerolog.Nop())
	if err == nil || err.Error() != "max-store is 12MiB; the streams need 64MiB at least, and a cluster of some size a hundred times that" {
		t.Errorf("%v", err)
	}
}
