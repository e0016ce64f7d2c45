package arch

import (
	"slices"
	"strings"
)

const module = "github.com/exospherehost/orbit"

// place says where a package lives and what it may import besides lower floors.
type place struct {
	floor  float64
	beside []string // packages of its own floor; "satellite/*" stands for every one below it
	never  []string // lower ones that are closed to it all the same
}

// The places of single packages; those that come in groups are in placeOf.
var places = map[string]place{
	"":                 {floor: 1},
	"configs":          {floor: 1},
	"internal/backup":  {floor: 1},
	"internal/fault":   {floor: 1},
	"internal/group":   {floor: 1},
	"internal/service": {floor: 1},

	"mesh":          {floor: 2, beside: []string{"mesh/*"}},
	"mesh/probe":    {floor: 2},
	"mesh/meshtest": {floor: 2},
	"streams":       {floor: 2},
	"kv":            {floor: 2, beside: []string{"vault"}}, // the one exception: a bucket has the type of what is in it, and that of secrets is vault.Sealed
	"vault":         {floor: 2},

	"vault/hashicorp": {floor: 2},

	"cluster":           {floor: 3},
	"placement":         {floor: 3},
	"satellite":         {floor: 3, beside: []string{"satellite/schema"}},
	"satellite/schema":  {floor: 3},
	"satellite/catalog": {floor: 3, beside: []string{"satellite", "satellite/*"}},
	"satellite/custom":  {floor: 3, beside: []string{"satellite", "satellite/*"}},

	// What several families share.
	"satellite/internal/service": {floor: 2.5},
	"satellite/internal/aws":     {floor: 2.5, beside: []string{"satellite/internal/service"}},

	"internal/compile": {floor: 3.5},

	"gateway": {floor: 4},
	"node":    {floor: 4},
	"web":     {floor: 4},

	"node/modelhost": {floor: 4}, // beside a node, and none imports the other: boot brings them together

	"internal/boot":      {floor: 4.5},
	"orbitnode":          {floor: 4.5, beside: []string{"internal/boot"}}, // the one door that is open to other modules
	"internal/localmesh": {floor: 4.5, beside: []string{"internal/boot", "internal/cli"}},
	"internal/apiclient": {floor: 4.5, never: []string{"gateway", "node", "web", "streams", "kv", "mesh"}},
	// A client of the API, like any other: it compiles, and asks a gateway for the rest.
	"internal/cli": {floor: 4.5, beside: []string{"internal/apiclient"}, never: []string{"gateway", "node", "web", "streams", "kv", "mesh", "vault"}},
}

// outside are free of the floors: they are no part of what runs, and nothing that runs may import them.
var outside = []string{"bench", "scripts", "examples", "sdk", "tools", "internal/standin", "internal/arch", "internal/orbittest", "internal/scripttest", "chaos", "internal/chaos"}

// placeOf finds a package, named without the module; ok is false where it has no place yet.
func placeOf(pkg string) (place, bool) {
	if p, ok := places[pkg]; ok {
		return p, true
	}
	if strings.HasPrefix(pkg, "cmd/") {
		return place{floor: 5}, true
	}
	if strings.HasPrefix(pkg, "satellite/") { // a family
		return place{floor: 3, beside: []string{"satellite", "satellite/schema"}}, true
	}
	if strings.HasPrefix(pkg, "web/") {
		return place{floor: 4, beside: []string{"web"}}, true
	}
	return place{}, false
}

func isOutside(pkg string) bool {
	return slices.ContainsFunc(outside, func(o string) bool { return pkg == o || strings.HasPrefix(pkg, o+"/") })
}

func matches(list []string, pkg string) bool {
	return slices.ContainsFunc(list, func(m string) bool {
		prefix, group := strings.CutSuffix(m, "*")
		return m == pkg || group && strings.HasPrefix(pkg, prefix)
	})
}

// pkg is a package as `go list` tells of it.
type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string // of its code, not of its tests
	GoFiles    []string
	CgoFiles   []string
}

// broken tells which imports of a package go against the floors, a sentence each.
func broken(p pkg) []string {
	name := local(p.ImportPath)
	if isOutside(name) {
		return nil
	}
	mine, ok := placeOf(name)
	if !ok {
		return []string{name + " has no floor: give it one in internal/arch and in ARCHITECTURE.md"}
	}
	var found []string
	for _, imp := range p.Imports {
		if imp != module && !strings.HasPrefix(imp, module+"/") {
			continue
		}
		other := local(imp)
		their, ok := placeOf(other)
		switch {
		case isOutside(other):
			found = append(found, show(name)+" imports "+show(other)+", which is no part of what runs")
		case !ok:
			found = append(found, show(name)+" imports "+show(other)+", which has no floor")
		case matches(mine.never, other):
			found = append(found, show(name)+" imports "+show(other)+", which is closed to it")
		case their.floor < mine.floor, matches(mine.beside, other):
		case their.floor == mine.floor:
			found = append(found, show(name)+" imports "+show(other)+", which is on its own floor")
		default:
			found = append(found, show(name)+" imports "+show(other)+", which is on a floor above")
		}
	}
	return found
}

func local(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }

func show(name string) string {
	if name == "" {
		return "orbit (the root package)"
	}
	return name
}
