package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/catalog"
)

// satellitesCommand is `orbit satellites`.
type satellitesCommand struct {
	Name string `arg:"" optional:"" help:"The satellite: exospherehost/jq, or jq alone."`
}

// Help is the long help.
func (*satellitesCommand) Help() string {
	return "Shows the satellites that are built in; no gateway is asked. Those that are described but not run yet are marked as such."
}

// Run lists the satellites, or shows the manual page of one.
func (c *satellitesCommand) Run(_ context.Context, a *app) error {
	all, err := catalog.Specs()
	if err != nil {
		return err
	}
	if c.Name == "" {
		return a.listSatellites(all.Specs())
	}
	spec, ok := findSatellite(all, c.Name)
	switch {
	case !ok:
		return failf("there is no satellite %q; `orbit satellites` lists those there are", c.Name)
	case a.json():
		return a.printJSON(spec)
	}
	columns, _ := windowSize(a.stdout)
	m := &manual{width: min(columns, 100), color: a.colorOn(a.stdout)} // longer lines are hard to read
	_, err = a.stdout.Write(m.page(spec))
	return err
}

func (a *app) listSatellites(specs []*orbit.SatelliteSpec) error {
	if a.json() {
		return a.printJSON(map[string]any{"data": specs, "next": nil})
	}
	t := a.newTable("NAME POOL RUNS TITLE")
	for _, s := range specs {
		runs := "yes"
		if !s.Available {
			runs = "not yet"
		}
		t.add(s.Name, s.Pool, runs, s.Title)
	}
	return t.flush()
}

// findSatellite finds a satellite by its full name, an alias, or a name part that only one has.
func findSatellite(all *satellite.Registry, name string) (*orbit.SatelliteSpec, bool) {
	if spec, ok := all.Lookup(name); ok || strings.Contains(name, "/") {
		return spec, ok
	}
	var found []*orbit.SatelliteSpec
	for _, full := range all.Names() {
		if spec, _ := all.Lookup(full); strings.HasSuffix(full, "/"+name) && !slices.Contains(found, spec) {
			found = append(found, spec)
		}
	}
	if len(found) != 1 {
		return nil, false
	}
	return found[0], true
}
