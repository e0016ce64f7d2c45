package custom

import (
	"fmt"

	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/exec"
	"github.com/exospherehost/orbit/satellite/remote"
)

// Open makes the satellite. Nothing is started before there is an item. One that is an io.Closer must be closed.
func (d *Definition) Open(registry *satellite.Registry) (satellite.Satellite, error) {
	switch {
	case d.Program != nil:
		return exec.New(*d.Program), nil
	case d.URL != "":
		return remote.New(d.Spec, d.URL), nil
	}
	base, ok := registry.Satellite(d.Preset.Uses)
	if !ok {
		return nil, d.doc.wrong(d.lines["preset"], "this node has no code for %s, which %s is a preset over", d.Preset.Uses, d.Spec.Name)
	}
	return newPreset(d.Spec, base, d.Preset.Config)
}

// Set are the satellites of several folders.
type Set struct {
	Satellites []satellite.Satellite
}

// OpenAll reads the folders in their order, adds their satellites to the registry and opens them. Close ends them.
func OpenAll(dirs []string, registry *satellite.Registry) (*Set, error) {
	set := &Set{}
	for _, dir := range dirs {
		d, err := Read(dir, registry)
		if err != nil {
			set.Close()
			return nil, fmt.Errorf("the satellite in %s cannot be used: %w", dir, err)
		}
		s, err := d.Open(registry)
		if err == nil {
			set.Satellites = append(set.Satellites, s)
			err = registry.Add(s)
		}
		if err != nil {
			set.Close()
			return nil, fmt.Errorf("the satellite in %s cannot be used: %w", dir, err)
		}
	}
	return set, nil
}

// Specs describes them.
func (s *Set) Specs() []*satellite.Spec {
	var specs []*satellite.Spec
	for _, one := range s.Satellites {
		specs = append(specs, one.Spec())
	}
	return specs
}

// Close ends what they have running. Nil has nothing.
func (s *Set) Close() {
	if s == nil {
		return
	}
	for _, one := range s.Satellites {
		if c, ok := one.(interface{ Close() error }); ok {
			_ = c.Close() // theirs never fails
		}
	}
}
