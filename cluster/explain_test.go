package cluster_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/exospherehost/orbit/cluster"
	users "github.com/exospherehost/orbit/internal/compile"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite/catalog"
)

// usersOptions are those that orbit lint compiles with.
func usersOptions(t *testing.T) cluster.Options {
	t.Helper()
	satellites, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	return users.Options(satellites, placement.DefaultClasses())
}

func TestEveryExplanationHasAnExampleThatFailsAndItsCorrection(t *testing.T) {
	options := usersOptions(t)
	for _, e := range cluster.Explanations() {
		t.Run(e.Code, func(t *testing.T) {
			options := options
			if e.Code == "ORB-C085" { // told by a gateway, which knows what is stored
				options.Stored = func(string, string) bool { return false }
			}
			fails := cluster.Compile("fails.yml", []byte(cluster.Whole(e.Fails)), options)
			if e.Code == "ORB-C070" { // told by Format alone
				_, fails.Diagnostics = cluster.Format("fails.yml", []byte(cluster.Whole(e.Fails)))
			}
			told := 0
			for _, d := range fails.Diagnostics {
				if d.Code == e.Code {
					told++
				} else {
					t.Errorf("the example is also told %s", d)
				}
			}
			if told == 0 {
				t.Error("the example is not told its code")
			}
			mended := cluster.Compile("mended.yml", []byte(cluster.Whole(e.Mended)), options)
			for _, d := range mended.Diagnostics {
				t.Errorf("the correction is told %s", d)
			}
			a, b := e.Excerpts()
			if a == b || strings.Count(a, "\n") > 12 || strings.Count(b, "\n") > 12 {
				t.Errorf("the excerpts are\n%sand\n%s", a, b)
			}
			for _, text := range []string{e.Text, e.Why} {
				if !strings.HasSuffix(text, ".") {
					t.Errorf("no sentence: %q", text)
				}
			}
			if e.Title == "" || strings.HasSuffix(e.Title, ".") {
				t.Errorf("no title: %q", e.Title)
			}
		})
	}
}

func TestEveryCodeIsReportedAndExplained(t *testing.T) {
	codes := map[string]string{} // by the name of the constant
	used := map[string]bool{}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, value := range n.Values {
					if literal, ok := value.(*ast.BasicLit); ok && strings.HasPrefix(literal.Value, `"ORB-C`) && name == "codes.go" {
						codes[n.Names[i].Name], _ = strconv.Unquote(literal.Value)
					}
				}
			case *ast.Ident:
				used[n.Name] = used[n.Name] || name != "codes.go"
			}
			return true
		})
	}
	var explained []string
	for _, e := range cluster.Explanations() {
		explained = append(explained, e.Code)
	}
	if want := slices.Sorted(maps.Values(codes)); !slices.Equal(want, explained) {
		t.Errorf("the codes are\n%v\nexplained are\n%v", want, explained)
	}
	for name, code := range codes {
		if !used[name] {
			t.Errorf("%s, %s, is never reported", name, code)
		}
	}
	if len(codes) < 45 {
		t.Errorf("only %d codes were found", len(codes))
	}
}

func TestAnUnknownCodeIsNotExplained(t *testing.T) {
	if _, ok := cluster.Explain("ORB-C999"); ok {
		t.Error("a code that is none is explained")
	}
}
