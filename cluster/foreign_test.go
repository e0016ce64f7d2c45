package cluster_test

import (
	"strings"
	"testing"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
)

func TestASatelliteOfAProjectIsForItsClustersAlone(t *testing.T) {
	catalog := fakeCatalog{
		"acme/count":    {Name: "acme/count", Kind: "custom", Pool: "project-acme"},
		"acme/hook":     {Name: "acme/hook", Kind: "configured", Pool: "project-acme"},
		"models/small":  {Name: "models/small", Kind: "configured", Pool: "model-small"},
		"acme/in-go":    {Name: "acme/in-go", Kind: "custom", Pool: orbit.CorePool},
		"people/common": {Name: "people/common", Kind: "community", Pool: orbit.CorePool},
	}
	for _, c := range []struct {
		uses, project string
		told          bool
	}{
		{"acme/count", "acme", false}, {"acme/count", "other", true}, {"satellite/acme/hook", "other", true}, {"acme/in-go", "other", true},
		{"models/small", "other", false}, {"people/common", "other", false}, {"acme/hook", "acme", false},
	} {
		text := "version: 0.0.1b\ncluster:\n  identifier: " + c.project + "/a\n  sla: 6h\n  trigger: api-call\n  satellites:\n    - uses: " + c.uses + "\n"
		r := cluster.Compile("f.yml", []byte(text), cluster.Options{Catalog: catalog})
		if !c.told {
			if r.Plan == nil {
				t.Errorf("%s in a cluster of %s: %v", c.uses, c.project, r.Diagnostics)
			}
			continue
		}
		if len(r.Errors()) != 1 || r.Errors()[0].Line != 7 || r.Errors()[0].Column != 13 || r.Errors()[0].Code != "ORB-C030" ||
			!strings.Contains(r.Errors()[0].Message, "is the project acme's own, and this cluster is of the project \"other\"") || !strings.Contains(r.Errors()[0].Hint, "acme/…") {
			t.Errorf("%s in a cluster of %s: %v", c.uses, c.project, r.Diagnostics)
		}
	}
}
