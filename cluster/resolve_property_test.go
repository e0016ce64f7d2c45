package cluster_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/exospherehost/orbit/cluster"
)

// readings are expressions over an output O of test/typed, right and wrong ones for objects and for lists.
var readings = []string{
	"O", "O.name", "O.pages", "O.note", "O.tables", "O.tables.title", "O.tables[0]", "O.tables[0].title", "O.tables[1].rows", "O.tables.rows[0]", "O[0]", "O[0].name", "O[1].tables.title",
	"O.nam", "O.name.x", "O.pages[0]", "O.tables.titel", "O.tables[0][0]", "O.tables.title.x", "O.none?", "O.none?.x", "O.tables[0].none?", "O[0].none?",
	"length(O)", "length(O.name)", "length(O.pages)", "length(O.tables) > 1", "O.pages > 2", "O.name > 2", "O.pages < O.name", "O.name == 'a'", "!O.note || O.pages >= 1",
	"join(O.tables.title, '; ')", "join(O.name)", "contains(O.name, 'a')", "contains(O.pages, 1)", "contains(O.tables.title, 'a')", "startsWith(O.name, 'a')", "startsWith(O.tables, 'a')",
	"format('{0} of {1}', O.name, O.pages)", "format(O.pages, 1)", "toJSON(O.tables)", "fromJSON(toJSON(O)).name", "default(O.none?, 'x')", "length(join(O.tables.title))", "length(O.pages > 1)",
}

// typedOutput is an object that fits the output schema of test/typed, with every field, and lists of two or more.
func typedOutput(t *rapid.T) map[string]any {
	var tables []any
	for range rapid.IntRange(2, 4).Draw(t, "tables") {
		tables = append(tables, map[string]any{"title": rapid.StringMatching(`[a-c]{1,3}`).Draw(t, "title"), "rows": []any{1, "x"}})
	}
	var note any
	if rapid.Bool().Draw(t, "has a note") {
		note = "n"
	}
	return map[string]any{"name": rapid.StringMatching(`[a-c]{1,3}`).Draw(t, "name"), "pages": rapid.IntRange(0, 9).Draw(t, "pages"), "note": note, "tables": tables}
}

// TestEachReferenceThatCompilesResolves: what the compiler lets pass never fails for outputs that fit the schema, wherever joins
// lie. That it does not refuse everything is seen from the count.
func TestEachReferenceThatCompilesResolves(t *testing.T) {
	passed, refused := map[string]bool{}, map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		c := randomCluster().Draw(t, "cluster")
		for _, s := range c.main {
			s.kind = "uses: test/typed"
		}
		reader := rapid.SampledFrom(c.main).Draw(t, "reader")
		above := slices.DeleteFunc(slices.Clone(c.main), func(a *drawnStep) bool { return a == reader || !reader.above(a) })
		if len(above) == 0 {
			return
		}
		of := rapid.SampledFrom(above).Draw(t, "of").id
		for _, reading := range readings {
			text := replaceAll(reading, "satellites."+of+".output")
			reader.kind = fmt.Sprintf("uses: exospherehost/jq, config: {query: .}, input: {x: \"${{ %s }}\"}", text)
			r := compile(c.text())
			if r.Plan == nil {
				refused[reading] = true
				continue
			}
			passed[reading] = true
			step, _ := r.Plan.Step(reader.id)
			many := slices.ContainsFunc(step.Live, func(l cluster.Live) bool { return l.Step == of && l.Many })
			var value any = typedOutput(t)
			if many {
				value = []any{value, typedOutput(t)}
			}
			_, err := step.Input.Resolve(&cluster.Scope{Plan: r.Plan, Output: func(name string) (any, error) {
				if name != of {
					return nil, fmt.Errorf("%s is not asked for", name)
				}
				return value, nil
			}})
			if err != nil {
				t.Fatalf("%s compiles and does not resolve (a list: %v): %v\n%s", text, many, err, c.text())
			}
		}
	})
	for _, reading := range readings {
		if !passed[reading] && !refused[reading] {
			t.Errorf("%s was not tried", reading)
		}
	}
	for _, must := range []string{"O", "O.name", "O[0].name", "O.tables[0].title", "join(O.tables.title, '; ')", "O.pages > 2"} {
		if !passed[must] {
			t.Errorf("%s never compiles", must)
		}
	}
	for _, must := range []string{"O.nam", "O.name.x", "O.pages[0]", "O.tables.titel", "O.name > 2", "O.pages < O.name", "length(O.pages)", "length(O.pages > 1)", "join(O.name)", "O[0]"} {
		if !refused[must] {
			t.Errorf("%s always compiles", must)
		}
	}
}

func replaceAll(reading, output string) string {
	var out []byte
	for i := range len(reading) {
		if reading[i] == 'O' && (i == 0 || reading[i-1] < 'A' || reading[i-1] > 'z') && (i+1 == len(reading) || reading[i+1] < 'A' || reading[i+1] == '[') {
			out = append(out, output...)
			continue
		}
		out = append(out, reading[i])
	}
	return string(out)
}
