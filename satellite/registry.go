package satellite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
)

// Registry knows satellites by name and alias: those that run here, and those of which only the description is known.
// It is built once and then only read.
type Registry struct {
	specs  map[string]*Spec // by full name and by alias
	code   map[string]Satellite
	sorted []*Spec
}

// NewRegistry holds the given satellites.
func NewRegistry(satellites ...Satellite) (*Registry, error) {
	r := &Registry{specs: map[string]*Spec{}, code: map[string]Satellite{}}
	for _, s := range satellites {
		if err := r.Add(s); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Add registers a satellite. A name that is taken is an error.
func (r *Registry) Add(s Satellite) error {
	spec := s.Spec()
	if err := r.Describe(spec); err != nil {
		return err
	}
	r.code[spec.Name] = s
	return nil
}

// Describe registers a satellite of which this process has no code.
func (r *Registry) Describe(spec *Spec) error {
	for _, name := range append([]string{spec.Name}, spec.Aliases...) {
		if strings.Count(name, "/") != 1 {
			return fmt.Errorf("satellite %q: a name is written project/name", name)
		}
		if _, taken := r.specs[name]; taken {
			return fmt.Errorf("satellite %s: the name is taken", name)
		}
	}
	for _, name := range append([]string{spec.Name}, spec.Aliases...) {
		r.specs[name] = spec
	}
	at, _ := slices.BinarySearchFunc(r.sorted, spec.Name, func(s *Spec, name string) int { return strings.Compare(s.Name, name) })
	r.sorted = slices.Insert(r.sorted, at, spec)
	return nil
}

// Lookup finds a satellite's description by what a cluster writes after `uses:`, with or without "satellite/".
func (r *Registry) Lookup(name string) (*orbit.SatelliteSpec, bool) {
	spec, ok := r.specs[strings.TrimPrefix(name, "satellite/")]
	return spec, ok
}

// Satellite finds the code of a satellite; false where this process has none.
func (r *Registry) Satellite(name string) (Satellite, bool) {
	spec, ok := r.Lookup(name)
	if !ok {
		return nil, false
	}
	s, ok := r.code[spec.Name]
	return s, ok
}

// Specs lists every description by name.
func (r *Registry) Specs() []*Spec { return r.sorted }

// Names lists every name and alias; the compiler looks for the nearest one when a name is unknown.
func (r *Registry) Names() []string {
	names := make([]string, 0, len(r.specs))
	for name := range r.specs {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
