package files

import (
	"context"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// getFiles is exospherehost/get-files and its preset for S3.
type getFiles struct {
	spec     *satellite.Spec
	opener   *Opener
	provider string // where the config names none
}

// Spec implements satellite.Satellite.
func (g *getFiles) Spec() *satellite.Spec { return g.spec }

// Run lists the files and emits each as it is found, in byte order of their paths.
func (g *getFiles) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	name := text(inv.Config, "provider")
	if name == "" {
		name = g.provider
	}
	provider, err := providerNamed("provider", name)
	if err != nil {
		return err
	}
	filter, err := newFilter(inv.Config)
	if err != nil {
		return err
	}
	secrets := inv.Secrets()
	source, err := newSource(provider, inv.Config, secrets)
	if err != nil {
		return err
	}
	s, err := g.opener.store(source.at, secrets)
	if err != nil {
		return err
	}
	take := func(f found) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		o, err := f.object()
		if err != nil {
			return err
		}
		return emit(o)
	}
	if !source.single {
		return s.list(ctx, query{at: source.at, recursive: boolean(inv.Config, "recursive"), filter: filter}, take)
	}
	f, err := s.stat(ctx, source.at)
	if err != nil {
		return err
	}
	return take(f)
}

// result is what a satellite returns that has put a file somewhere.
func (p place) result(fields map[string]any) (orbit.Object, error) {
	fields["file-uri"], fields["file-path"] = p.uri(), p.path
	return orbit.NewObject(fields)
}
