package files

import (
	"bytes"
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

// contentOf gives what to write: the incoming object where the step has no input, else content of its input. A step
// without input gets the incoming object as its input, which is how the two are told apart.
func contentOf(inv *satellite.Invocation) (any, error) {
	incoming, err := inv.Incoming.Value()
	if err != nil {
		return nil, orbit.Permanent(orbit.CodeInvalidInput, "the incoming object is damaged and cannot be written")
	}
	if same(incoming, inv.Input) {
		return inv.Input, nil
	}
	if input, ok := inv.Input.(map[string]any); ok {
		if content, ok := input["content"]; ok {
			return content, nil
		}
	}
	return nil, orbit.Permanent(orbit.CodeInvalidInput, "input has no content; write input: {content: …}, or leave input out to write the incoming object")
}

// same compares two values by their encoding, in which equal values have equal bytes.
func same(a, b any) bool {
	x, errX := orbit.NewObject(a)
	y, errY := orbit.NewObject(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
