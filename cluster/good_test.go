package cluster_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/exospherehost/orbit/cluster"
)

// TestEachConstructHasItsPlan goes through testdata/good.txtar: pairs of a cluster file and its plan.
func TestEachConstructHasItsPlan(t *testing.T) {
	const name = "testdata/good.txtar"
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		file, want := archive.Files[i], &archive.Files[i+1]
		t.Run(file.Name, func(t *testing.T) {
			r := compile(string(file.Data))
			if r.Plan == nil {
				t.Fatalf("there is no plan:\n%s", rendered(r.Errors(), false))
			}
			for _, d := range r.Diagnostics {
				if !strings.HasPrefix(d.Message, "the value of a secret") && !strings.HasPrefix(d.Message, "the values of") {
					t.Errorf("told %v", d)
				}
			}
			again, err := cluster.ParsePlan(r.Plan.Encode())
			if err != nil || again.Hash() != r.Plan.Hash() {
				t.Errorf("the plan does not survive its JSON: %v", err)
			}
			got := planned(t, r.Plan)
			if strings.Contains(got, "CANARY") {
				t.Error("the plan holds the value of a secret")
			}
			if *update {
				want.Data = []byte(got)
				return
			}
			if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("the plan (-want +got):\n%s\nof:\n%s", diff, file.Data)
			}
		})
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// usual is what a plan has of a step that says nothing else; it is not shown.
var usual = map[string]string{"part": `"main"`, "parents": "[]", "children": "[]", "class": `"cpu"`, "pool": `"core"`, "depth": "1",
	"bundle_hint": "1", "join": "null", "resources": "{}", "timeout": `"0s"`}

// planned is a plan as the golden file has it: a line for each of its parts.
func planned(t *testing.T, p *cluster.Plan) string {
	var top map[string]any
	d := json.NewDecoder(bytes.NewReader(p.Encode()))
	d.UseNumber()
	if err := d.Decode(&top); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, list := range []string{"triggers", "secrets", "steps"} {
		entries, _ := top[list].([]any)
		delete(top, list)
		for _, e := range entries {
			entry := e.(map[string]any)
			head := strings.TrimSuffix(list, "s")
			if list == "steps" {
				head = entry["identifier"].(string)
				simplify(t, p, entry)
			}
			fmt.Fprintf(&b, "%s %s\n", head, compact(t, entry))
		}
	}
	return "cluster " + compact(t, top) + "\n" + b.String()
}

// simplify takes out of a step what goes without saying, and makes its templates readable.
func simplify(t *testing.T, p *cluster.Plan, step map[string]any) {
	if s, ok := p.Step(step["identifier"].(string)); ok && s.Retries == cluster.DefaultRetries {
		delete(step, "retries")
	}
	delete(step, "identifier")
	for key, value := range usual {
		if given, ok := step[key]; ok && compact(t, given) == value {
			delete(step, key)
		}
	}
	for _, key := range []string{"config", "input"} {
		if given, ok := step[key]; ok {
			step[key] = template(given)
		}
	}
	grants, _ := step["grants"].([]any)
	for _, g := range grants {
		g := g.(map[string]any)
		g["secrets"] = template(g["secrets"])
	}
}

// template is a stored template as one would write it, with ‹ › around expressions and = before one that stands alone.
func template(stored any) any {
	m := stored.(map[string]any)
	if expr, ok := m["e"]; ok {
		return fmt.Sprintf("=‹%s›", expr)
	}
	if text, ok := m["t"].([]any); ok {
		var b strings.Builder
		for _, piece := range text {
			piece := piece.(map[string]any)
			if expr, ok := piece["e"]; ok {
				fmt.Fprintf(&b, "‹%s›", expr)
			} else {
				fmt.Fprint(&b, piece["v"])
			}
		}
		return b.String()
	}
	if entries, ok := m["m"].([]any); ok {
		out := map[string]any{}
		for _, e := range entries {
			e := e.(map[string]any)
			out[e["k"].(string)] = template(e["v"])
		}
		return out
	}
	if items, ok := m["l"].([]any); ok {
		out := []any{}
		for _, e := range items {
			out = append(out, template(e))
		}
		return out
	}
	return m["v"]
}

func compact(t *testing.T, v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}
