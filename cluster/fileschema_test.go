package cluster_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/satellite/catalog"
)

// editor is a file schema as an editor reads it: by the draft that it names, or by the one before.
type editor struct{ named, older *jsonschema.Schema }

func newEditor(t testing.TB, c cluster.Catalog) *editor {
	t.Helper()
	text := cluster.FileSchema(c, []string{"cpu", "gpu-80g"})
	read := func(draft string) *jsonschema.Schema {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		doc.(map[string]any)["$schema"] = draft
		compiler := jsonschema.NewCompiler()
		compiler.AssertFormat()
		if err := compiler.AddResource("orbit.json", doc); err != nil {
			t.Fatal(err)
		}
		s, err := compiler.Compile("orbit.json")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var names struct {
		Schema string `json:"$schema"`
	}
	if err := json.Unmarshal(text, &names); err != nil {
		t.Fatal(err)
	}
	return &editor{read(names.Schema), read("http://json-schema.org/draft-07/schema#")}
}

// look gives what the editor marks in a file, nil where that is nothing.
func (e *editor) look(t testing.TB, text string) error {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) == 0 {
		return fmt.Errorf("not YAML, or empty: %v", err)
	}
	value := jsonLike(t, doc.Content[0])
	named, older := e.named.Validate(value), e.older.Validate(value)
	if (named == nil) != (older == nil) {
		t.Errorf("the drafts disagree: %v; draft-07: %v; about:\n%s", named, older, text)
	}
	return named
}

// jsonLike is a YAML value as editors take it.
func jsonLike(t testing.TB, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = jsonLike(t, n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		l := make([]any, len(n.Content))
		for i, e := range n.Content {
			l[i] = jsonLike(t, e)
		}
		return l
	}
	switch n.ShortTag() {
	case "!!null", "!!bool", "!!int", "!!float":
		var v any
		if err := n.Decode(&v); err != nil {
			return n.Value
		}
		if _, err := json.Marshal(v); err != nil { // infinite
			return n.Value
		}
		return v
	}
	return n.Value
}

var (
	fakeEditor = sync.OnceValue(func() *editor { return newEditor(fatal{}, newCatalog()) })
	realEditor = sync.OnceValue(func() *editor { return newEditor(fatal{}, realCatalog(fatal{})) })
)

// TestWhatCompilesFitsTheFileSchema takes the cluster files of the whole repository.
func TestWhatCompilesFitsTheFileSchema(t *testing.T) {
	o := realOptions(t)
	n := 0
	for name, text := range clusterFiles(t) {
		r := cluster.Compile(name, []byte(text), o)
		if len(r.Errors()) > 0 && !strings.Contains(name, "first-example.mended") {
			continue
		}
		n++
		if err := realEditor().look(t, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n < 10 {
		t.Errorf("only %d files", n)
	}
	t.Log(n, "files")
}

// clusterFiles finds whole cluster files: files of their own, parts of scripts, and blocks of text.
func clusterFiles(t testing.TB) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		switch filepath.Ext(path) {
		case ".yml", ".yaml":
			found[path] = readFile(t, path)
		case ".txtar":
			for _, f := range txtar.Parse([]byte(readFile(t, path))).Files {
				if strings.HasSuffix(f.Name, ".yml") {
					found[path+" "+f.Name] = string(f.Data)
				}
			}
		case ".md":
			for i, block := range strings.Split(readFile(t, path), "```") {
				if text, ok := strings.CutPrefix(block, "yaml\n"); ok {
					found[fmt.Sprint(path, " ", i)] = text
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range found {
		if !strings.Contains(text, "version: 0.0.1b") {
			delete(found, name)
		}
	}
	return found
}

// fileSchemaSees are the codes of mistakes that the schema marks, and the cases of testdata/bad.txtar that it lets pass
// all the same.
var fileSchemaSees = map[string][]string{
	"ORB-C010": nil, "ORB-C011": nil, "ORB-C012": nil, "ORB-C014": nil, "ORB-C015": nil, "ORB-C017": nil, "ORB-C018": nil, "ORB-C021": nil,
	"ORB-C013": {"an sla that is too long", "an unknown time zone"}, // amounts are not counted out
	"ORB-C019": {"a cron out of range"},
	"ORB-C030": nil, "ORB-C031": nil, "ORB-C032": nil, "ORB-C034": nil,
	"ORB-C033": {"a program that does not parse inside a block"},
}

func TestTheFileSchemaMarksWhatItCan(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/bad.txtar")
	if err != nil {
		t.Fatal(err)
	}
	marked, seen := 0, map[string]bool{}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		name, text := archive.Files[i].Name, string(archive.Files[i].Data)
		var doc yaml.Node
		if yaml.Unmarshal([]byte(text), &doc) != nil {
			continue // the editor tells that it is not YAML
		}
		wrong := fakeEditor().look(t, text)
		if wrong != nil {
			marked++
		}
		code := compile(text).Errors()[0].Code
		letsPass, sees := fileSchemaSees[code]
		seen[code] = seen[code] || sees && wrong != nil
		switch excused := slices.Contains(letsPass, name); {
		case sees && wrong == nil && !excused:
			t.Errorf("%s (%s) is not marked:\n%s", name, code, text)
		case wrong != nil && excused:
			t.Errorf("%s is marked, though it is said not to be: %v", name, wrong)
		}
	}
	for code := range fileSchemaSees {
		if !seen[code] {
			t.Errorf("%s is never marked", code)
		}
	}
	t.Logf("%d of %d are marked", marked, len(archive.Files)/2)
}

func TestTheFileSchemaIsTheSameEachTime(t *testing.T) {
	first := cluster.FileSchema(realCatalog(t), nil)
	for range 5 {
		if !bytes.Equal(first, cluster.FileSchema(realCatalog(t), nil)) {
			t.Fatal("two schemas for one catalog")
		}
	}
	if cluster.FileSchema(nil, nil) == nil {
		t.Error("no schema without a catalog")
	}
}

// TestEveryKeyOfTheFileSchemaIsExplained: that is what an editor shows.
func TestEveryKeyOfTheFileSchemaIsExplained(t *testing.T) {
	var whole map[string]any
	if err := json.Unmarshal(cluster.FileSchema(realCatalog(t), nil), &whole); err != nil {
		t.Fatal(err)
	}
	for name, def := range whole["$defs"].(map[string]any) {
		def := def.(map[string]any)
		if strings.Contains(name, ".") {
			continue // satellites have tests of their own
		}
		forms, _ := def["anyOf"].([]any)
		for _, form := range append(forms, def) {
			keys, _ := form.(map[string]any)["properties"].(map[string]any)
			for key, value := range keys {
				value := value.(map[string]any)
				if title, _ := value["title"].(string); title == "" || strings.HasSuffix(title, ".") {
					t.Errorf("%s.%s: title %q", name, key, title)
				}
				if text, _ := value["description"].(string); !strings.HasSuffix(text, ".") {
					t.Errorf("%s.%s: description %q", name, key, text)
				}
			}
		}
	}
}

func BenchmarkFileSchema(b *testing.B) {
	c := realCatalog(b)
	for b.Loop() {
		cluster.FileSchema(c, nil)
	}
}

// realCatalog describes the built-in satellites.
func realCatalog(t testing.TB) cluster.Catalog {
	t.Helper()
	all, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// fatal is a testing.TB for values that all tests share.
type fatal struct{ testing.TB }

func (fatal) Helper()           {}
func (fatal) Fatal(args ...any) { panic(fmt.Sprint(args...)) }
