package compile_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/internal/compile"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite/catalog"
)

var usedSecret = regexp.MustCompile(`secrets\.([A-Z0-9_]+)`)

// around is the smallest cluster that an example can stand in: behind a step get-files, unless it is one; among the log
// steps where it forwards logs, and among the failure steps where it speaks of a failure.
func around(spec *orbit.SatelliteSpec) string {
	var b strings.Builder
	b.WriteString("version: 0.0.1b\ncluster:\n  identifier: demo/example\n  sla: 6h\n  trigger: api-call\n")
	var names []string
	for _, m := range usedSecret.FindAllStringSubmatch(spec.Example, -1) {
		if !slices.Contains(names, m[1]) {
			names = append(names, m[1])
		}
	}
	if len(names) > 0 {
		b.WriteString("  secrets:\n")
		for _, name := range names {
			b.WriteString("    - " + name + ": {env: " + name + "}\n")
		}
	}
	b.WriteString("  satellites:\n")
	if !strings.Contains(spec.Example, "/get-files") {
		b.WriteString("    - uses: satellite/exospherehost/get-files\n      config: {provider: file, folder-path: /reports}\n")
	}
	switch {
	case strings.Contains(spec.Name, "logs"):
		b.WriteString("  logs:\n    satellites:\n")
	case strings.Contains(spec.Example, "failure."):
		b.WriteString("  failure:\n    satellites:\n")
	}
	for i, line := range strings.Split(strings.TrimSpace(spec.Example), "\n") {
		if i == 0 {
			b.WriteString("    - " + line + "\n")
		} else {
			b.WriteString("      " + line + "\n")
		}
	}
	return b.String()
}

func TestEveryExampleCompiles(t *testing.T) {
	satellites, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	options, found := compile.Options(satellites, placement.DefaultClasses()), 0
	for _, spec := range satellites.Specs() {
		if spec.Example == "" || len(spec.Failures) == 0 {
			t.Errorf("%s has no example, or does not say how it fails", spec.Name)
			continue
		}
		found++
		file := around(spec)
		r := cluster.Compile("example.yml", []byte(file), options)
		for _, d := range r.Diagnostics {
			t.Errorf("%s: %d:%d %s\n%s", spec.Name, d.Line, d.Column, d.Message, file)
		}
		if r.Plan == nil {
			t.Errorf("%s: no plan", spec.Name)
			continue
		}
		if !slices.ContainsFunc(r.Plan.Steps, func(s cluster.Step) bool { return s.Uses == spec.Name }) {
			t.Errorf("%s: the example is of another satellite", spec.Name)
		}
	}
	if found < 9 {
		t.Errorf("%d satellites have an example", found)
	}
}
