package cli_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write docs/cluster.schema.json and docs/satellites anew")

// schemaFile is a copy for editors, so that the examples need no program and no network to be read with it.
const schemaFile = "../../docs/cluster.schema.json"

func TestTheSchemaInDocsIsWhatOrbitSchemaPrints(t *testing.T) {
	got := invoke(call{args: orbitArgs("schema")})
	if got.code != 0 || got.stderr != "" {
		t.Fatalf("exit code %d, stderr %q", got.code, got.stderr)
	}
	if *update {
		if err := os.WriteFile(schemaFile, []byte(got.stdout), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(text), got.stdout); d != "" {
		t.Errorf("run make schema, and read the difference (-docs +printed):\n%s", d)
	}
	if json := invoke(call{args: orbitArgs("schema -o json")}); json != got {
		t.Error("-o json prints something else")
	}
}

func TestOrbitSchemaPrintsASchema(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(invoke(call{args: orbitArgs("schema")}).stdout))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("orbit.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("orbit.json")
	if err != nil {
		t.Fatal(err)
	}
	file := func(uses string) any {
		return map[string]any{"version": "0.0.1b", "cluster": map[string]any{"identifier": "a/b", "sla": "6h", "trigger": "api-call",
			"satellites": []any{map[string]any{"uses": uses, "config": map[string]any{"query": "."}}}}}
	}
	if err := s.Validate(file("satellite/exospherehost/jq")); err != nil {
		t.Error(err)
	}
	if s.Validate(file("satellite/exospherehost/jk")) == nil {
		t.Error("an unknown satellite fits")
	}
}

// TestExamplesNameTheSchema: whoever opens one in an editor has it completed and explained.
func TestExamplesNameTheSchema(t *testing.T) {
	files, err := filepath.Glob("../../examples/*/*.yml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %d examples", err, len(files))
	}
	for _, name := range files {
		if strings.HasSuffix(name, "structured-json/cluster.yml") { // it stays as it was published
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(text), "\n")
		path, ok := strings.CutPrefix(first, "# yaml-language-server: $schema=")
		if !ok || filepath.Join(filepath.Dir(name), path) != filepath.Clean(schemaFile) {
			t.Errorf("%s begins with %q", name, first)
		}
	}
}
