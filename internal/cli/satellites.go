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
	Show     showSatellitesCommand     `cmd:"" default:"withargs" help:"List the satellites there are, or show the manual page of one (the default)."`
	Register registerSatellitesCommand `cmd:"" help:"Make satellites of your own known to the gateway."`
	Remove   removeSatelliteCommand    `cmd:"" help:"Remove a registered satellite from the gateway."`
	Test     testSatelliteCommand      `cmd:"" help:"Check whether a satellite of your own keeps the contract of every satellite."`
}

// showSatellitesCommand is `orbit satellites` without more.
type showSatellitesCommand struct {
	Name string `arg:"" optional:"" help:"The satellite: exospherehost/jq, or jq alone."`
	Mesh bool   `help:"Ask the gateway: with the satellites that projects have registered."`
}

// Help is the long help.
func (*showSatellitesCommand) Help() string {
	return "Shows the satellites that are built in; no gateway is asked without --mesh. Those that are described but not run yet are marked as such."
}

// Run lists the satellites, or shows the manual page of one.
func (c *showSatellitesCommand) Run(ctx context.Context, a *app) error {
	all, err := catalog.Specs()
	if err != nil {
		return err
	}
	if c.Mesh {
		if all, err = a.satellitesOfMesh(ctx); err != nil {
			return err
		}
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

// satellitesOfMesh asks the gateway what clusters may use.
func (a *app) satellitesOfMesh(ctx context.Context) (*satellite.Registry, error) {
	client, err := a.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	all, err := satellite.NewRegistry()
	if err != nil {
		return nil, err
	}
	for page, err := range client.Satellites(ctx) {
		if err != nil {
			return nil, err
		}
		for _, raw := range page {
			spec, err := decode[*orbit.SatelliteSpec](raw)
			if err != nil {
				return nil, err
			}
			if err := all.Describe(spec); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func (a *app) listSatellites(specs []*orbit.SatelliteSpec) error {
	if a.json() {
		return a.printJSON(map[string]any{"data": specs, "next": nil})
	}
	t := a.newTable("NAME POOL TITLE")
	for _, s := range specs {
		t.add(s.Name, s.Pool, s.Title)
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
