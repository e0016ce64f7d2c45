package cli

import (
	"context"
	"encoding/json"
	"os"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/catalog"
	"github.com/exospherehost/orbit/satellite/custom"
)

// registerSatellitesCommand is `orbit satellites register`.
type registerSatellitesCommand struct {
	Places []string `arg:"" name:"folder|file" help:"Folders with a satellite.yml, or files of descriptions as a node with satellites in Go prints them; - is stdin."`
}

// Help is the long help.
func (*registerSatellitesCommand) Help() string {
	return "What is sent is the description alone: schemas, hardware and limits, no code. Clusters of the satellite's project may use it at once. Nodes that are started with " +
		"--satellites and its folder run it; until there is one, its items wait.\n\n" +
		"All are checked before the first is sent."
}

// Run reads all descriptions, and then sends them.
func (c *registerSatellitesCommand) Run(ctx context.Context, a *app) error {
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	known, err := catalog.Specs()
	if err != nil {
		return err
	}
	var specs []*orbit.SatelliteSpec
	for _, place := range c.Places {
		found, err := a.describedIn(place, known)
		if err != nil {
			return err
		}
		specs = append(specs, found...)
	}
	for _, spec := range specs {
		text, err := json.Marshal(spec)
		if err != nil {
			return err
		}
		done, raw, err := client.Register(ctx, spec.Name, text)
		if err != nil {
			return err
		}
		switch {
		case a.json():
			err = a.printJSON(raw)
		case done.Created:
			err = a.print("%s registered, version %s", done.Name, done.Version)
		default:
			err = a.print("%s unchanged, version %s", done.Name, done.Version)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// describedIn gives the descriptions in a folder or file.
func (a *app) describedIn(place string, known *satellite.Registry) ([]*orbit.SatelliteSpec, error) {
	if info, err := os.Stat(place); place != "-" && err == nil && info.IsDir() {
		return custom.Describe([]string{place}, known)
	}
	text, err := a.read(place)
	if err != nil {
		return nil, err
	}
	var specs []*orbit.SatelliteSpec
	if json.Unmarshal(text, &specs) != nil {
		var one orbit.SatelliteSpec
		if json.Unmarshal(text, &one) != nil {
			return nil, failf("%s holds no descriptions of satellites; name a folder with a satellite.yml, or what `PROGRAM satellites` prints", shown(place))
		}
		specs = []*orbit.SatelliteSpec{&one}
	}
	for _, spec := range specs {
		if spec == nil {
			return nil, failf("%s holds a null where a description of a satellite belongs", shown(place))
		}
		if err := satellite.CheckSpec(spec); err != nil {
			return nil, failf("the satellite %s in %s cannot be registered: %w", spec.Name, shown(place), err)
		}
		if err := known.Describe(spec); err != nil {
			return nil, err
		}
	}
	return specs, nil
}

// removeSatelliteCommand is `orbit satellites remove`.
type removeSatelliteCommand struct {
	Name string `arg:"" help:"The satellite: project/name."`
}

// Run removes it.
func (c *removeSatelliteCommand) Run(ctx context.Context, a *app) error {
	name := strings.TrimPrefix(c.Name, "satellite/")
	if project, rest, ok := strings.Cut(name, "/"); !ok || project == "" || rest == "" || strings.Contains(rest, "/") {
		return failf("%q is no name of a satellite; write it like project/name, as `orbit satellites --mesh` shows it", c.Name)
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.RemoveSatellite(ctx, name); err != nil {
		return err
	}
	return a.print("%s removed", name)
}
