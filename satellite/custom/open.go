package custom

import (
	"errors"
	"fmt"

	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/exec"
	"github.com/exospherehost/orbit/satellite/remote"
)

// Open makes the satellite. Nothing is started before there is an item. One that is an io.Closer must be closed.
func (d *Definition) Open(registry *satellite.Registry) (satellite.Satellite, error) {
	switch {
	case d.Program != nil:
		return newChecked(exec.New(*d.Program))
	case d.URL != "":
		return newChecked(remote.New(d.Spec, d.URL))
	}
	base, ok := registry.Satellite(d.Preset.Uses)
	if !ok {
		return nil, d.doc.wrong(d.lines["preset"], "this node has no code for %s, which %s is a preset over", d.Preset.Uses, d.Spec.Name)
	}
	return newPreset(d.Spec, base, d.Preset.Config)
}

// Describe reads the folders in their order and adds their descriptions to the registry: for who compiles and runs nothing.
func Describe(dirs []string, registry *satellite.Registry) ([]*satellite.Spec, error) {
	var specs []*satellite.Spec
	for _, dir := range dirs {
		d, err := Read(dir, registry)
		if err == nil {
			err = registry.Describe(d.Spec)
		}
		if err != nil {
			return nil, unusable(dir, err)
		}
		specs = append(specs, d.Spec)
	}
	return specs, nil
}

func unusable(dir string, err error) error {
	var own *Mistake
	if errors.As(err, &own) { // it names the file
		return err
	}
	return fmt.Errorf("the satellite in %s cannot be used: %w", dir, err)
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
			return nil, unusable(dir, err)
		}
		s, err := d.Open(registry)
		if err == nil {
			set.Satellites = append(set.Satellites, s)
			err = registry.Add(s)
		}
		if err != nil {
			set.Close()
			return nil, unusable(dir, err)
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
