package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// picture is the house as ARCHITECTURE.md draws it; it is shown with every broken rule.
func picture(t *testing.T) string {
	t.Helper()
	_, rest, _ := strings.Cut(architecture(t), "## The house")
	_, rest, _ = strings.Cut(rest, "```\n")
	drawn, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Error("ARCHITECTURE.md has no picture under \"The house\"")
	}
	return drawn
}

// list asks the go command for every package of the module.
func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles,CgoFiles", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestPackagesImportLowerFloorsOnly(t *testing.T) {
	var found []string
	all := list(t)
	for _, p := range all {
		found = append(found, broken(p)...)
	}
	if len(found) > 0 {
		t.Errorf("%s\n%s", strings.Join(found, "\n"), picture(t))
	}
	if drawn := picture(t); !strings.Contains(drawn, "floor 5") || !strings.Contains(drawn, "floor 1") {
		t.Errorf("the picture in ARCHITECTURE.md has lost its floors:\n%s", drawn)
	}
	if len(all) < 20 {
		t.Errorf("go list told of %d packages only", len(all))
	}
}

// impure are the packages through which files, networks, processes and chance come in.
var impure = []string{"net", "net/http", "os", "os/exec", "os/signal", "syscall", "math/rand", "math/rand/v2", "crypto/rand", "log", "context"}

// clock are the functions of package time that ask for the time or wait for it.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

func TestClusterAndPlacementArePure(t *testing.T) {
	for _, p := range list(t) {
		name := local(p.ImportPath)
		if name != "cluster" && name != "placement" {
			continue
		}
		for _, imp := range p.Imports {
			if slices.Contains(impure, imp) {
				t.Errorf("%s imports %s; it is pure: values in, values out\n%s", name, imp, picture(t))
			}
		}
		if len(p.GoFiles) == 0 {
			t.Errorf("%s has no files", name)
		}
		for _, file := range p.GoFiles {
			for _, sentence := range impurities(t, filepath.Join(p.Dir, file), nil) {
				t.Errorf("%s/%s; the package is pure: take the time as an argument, return what is to be done", name, sentence)
			}
		}
	}
}

// impurities finds go statements and looks at the clock in a file.
func impurities(t *testing.T, file string, src any) (found []string) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	timeName := "" // what package time is called in this file
	for _, imp := range f.Imports {
		if path, _ := strconv.Unquote(imp.Path.Value); path == "time" {
			timeName = "time"
			if imp.Name != nil {
				timeName = imp.Name.Name
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		at := func(what string) {
			pos := fset.Position(n.Pos())
			found = append(found, fmt.Sprintf("%s:%d %s", filepath.Base(pos.Filename), pos.Line, what))
		}
		switch n := n.(type) {
		case *ast.GoStmt:
			at("starts a goroutine")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == timeName && x.Obj == nil && slices.Contains(clock, n.Sel.Name) {
				at("uses time." + n.Sel.Name)
			}
		}
		return true
	})
	return found
}

func TestBrokenFloorsAreNoticed(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"", "cluster", "orbit (the root package) imports cluster, which is on a floor above"},
		{"streams", "kv", "streams imports kv, which is on its own floor"},
		{"kv", "vault", ""},
		{"vault", "kv", "vault imports kv, which is on its own floor"},
		{"mesh", "mesh/probe", ""},
		{"streams", "internal/fault", ""},
		{"cluster", "placement", "cluster imports placement, which is on its own floor"},
		{"cluster", "configs", ""},
		{"satellite", "satellite/files", "satellite imports satellite/files, which is on its own floor"},
		{"satellite/files", "satellite", ""},
		{"satellite/files", "satellite/schema", ""},
		{"satellite/files", "satellite/pdf", "satellite/files imports satellite/pdf, which is on its own floor"},
		{"satellite/catalog", "satellite/pdf", ""},
		{"cluster", "internal/compile", "cluster imports internal/compile, which is on a floor above"},
		{"gateway", "internal/compile", ""},
		{"gateway", "node", "gateway imports node, which is on its own floor"},
		{"node", "gateway", "node imports gateway, which is on its own floor"},
		{"gateway", "internal/boot", "gateway imports internal/boot, which is on a floor above"},
		{"internal/boot", "gateway", ""},
		{"internal/boot", "internal/cli", "internal/boot imports internal/cli, which is on its own floor"},
		{"internal/localmesh", "internal/boot", ""},
		{"internal/cli", "gateway", "internal/cli imports gateway, which is closed to it"},
		{"internal/cli", "satellite/catalog", ""},
		{"cmd/orbit", "internal/localmesh", ""},
		{"cmd/orbit", "cmd/orbit-node", "cmd/orbit imports cmd/orbit-node, which is on its own floor"},
		{"node", "internal/orbittest", "node imports internal/orbittest, which is no part of what runs"},
		{"internal/orbittest", "cmd/orbit", ""},
		{"kv", "shed", "kv imports shed, which has no floor"},
		{"shed", "", "shed has no floor: give it one in internal/arch and in ARCHITECTURE.md"},
	} {
		got := strings.Join(broken(pkg{ImportPath: path(c.from), Imports: []string{"fmt", path(c.to), "github.com/exospherehost/orbital"}}), "; ")
		if got != c.want {
			t.Errorf("%s → %s: %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

func path(name string) string { return strings.TrimSuffix(module+"/"+name, "/") }

func TestImpuritiesAreNoticed(t *testing.T) {
	src := "package p\nimport clock \"time\"\nfunc f() clock.Duration {\n\tgo f()\n\tnow := clock.Now\n\t_ = now\n\treturn clock.Since(clock.Time{}) + clock.Second\n}\n"
	want := []string{"x.go:4 starts a goroutine", "x.go:5 uses time.Now", "x.go:7 uses time.Since"}
	if got := impurities(t, "x.go", src); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := impurities(t, "y.go", "package p\nfunc f(time interface{ Now() int }) { time.Now() }\n"); len(got) != 0 {
		t.Errorf("%q", got)
	}
}
