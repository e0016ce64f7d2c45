package files

import (
	"context"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// putFiles is exospherehost/put-files.
type putFiles struct{ spec *satellite.Spec }

// Spec implements satellite.Satellite.
func (p *putFiles) Spec() *satellite.Spec { return p.spec }

// Run writes one file and emits where it is.
func (p *putFiles) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	if provider := text(inv.Config, "provider"); provider != "" && provider != providerFile {
		return orbit.Permanent(orbit.CodeInvalidConfig, "provider %s is not supported yet; use file", provider)
	}
	folder, name := text(inv.Config, "folder-path"), text(inv.Config, "file-name")
	if folder == "" {
		return orbit.Permanent(orbit.CodeInvalidConfig, "folder-path is empty; give the folder to write to")
	}
	folder, err := absolute("folder-path", folder)
	if err != nil {
		return err
	}
	content, err := contentOf(inv)
	if err != nil {
		return err
	}
	data, err := encode(content, text(inv.Config, "format"))
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	path, err := write(folder, name, data)
	if err != nil {
		return err
	}
	at := place{path: path}
	o, err := orbit.NewObject(map[string]any{
		"file-uri":  at.uri(),
		"file-path": at.path,
		"file-name": at.name(),
		"size":      len(data),
	})
	if err != nil {
		return err
	}
	return emit(o)
}

// contentOf gives what to write: the incoming object where the step has no input, else content of its input.
func contentOf(inv *satellite.Invocation) (any, error) {
	if !inv.HasInput {
		return inv.Input, nil
	}
	if input, ok := inv.Input.(map[string]any); ok {
		if content, ok := input["content"]; ok {
			return content, nil
		}
	}
	return nil, orbit.Permanent(orbit.CodeInvalidInput, "input has no content; write input: {content: …}, or leave input out to write the incoming object")
}
