package cluster_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/satellite/catalog"
)

var secretOfExample = regexp.MustCompile(`secrets\.([A-Z0-9_]+)`)

func TestTheExamplesOfSatellitesCompile(t *testing.T) {
	satellites, err := catalog.Specs()
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range satellites.Specs() {
		if spec.Example == "" {
			continue
		}
		t.Run(spec.Name, func(t *testing.T) {
			var file strings.Builder
			file.WriteString("version: 0.0.1b\ncluster:\n  identifier: demo/example\n  sla: 6h\n  trigger: api-call\n  secrets:\n    OTHER: {env: UNUSED}\n")
			declared := map[string]bool{}
			for _, name := range secretOfExample.FindAllStringSubmatch(spec.Example, -1) {
				if !declared[name[1]] {
					file.WriteString("    " + name[1] + ": {env: " + name[1] + "}\n")
				}
				declared[name[1]] = true
			}
			file.WriteString("  satellites:\n")
			for line := range strings.Lines(spec.Example) {
				file.WriteString("    " + line)
			}
			for _, d := range cluster.Compile("example.yml", []byte(file.String()), usersOptions(t)).Diagnostics {
				if d.Severity == cluster.SeverityError {
					t.Errorf("%s\n%s", d, file.String())
				}
			}
		})
	}
}
