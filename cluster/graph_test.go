package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/exospherehost/orbit/cluster"
)

// drawn gives the steps of a plan, a line each: parents > identifier, depth, join.
func drawn(p *cluster.Plan) string {
	var b strings.Builder
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "%s>%s %d", strings.Join(s.Parents, ","), s.Identifier, s.Depth)
		if s.Join != nil {
			fmt.Fprintf(&b, " %s %s", s.Join.Scope, s.Join.Strategy)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestEdges(t *testing.T) {
	for name, c := range map[string]struct{ steps, want string }{
		"each follows the one before it":          {step("a", "") + step("b", "") + step("c", ""), ">a 1\na>b 2\nb>c 3\n"},
		"parents: [] makes a root":                {step("a", "") + step("b", "parents: []") + step("c", ""), ">a 1\n>b 1\nb>c 2\n"},
		"one parent may be a word":                {step("a", "") + step("b", "") + step("c", "parents: a"), ">a 1\na>b 2\na>c 2\n"},
		"children fan out":                        {step("a", "children: [b, c]") + step("b", "") + step("c", "") + step("d", ""), ">a 1\na>b 2\na>c 2\nc>d 3\n"},
		"parents and children are united":         {step("a", "children: [b]") + step("b", "parents: [a]"), ">a 1\na>b 2\n"},
		"an edge into an explicit root":           {step("a", "children: [b]") + step("b", "parents: []"), ">a 1\na>b 2\n"},
		"parents come before their children":      {step("a", "parents: [c]") + step("b", "parents: []") + step("c", "parents: []"), ">b 1\n>c 1\nc>a 2\n"},
		"a diamond joins at its top":              {step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + step("d", "parents: [c, b]"), ">a 1\na>b 2\na>c 2\nb,c>d 2 a all-success\n"},
		"two roots join in the run":               {step("a", "") + step("b", "parents: []") + step("c", "parents: [a, b]"), ">a 1\n>b 1\na,b>c 1 run all-success\n"},
		"the nearest common satellite":            {step("x", "") + step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + step("d", "parents: [b, c]") + step("e", ""), ">x 1\nx>a 2\na>b 3\na>c 3\nb,c>d 3 a all-success\nd>e 4\n"},
		"a parent counts as its own lineage":      {step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a, b]"), ">a 1\na>b 2\na,b>c 2 a all-success\n"},
		"unites names a farther scope":            {step("x", "") + step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + step("d", "parents: [b, c], unites: {identifier: x, strategy: all-done}"), ">x 1\nx>a 2\na>b 3\na>c 3\nb,c>d 2 x all-done\n"},
		"unites with the run":                     {step("a", "") + step("b", "unites: {identifier: run}"), ">a 1\na>b 1 run all-success\n"},
		"unites with one parent":                  {step("a", "") + step("b", "") + step("c", "unites: {identifier: a, strategy: all-done, min-success: 95%}"), ">a 1\na>b 2\nb>c 2 a all-done\n"},
		"through a join lineage goes on":          {step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + step("d", "parents: [b, c]") + step("e", "parents: [d]") + step("f", "parents: [e, c]"), ">a 1\na>b 2\na>c 2\nb,c>d 2 a all-success\nd>e 3\nc,e>f 2 a all-success\n"},
		"failure steps have a chain of their own": {step("a", "") + "  failure:\n    satellites:\n  " + step("f", "") + "  " + step("g", ""), ">a 1\n>f 1\nf>g 2\n"},
		"failure comes before logs":               {step("a", "") + "  logs:\n    satellites:\n  " + step("l", "") + "  failure:\n    satellites:\n  " + step("f", ""), ">a 1\n>f 1\n>l 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, drawn(must(t, head+c.steps))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMinSuccessIsAShareOrACount(t *testing.T) {
	join := "unites: {identifier: a, strategy: all-done, min-success: %s}"
	p := must(t, head+step("a", "")+step("b", fmt.Sprintf(join, "95.5%"))+step("c", fmt.Sprintf(join, "3")))
	if p.Steps[1].Join.MinPercent != 95.5 || p.Steps[2].Join.MinCount != 3 {
		t.Errorf("%+v %+v", p.Steps[1].Join, p.Steps[2].Join)
	}
}

// carried gives what the steps carry: identifier: step(fields) ….
func carried(p *cluster.Plan) string {
	var b strings.Builder
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "%s:", s.Identifier)
		for _, l := range s.Live {
			fmt.Fprintf(&b, " %s(%s)%s", l.Step, strings.Join(l.Fields, ","), map[bool]string{true: "*"}[l.Many])
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestLiveValues(t *testing.T) {
	reads := func(id, path, more string) string {
		if more != "" {
			more = ", " + more
		}
		return fmt.Sprintf("    - {uses: exospherehost/jq, identifier: %s, config: {query: .}, input: {x: \"${{ %s }}\"}%s}\n", id, path, more)
	}
	failure := "  failure:\n    from: %s\n    satellites:\n  "
	for name, c := range map[string]struct{ steps, want string }{
		"nothing is read":           {step("a", "") + step("b", ""), "a:\nb:\n"},
		"the parent travels anyway": {step("a", "") + reads("b", "satellites.a.output.x", ""), "a:\nb:\n"},
		"a grandparent's field":     {step("a", "") + step("b", "") + reads("c", "satellites.a.output.x.y[0]", ""), "a:\nb:\nc: a(x)\n"},
		"carried by all between":    {step("a", "") + step("b", "") + step("c", "") + reads("d", "satellites.a.output.x", ""), "a:\nb:\nc: a(x)\nd: a(x)\n"},
		"fields of several readers": {step("a", "") + step("b", "") + reads("c", "satellites.a.output.y", "") + reads("d", "satellites.a.output.x", ""), "a:\nb:\nc: a(x,y)\nd: a(x)\n"},
		"the whole output":          {step("a", "") + step("b", "") + reads("c", "satellites.a.output", "") + reads("d", "satellites.a.output.x", ""), "a:\nb:\nc: a()\nd: a(x)\n"},
		"a position is the whole":   {step("a", "") + step("b", "parents: [a]") + step("j", "unites: {identifier: run}") + reads("c", "satellites.a.output[0].x", ""), "a:\nb:\nj: a()* b()*\nc: a()*\n"},
		"lists below a join": {step("r", "") + step("a", "parents: [r]") + step("b", "parents: [a]") + step("j", "unites: {identifier: r}") +
			reads("c", "satellites.a.output.x", "") + reads("d", "satellites.r.output.y", ""), "r:\na:\nb:\nj: a(x)* b()* r(y)\nc: a(x)* r(y)\nd: r(y)\n"},
		"a field that may be missing": {step("a", "") + step("b", "") + reads("c", "satellites.a.output.x?.y", ""), "a:\nb:\nc: a(x)\n"},
		"only the branch that reads":  {step("a", "") + step("b", "") + reads("c", "satellites.a.output.x", "parents: [b]") + step("d", "parents: [b]"), "a:\nb:\nc: a(x)\nd:\n"},
		"the payload at a root":       {reads("a", "trigger.payload.x", "") + step("b", ""), "a:\nb:\n"},
		"the payload below a root":    {step("a", "") + step("b", "") + reads("c", "trigger.payload.x", ""), "a:\nb: $trigger(x)\nc: $trigger(x)\n"},
		"the whole payload":           {step("a", "") + reads("b", "trigger.payload", ""), "a:\nb: $trigger()\n"},
		"two ancestors, sorted":       {step("z", "") + step("a", "") + step("b", "") + reads("c", "satellites.z.output.x", "") + reads("d", "satellites.a.output.x", ""), "z:\na:\nb: z(x)\nc: a(x) z(x)\nd: a(x)\n"},
		"inside an operation":         {step("a", "") + step("b", "") + reads("c", "length(satellites.a.output.x) > 2 || satellites.a.output.y", ""), "a:\nb:\nc: a(x,y)\n"},
		"in a condition":              {step("a", "") + step("b", "") + step("c", "if: \"${{ satellites.a.output.x == 1 }}\""), "a:\nb:\nc: a(x)\n"},
		"a join carries its parents":  {step("a", "") + step("b", "parents: [a]") + step("c", "parents: [a]") + reads("d", "satellites.b.output.x", "parents: [b, c]"), "a:\nb:\nc:\nd: b(x)*\n"},
		"a failure step reads an ancestor of from": {step("a", "") + step("b", "") + step("c", "") + fmt.Sprintf(failure, "b") + reads("f", "satellites.a.output.x", ""),
			"a:\nb:\nc: a(x)\nf: a(x)\n"},
		"a failure step below reads it": {step("a", "") + step("b", "") + step("c", "") + fmt.Sprintf(failure, "c") + step("f", "") + "  " + reads("g", "satellites.a.output.x", ""),
			"a:\nb:\nc: a(x)\nf: a(x)\ng: a(x)\n"},
		"beside from nothing is carried": {step("a", "") + step("b", "") + step("c", "parents: [b]") + step("d", "parents: [b]") + fmt.Sprintf(failure, "c") + reads("f", "satellites.a.output.x", ""),
			"a:\nb:\nc: a(x)\nd:\nf: a(x)\n"},
		"without from all may fail": {step("a", "") + step("b", "") + step("c", "") + "  failure:\n    satellites:\n  " + reads("f", "satellites.a.output.x?", ""),
			"a:\nb:\nc: a(x)\nf: a(x)\n"},
		"the error is no output": {step("a", "") + step("b", "") + step("c", "") + fmt.Sprintf(failure, "b") + reads("f", "satellites.a.output.error", ""),
			"a:\nb:\nc:\nf:\n"},
		"failure steps read each other": {step("a", "") + "  failure:\n    satellites:\n  " + step("f", "") + "  " + step("g", "") + "  " + reads("h", "satellites.f.output.x", ""),
			"a:\nf:\ng:\nh: f(x)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, carried(must(t, head+c.steps))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGrantsComeFromTheNearestAncestorThatFoundFiles(t *testing.T) {
	text := strings.Replace(head, "  satellites:\n", "  secrets: {A: a, B: b, C: c}\n  satellites:\n", 1) + `    - {uses: exospherehost/get-files, identifier: far, config: {provider: file, secrets: {AWS_ACCESS_KEY: "${{ secrets.A }}", region: eu-1}}}
    - {uses: exospherehost/jq, identifier: between, config: {query: .}}
    - {uses: exospherehost/put-files, identifier: near, config: {folder-path: /x, file-name: y, secrets: [{KEY: "${{ secrets.B }}"}, {other: "${{ trigger.payload.x }}"}]}}
    - {uses: exospherehost/put-files, identifier: none, config: {folder-path: /x, file-name: y}}
    - {uses: exospherehost/parse-pdf, identifier: parse, config: {secrets: {OWN: "${{ secrets.C }}"}}}
  failure:
    from: parse
    satellites:
      - {uses: exospherehost/move-file, identifier: move}
`
	p := must(t, text)
	for _, id := range []string{"parse", "move"} {
		s, _ := p.Step(id)
		var got []string
		for _, g := range s.Grants {
			v, err := g.Secrets.Resolve(&cluster.Scope{Secrets: map[string]string{"A": "1", "B": "2", "0-far-secrets-region-960bcda4": "eu-1"}})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(g.Step, " ", v))
		}
		if diff := cmp.Diff([]string{"near map[KEY:2]", "far map[AWS_ACCESS_KEY:1 region:eu-1]"}, got); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
	}
	parse, _ := p.Step("parse")
	if diff := cmp.Diff([]string{"0-far-secrets-region-960bcda4", "A", "B", "C"}, parse.Secrets); diff != "" {
		t.Error(diff)
	}
	if between, _ := p.Step("between"); between.Grants != nil || between.Secrets != nil {
		t.Error("a step that reads no files has grants")
	}
}
