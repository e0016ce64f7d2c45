package cluster_test

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/exospherehost/orbit/cluster"
)

// shuffleKeys writes a file again with the keys of every map in another order.
func shuffleKeys(t interface{ Fatal(...any) }, text string, seed uint64) string {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 0))
	var shuffle func(n *yaml.Node)
	shuffle = func(n *yaml.Node) {
		if n.Tag == "!!null" {
			n.Value = "null" // an empty one would be written as empty text
		}
		if n.Kind == yaml.MappingNode {
			r.Shuffle(len(n.Content)/2, func(i, j int) {
				for k := range 2 {
					n.Content[2*i+k], n.Content[2*j+k] = n.Content[2*j+k], n.Content[2*i+k]
				}
			})
		}
		for _, c := range n.Content {
			shuffle(c)
		}
	}
	shuffle(&doc)
	out, err := yaml.Marshal(&doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestThePlanDoesNotDependOnTheOrderOfKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := randomCluster().Draw(t, "cluster").text()
		want := compile(text).Plan
		other := shuffleKeys(t, text, randomSeed().Draw(t, "order"))
		r := compile(other)
		if r.Plan == nil {
			t.Fatalf("it does not compile any more:\n%s\n%s", told(r.Diagnostics), other)
		}
		if !bytes.Equal(r.Plan.Encode(), want.Encode()) {
			t.Fatalf("%s\nis\n%s\nand of\n%s\nit is\n%s", text, want.Encode(), other, r.Plan.Encode())
		}
	})
}

// TestThePlanOfAnyFileDoesNotDependOnTheOrderOfKeys: the same for every file of the project that compiles.
func TestThePlanOfAnyFileDoesNotDependOnTheOrderOfKeys(t *testing.T) {
	files := clusterFiles(t)
	files["all spellings"] = allSpellings
	compiled := 0
	for name, text := range files {
		plan := cluster.Compile(name, []byte(text), builtIn()).Plan
		if plan == nil {
			continue
		}
		compiled++
		for seed := range uint64(5) {
			other := shuffleKeys(t, text, seed)
			r := cluster.Compile(name, []byte(other), builtIn())
			if r.Plan == nil {
				t.Errorf("%s does not compile any more:\n%s\n%s", filepath.Base(name), told(r.Diagnostics), other)
			} else if !bytes.Equal(r.Plan.Encode(), plan.Encode()) {
				t.Errorf("%s is\n%s\nand of\n%s\nit is\n%s", name, plan.Encode(), other, r.Plan.Encode())
			}
		}
	}
	if compiled < 5 {
		t.Errorf("only %d files compile", compiled)
	}
}

func TestARandomPlanSurvivesItsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := compile(randomCluster().Draw(t, "cluster").text()).Plan
		again, err := cluster.ParsePlan(plan.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.Encode(), plan.Encode()) || again.Hash() != plan.Hash() {
			t.Fatalf("first %s\nagain %s", plan.Encode(), again.Encode())
		}
	})
}

// FuzzPlanRoundTrip: whatever is read as a plan can be written, and what was written is read as the same.
func FuzzPlanRoundTrip(f *testing.F) {
	for _, text := range clusterFiles(f) {
		if plan := cluster.Compile("c.yml", []byte(text), builtIn()).Plan; plan != nil {
			f.Add(plan.Encode())
		}
	}
	for i := range 20 {
		f.Add(compile(randomCluster().Example(i).text()).Plan.Encode())
	}
	for _, text := range []string{"", "null", "{}", "[]", `{"steps":[null]}`, `{"steps":[{"identifier":"a"},{"identifier":"a"}]}`, `{"sla":"1h","SLA":"2h"}`} {
		f.Add([]byte(text))
	}
	for _, template := range []string{"null", "{}", `{"v":null}`, `{"v":1e999}`, `{"v":-0.0}`, `{"v":"\ud800<"}`, `{"v":12345678901234567890123}`, `{"v":{"b":1,"a":1,"a":2}}`,
		`{"e":""}`, `{"e":"a  ||b"}`, `{"e":"'x'"}`, `{"e":"!(1==2)"}`, `{"e":"-1e5 > 0.50"}`, `{"t":[]}`, `{"t":[{}]}`, `{"t":[{"v":"x","e":"run.id"}]}`, `{"m":[]}`,
		`{"m":[{"k":"a","v":null},{"k":"a","v":{"v":1}}]}`, `{"l":[null]}`, `{"l":[]}`, `{"l":[{"l":[{"e":"satellites.a.output.b?[0]"}]}],"v":1}`} {
		f.Add([]byte(`{"steps":[{"config":` + template + `,"input":` + template + `}]}`))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		plan, err := cluster.ParsePlan(text)
		if err != nil {
			return
		}
		once := plan.Encode()
		again, err := cluster.ParsePlan(once)
		if err != nil {
			t.Fatalf("%v: %s", err, once)
		}
		if !bytes.Equal(again.Encode(), once) || again.Hash() != plan.Hash() {
			t.Fatalf("once  %s\ntwice %s", once, again.Encode())
		}
	})
}

// TestDamagedClustersArePlansOrErrors: whatever happens to a file, compiling it gives one or the other.
func TestDamagedClustersArePlansOrErrors(t *testing.T) {
	plans, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		text := randomCluster().Draw(t, "cluster").text()
		for range 1 + evenly(t, 2, "damages") {
			text = damaged(t, text)
		}
		r := compile(text)
		if (r.Plan == nil) != (len(r.Errors()) > 0) {
			t.Fatalf("plan: %v, errors: %s\n%s", r.Plan != nil, told(r.Errors()), text)
		}
		if r.Plan == nil {
			refused++
			return
		}
		plans++
		if slices.ContainsFunc(r.Plan.Steps, func(s cluster.Step) bool { return s.If != "" }) {
			return // the oracle reads conditions as they are drawn, and not what has become of them
		}
		if o := interpret(r.Plan, seeded(2)); !o.Verdict.Terminal() {
			t.Fatalf("the run ends as %q", o.Verdict)
		}
	})
	t.Log(plans, "plans,", refused, "refused")
}

// damaged is a text with one thing done to it: a line lost, doubled or moved, a word in place of another, a character more
// or less.
func damaged(t *rapid.T, text string) string {
	lines := strings.SplitAfter(text, "\n")
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" {}[],:\n", r) })
	if len(words) == 0 {
		return text
	}
	i, j := evenly(t, len(lines), "line"), evenly(t, len(lines), "other line")
	at := evenly(t, len(text), "place")
	const marks = "{}[],:'\"&*|>#\t-$0 \n"
	switch evenly(t, 6, "damage") {
	case 0:
		lines[i] = ""
	case 1:
		lines[i] += lines[i]
	case 2:
		lines[i], lines[j] = lines[j], lines[i]
	case 3:
		lines[i] = strings.Replace(lines[i], words[evenly(t, len(words), "word")], words[evenly(t, len(words), "other word")], 1)
	case 4:
		return text[:at] + text[at+1:]
	default:
		return text[:at] + string(marks[evenly(t, len(marks), "character")]) + text[at:]
	}
	return strings.Join(lines, "")
}
