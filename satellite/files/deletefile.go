package files

import (
	"context"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// deleteFile is exospherehost/delete-file and its preset for S3.
type deleteFile struct {
	spec     *satellite.Spec
	opener   *Opener
	provider string // where the config names none
}

// Spec implements satellite.Satellite.
func (d *deleteFile) Spec() *satellite.Spec { return d.spec }

// Run deletes one file and emits whether it was there.
func (d *deleteFile) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	secrets := inv.Secrets()
	n := named{field: "file-path", path: text(inv.Config, "file-path"), bucket: text(inv.Config, "bucket"), provider: text(inv.Config, "provider"), secrets: secrets}
	if n.provider == "" {
		n.provider = d.provider
	}
	at, err := n.file()
	if err != nil {
		return err
	}
	s, err := d.opener.store(at, secrets)
	if err != nil {
		return err
	}
	deleted, err := s.remove(ctx, at)
	if err != nil {
		return err
	}
	o, err := orbit.NewObject(map[string]any{"file-uri": at.uri(), "deleted": deleted})
	if err != nil {
		return err
	}
	return emit(o)
}

// file is locate for what must be a file.
func (n named) file() (place, error) {
	if n.path == "" {
		return place{}, orbit.Permanent(orbit.CodeInvalidConfig, "%s is empty; give the file", n.field)
	}
	at, err := n.locate()
	if err != nil {
		return place{}, err
	}
	if at.path == "" || strings.HasSuffix(n.path, "/") {
		return place{}, orbit.Permanent(orbit.CodeInvalidConfig, "%s names a folder; write the path of a file", n.field)
	}
	return at, nil
}
