package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	quoted = regexp.MustCompile("`([^`]+)`")
	goFile = regexp.MustCompile(`^[\w./-]+\.go$`)
	// `launch()` and `Gateway.Stop()` are functions; other words in backticks are not looked at.
	goFunc = regexp.MustCompile(`^(?:(\w+)\.)?(\w+)\(\)$`)
)

func architecture(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatalf("ARCHITECTURE.md cannot be read (%v); it belongs at the top of the repository", err)
	}
	return string(text)
}

// lifeOfARun is the section of ARCHITECTURE.md where a reader begins.
func lifeOfARun(t *testing.T) string {
	t.Helper()
	_, rest, ok := strings.Cut(architecture(t), "Life of a run")
	if !ok {
		t.Fatal("ARCHITECTURE.md has no section \"Life of a run\"; that is where a reader begins")
	}
	section, _, _ := strings.Cut(rest, "\n## ")
	return section
}

func TestLifeOfARunNamesFilesAndFunctionsThatExist(t *testing.T) {
	section := lifeOfARun(t)
	files := map[string]bool{}
	for _, m := range quoted.FindAllStringSubmatch(section, -1) {
		if name := m[1]; goFile.MatchString(name) {
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("\"Life of a run\" in ARCHITECTURE.md names %s, which does not exist", name)
				continue
			}
			files[name] = true
		}
	}
	if len(files) < 5 {
		t.Errorf("\"Life of a run\" in ARCHITECTURE.md names %d files; the main path has more", len(files))
	}
	declared := map[string]bool{}
	for name := range files {
		functions(t, filepath.Join(root, name), declared)
	}
	for _, m := range quoted.FindAllStringSubmatch(section, -1) {
		if f := goFunc.FindStringSubmatch(m[1]); f != nil && !declared[strings.TrimSuffix(m[1], "()")] {
			t.Errorf("\"Life of a run\" in ARCHITECTURE.md names %s, which none of its files declares", m[1])
		}
	}
}

// functions notes the functions of a file: "f" and, for methods, "T.f" and "f".
func functions(t *testing.T, file string, into map[string]bool) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	note := func(name string) { into[name], into[f.Name.Name+"."+name] = true, true }
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		note(fn.Name.Name)
		if fn.Recv == nil || len(fn.Recv.List) != 1 {
			continue
		}
		typ := fn.Recv.List[0].Type
		if star, ok := typ.(*ast.StarExpr); ok {
			typ = star.X
		}
		if id, ok := typ.(*ast.Ident); ok {
			into[id.Name+"."+fn.Name.Name] = true
		}
	}
}

func TestFilesThatArchitectureNamesExist(t *testing.T) {
	for _, m := range quoted.FindAllStringSubmatch(architecture(t), -1) {
		if name := m[1]; goFile.MatchString(name) {
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("ARCHITECTURE.md names %s, which does not exist", name)
			}
		}
	}
}
