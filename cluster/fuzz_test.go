package cluster_test

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/exospherehost/orbit/cluster"
)

// FuzzCompile: whatever comes in, there is a plan or an error, each diagnostic has a place in the file, and a plan
// survives its JSON.
func FuzzCompile(f *testing.F) {
	for _, name := range []string{"bad", "several", "warned", "good"} {
		archive, err := txtar.ParseFile("testdata/" + name + ".txtar")
		if err != nil {
			f.Fatal(err)
		}
		for i := 0; i < len(archive.Files); i += 2 {
			f.Add(archive.Files[i].Data)
		}
	}
	f.Add([]byte(chain))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := compile(string(text))
		if (r.Plan == nil) != (len(r.Errors()) > 0) {
			t.Fatalf("plan %v, %d errors", r.Plan != nil, len(r.Errors()))
		}
		seen := map[cluster.Diagnostic]bool{}
		for _, d := range r.Diagnostics {
			if d.Line < 1 || d.Column < 1 || d.Message == "" || !utf8.ValidString(d.Message+d.Hint) {
				t.Fatalf("no place or no message: %+v", d)
			}
			if _, ok := cluster.Explain(d.Code); !ok {
				t.Fatalf("no code: %+v", d)
			}
			if seen[d] {
				t.Fatalf("told twice: %v", d)
			}
			seen[d] = true
		}
		if !slices.IsSortedFunc(r.Diagnostics, func(a, b cluster.Diagnostic) int {
			if a.Line != b.Line {
				return a.Line - b.Line
			}
			return a.Column - b.Column
		}) {
			t.Fatalf("not in file order: %v", r.Diagnostics)
		}
		cluster.Render(io.Discard, r.Diagnostics, true)
		if r.Plan == nil {
			return
		}
		again, err := cluster.ParsePlan(r.Plan.Encode())
		if err != nil || again.Hash() != r.Plan.Hash() {
			t.Fatalf("%v: %s", err, r.Plan.Encode())
		}
	})
}

// FuzzExpression: whatever stands between ${{ and }} is read or refused with a place inside it; what is read resolves to a value
// or an error, and comes back from a plan's JSON as it was.
func FuzzExpression(f *testing.F) {
	for _, seed := range append(slices.Clone(readings), "secrets.A", "run.id", "cluster.sla == '6h'", "'it''s'", "!(1 < 2 && true) || null", "format('{0}{{', -1.5e3)", "satellites.a-b.output.x?[0]?.y", "((((", "a.b.") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		if !utf8.ValidString(source) { // a file that is no text is refused before
			return
		}
		e, err := cluster.ParseExpr(source)
		if err != nil {
			var place *cluster.PathError
			if errors.As(err, &place) && (place.Offset < 0 || place.Offset > len(source)) {
				t.Errorf("%q is refused at byte %d of %d", source, place.Offset, len(source))
			}
			return
		}
		scope := &cluster.Scope{Secrets: map[string]string{"A": "x"}, Values: map[string]any{"run": map[string]any{"id": "r"}},
			Output: func(string) (any, error) { return map[string]any{"x": []any{1, nil, map[string]any{"y": "z"}}}, nil }}
		before, errBefore := (&cluster.Template{Expr: e}).Resolve(scope)
		text, err := json.Marshal(&cluster.Template{Expr: e})
		if err != nil {
			t.Fatal(err)
		}
		var back cluster.Template
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		after, errAfter := back.Resolve(scope)
		if !reflect.DeepEqual(before, after) || (errBefore == nil) != (errAfter == nil) {
			t.Errorf("%q gives %v (%v), and from JSON %v (%v)", source, before, errBefore, after, errAfter)
		}
	})
}
