package files

import (
	"context"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// The providers that are supported; s3 is another name of aws-s3.
const (
	providerFile = "file"
	providerS3   = "aws-s3"
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
	provider := text(inv.Config, "provider")
	if provider == "" {
		provider = g.provider
	}
	filter, err := newFilter(inv.Config)
	if err != nil {
		return err
	}
	found := func(f found) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		o, err := f.object()
		if err != nil {
			return err
		}
		return emit(o)
	}
	switch provider {
	case providerFile:
		return g.fromFolder(ctx, inv.Config, filter, found)
	case providerS3, "s3":
		return g.fromBucket(ctx, inv, filter, found)
	case "":
		return orbit.Permanent(orbit.CodeInvalidConfig, "provider is missing; use file or aws-s3")
	}
	return orbit.Permanent(orbit.CodeInvalidConfig, "provider %s is not supported yet; use file or aws-s3", provider)
}

func (g *getFiles) fromFolder(ctx context.Context, config map[string]any, filter filter, take func(found) error) error {
	path, single, err := localSource(config)
	if err != nil {
		return err
	}
	if single {
		f, err := statLocal(path)
		if err != nil {
			return err
		}
		return take(f)
	}
	return folder{root: path, recursive: boolean(config, "recursive"), filter: filter}.list(ctx, take)
}

func (g *getFiles) fromBucket(ctx context.Context, inv *satellite.Invocation, filter filter, take func(found) error) error {
	at, single, err := bucketSource(inv.Config)
	if err != nil {
		return err
	}
	if err := at.check(); err != nil {
		return err
	}
	s, err := g.opener.store(inv.Secrets())
	if err != nil {
		return err
	}
	if single {
		f, err := s.stat(ctx, at)
		if err != nil {
			return err
		}
		return take(f)
	}
	return bucket{store: s, at: at, recursive: boolean(inv.Config, "recursive"), filter: filter}.list(ctx, take)
}
