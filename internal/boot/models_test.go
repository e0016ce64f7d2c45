package boot

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/catalog"
	"github.com/exospherehost/orbit/satellite/llm"
)

const everyKey = `models:
  exospherehost/gemma-3-27b:
    url: http://127.0.0.1:8000/v1
    model: google/gemma-3-27b-it
    api-key-file: KEYFILE
    concurrency: 64
    context: 32768
    json-schema: never
    idle-timeout: 2m
    headers:
      X-Team: reports
      X-Api-Token: {env: MODELS_TEST_TOKEN}
  acme/tiny: {url: "https://models.example.com/v1?api-version=1"}
`

func TestModelsOfANodeAreReadAndPrintedWithoutTheirSecrets(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	write(t, key, "CANARY-key\n")
	t.Setenv("MODELS_TEST_TOKEN", "CANARY-token")
	file := filepath.Join(dir, "node.yml")
	write(t, file, strings.Replace(everyKey, "KEYFILE", key, 1))
	code, printed, errs := run(NodeCommand(), "config", "--config", file)
	if code != 0 || strings.Contains(printed, "CANARY") {
		t.Fatalf("exit code %d, %s%s", code, printed, errs)
	}
	again := filepath.Join(dir, "again.yml")
	write(t, again, printed)
	if _, read, errs := run(NodeCommand(), "config", "--config", again); read != printed {
		t.Errorf("read back it is another:\n%s%s\n%s", read, errs, cmp.Diff(printed, read))
	}
	for _, want := range []string{"concurrency: 64", "context: 32768", "idle-timeout: 2m", "json-schema: never", "model: google/gemma-3-27b-it", "env: MODELS_TEST_TOKEN", "X-Team: reports", "api-key-file: " + key} {
		if !strings.Contains(printed, want) {
			t.Errorf("no %q in\n%s", want, printed)
		}
	}
	var models Models
	if err := models.UnmarshalText([]byte(strings.TrimPrefix(strings.Replace(everyKey, "KEYFILE", key, 1), "models:"))); err != nil {
		t.Fatal(err)
	}
	got, err := models.endpoints()
	want := map[string]llm.Endpoint{
		"exospherehost/gemma-3-27b": {URL: "http://127.0.0.1:8000/v1", Model: "google/gemma-3-27b-it", Key: "CANARY-key", Concurrency: 64, Context: 32768, Schema: llm.Never,
			Idle: 2 * time.Minute, Headers: map[string]string{"X-Team": "reports", "X-Api-Token": "CANARY-token"}},
		"acme/tiny": {URL: "https://models.example.com/v1?api-version=1", Headers: map[string]string{}},
	}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v; endpoints (-want +got):\n%s", err, d)
	}
}

func TestMistakesInModelsAreToldInASentence(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ entry, want string }{
		"no map":                 {"models: 3", "it must be a map from names of satellites to endpoints"},
		"a list":                 {"models: [a/b]", "it must be a map from names of satellites to endpoints"},
		"an unknown key":         {"models: {a/b: {uri: http://x/v1}}", "a/b: there is no key uri; there are url, model"},
		"no URL":                 {"models: {a/b: {model: m}}", "a/b: url is missing"},
		"a URL that is none":     {"models: {a/b: {url: localhost:8000}}", "a/b: url is no http or https URL"},
		"a password in the URL":  {"models: {a/b: {url: \"http://u:s3cret@x/v1\"}}", "a/b: url holds a password"},
		"a key in the URL":       {"models: {a/b: {url: \"http://x/v1?api_key=s3cret\"}}", "a/b: url holds a key"},
		"the whole path":         {"models: {a/b: {url: http://x/v1/chat/completions}}", "url must be the base"},
		"a secret in the file":   {"models: {a/b: {url: http://x/v1, headers: {Authorization: Bearer s3cret}}}", "headers: Authorization looks like a secret"},
		"a header of two places": {"models: {a/b: {url: http://x/v1, headers: {X: {env: A, file: b}}}}", "a header is text, {env: NAME} or {file: PATH}"},
		"a header of two lines":  {"models: {a/b: {url: http://x/v1, headers: {X: \"a\\nb\"}}}", `"X" cannot be sent`},
		"both keys":              {"models: {a/b: {url: http://x/v1, api-key-file: f, api-key-env: E}}", "api-key-file and api-key-env are both given"},
		"a number in words":      {"models: {a/b: {url: http://x/v1, concurrency: many}}", `"many" does not fit: a whole number is wanted`},
		"too many at once":       {"models: {a/b: {url: http://x/v1, concurrency: 100000}}", "concurrency must be between 1 and 1024"},
		"a negative context":     {"models: {a/b: {url: http://x/v1, context: -1}}", "context must be"},
		"a short idle time":      {"models: {a/b: {url: http://x/v1, idle-timeout: 5ms}}", "idle-timeout must be 1s or more"},
		"no duration":            {"models: {a/b: {url: http://x/v1, idle-timeout: soon}}", "soon"},
		"an unknown use":         {"models: {a/b: {url: http://x/v1, json-schema: maybe}}", "json-schema must be auto, always or never"},
		"nothing to launch":      {"models: {a/b: {url: http://x/v1, launch: []}}", "a/b: launch must be a list of a program and its arguments"},
		"a map to launch":        {"models: {a/b: {url: http://x/v1, launch: {run: x}}}", "a/b: launch must be a list"},
		"a number to launch":     {"models: {a/b: {url: http://x/v1, launch: 3}}", "a/b: launch must be a list"},
		"a list in the command":  {"models: {a/b: {url: http://x/v1, launch: [a, [b]]}}", "a/b: launch must be a list"},
		"no memory":              {"models: {a/b: {url: http://x/v1, launch: serve}}", "a/b: gpu-memory is missing"},
		"memory in words":        {"models: {a/b: {url: http://x/v1, launch: serve, gpu-memory: much}}", `a/b: gpu-memory: "much" is no amount of bytes`},
		"no GPUs":                {"models: {a/b: {url: http://x/v1, launch: serve, gpu-memory: 1GiB, gpus: 0}}", "a/b: gpus must be between 1 and 64"},
		"GPUs without memory":    {"models: {a/b: {url: http://x/v1, launch: serve, gpu-memory: 0, gpus: 2}}", "a/b: gpus is given and gpu-memory is 0"},
		"GPUs in words":          {"models: {a/b: {url: http://x/v1, launch: serve, gpu-memory: 1GiB, gpus: two}}", `"two" does not fit: a whole number is wanted`},
		"a short start":          {"models: {a/b: {url: http://x/v1, launch: serve, gpu-memory: 0, start-timeout: 1ms}}", "a/b: start-timeout must be 1s or more"},
		"no place to look":       {"models: {a/b: {url: http://x/v1, launch: serve, gpu-memory: 0, health: /health}}", "a/b: health is no http or https URL"},
		"a secret to look with":  {"models: {a/b: {url: http://x/v1, launch: serve, gpu-memory: 0, health: \"http://x/h?token=s3cret\"}}", "a/b: health holds a secret"},
		"a key in the command":   {"models: {a/b: {url: http://x/v1, launch: [serve, --api-key, s3cret], gpu-memory: 0}}", "a/b: launch holds a secret"},
		"a key in its text":      {"models: {a/b: {url: http://x/v1, launch: serve --api-key=s3cret, gpu-memory: 0}}", "a/b: launch holds a secret"},
		"memory of nothing":      {"models: {a/b: {url: http://x/v1, gpu-memory: 1GiB}}", "a/b: gpu-memory is for a server that the node starts"},
		"GPUs of nothing":        {"models: {a/b: {url: http://x/v1, gpus: 1}}", "a/b: gpus is for a server that the node starts"},
		"health of nothing":      {"models: {a/b: {url: http://x/v1, health: http://x/h}}", "a/b: health is for a server that the node starts"},
		"a start of nothing":     {"models: {a/b: {url: http://x/v1, start-timeout: 1m}}", "a/b: start-timeout is for a server that the node starts"},
		"two at one port":        {"models: {a/b: {url: http://x:1/v1, launch: serve, gpu-memory: 0}, a/c: {url: http://x:1/v1, launch: serve, gpu-memory: 0}}", "a/b and a/c are both launched at x:1; give each a port of its own"},
		"no name of a satellite": {"models: {Gemma: {url: http://x/v1}}", `"Gemma" is no name of a satellite`},
	} {
		file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		write(t, file, c.entry+"\n")
		code, _, errs := run(NodeCommand(), "config", "--config", file)
		if code != 2 || !strings.Contains(errs, c.want) || strings.Count(strings.TrimSpace(errs), "\n") > 0 || strings.Contains(errs, "s3cret") {
			t.Errorf("%s: exit code %d, %q", name, code, errs)
		}
	}
}

func TestAKeyThatIsNotThereIsToldAtStart(t *testing.T) {
	dir := t.TempDir()
	empty, long := filepath.Join(dir, "empty"), filepath.Join(dir, "long")
	write(t, empty, "\n")
	write(t, long, "a\nb\n")
	for name, c := range map[string]struct {
		binding ModelBinding
		want    string
	}{
		"no file":        {ModelBinding{APIKeyFile: filepath.Join(dir, "none")}, "the key file " + filepath.Join(dir, "none") + " cannot be read (no such file or directory)"},
		"an empty file":  {ModelBinding{APIKeyFile: empty}, "does not hold one line of text"},
		"a file of two":  {ModelBinding{APIKeyFile: long}, "does not hold one line of text"},
		"no variable":    {ModelBinding{APIKeyEnv: "MODELS_TEST_NONE"}, "the key is to be in the environment variable MODELS_TEST_NONE, which is not set"},
		"no header file": {ModelBinding{Headers: map[string]Header{"X": {File: filepath.Join(dir, "none")}}}, "the header X file"},
	} {
		c.binding.URL = "http://127.0.0.1:1/v1"
		_, err := StartNode(t.Context(), NodeConfig{Models: Models{"a/b": c.binding}}, Extra{})
		if err == nil || !strings.Contains(err.Error(), "models: a/b: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAGatewayKnowsTheModelsItIsTold(t *testing.T) {
	registry, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	specs, err := modelSpecs([]string{"acme/tiny", "acme/large=40GiB", "exospherehost/gemma-3-27b"}, registry)
	if err != nil {
		t.Fatal(err)
	}
	type known struct {
		Name, Kind, Pool string
		Memory           orbit.Bytes
	}
	var got []known
	for _, s := range specs {
		got = append(got, known{s.Name, s.Kind, s.Pool, s.Resources.GPUMemory})
	}
	want := []known{{"acme/tiny", "configured", "model-acme~tiny", 0}, {"acme/large", "configured", "model-acme~large", 40 * orbit.GiB}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("specs (-want +got):\n%s", d)
	}
	for name, c := range map[string]struct{ entry, want string }{
		"no name":           {"tiny", `models: "tiny" is no name of a satellite`},
		"no amount":         {"acme/tiny=much", `models: acme/tiny: "much" is no amount of bytes`},
		"another satellite": {"exospherehost/jq", "models: exospherehost/jq is a satellite already, and none of a model"},
	} {
		if _, err := modelSpecs([]string{c.entry}, registry); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
