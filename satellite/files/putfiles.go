package files

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// putFiles is exospherehost/put-files.
type putFiles struct {
	spec   *satellite.Spec
	opener *Opener
}

// Spec implements satellite.Satellite.
func (p *putFiles) Spec() *satellite.Spec { return p.spec }

// Run writes one file and emits where it is.
func (p *putFiles) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	secrets := inv.Secrets()
	folder, err := target(inv.Config, secrets)
	if err != nil {
		return err
	}
	name, err := localName(text(inv.Config, "file-name"))
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
	s, err := p.opener.store(folder, secrets)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	at := folder
	if folder.provider == providerFile {
		at.path, err = write(folder.path, name, bytes.NewReader(data)) // create would follow a link out of the folder
	} else {
		at.path = folder.folder().path + filepath.ToSlash(name)
		if err = at.check(); err == nil {
			err = s.create(ctx, at, bytes.NewReader(data), int64(len(data)))
		}
	}
	if err != nil {
		return err
	}
	o, err := at.result(map[string]any{"file-name": at.name(), "size": len(data)})
	if err != nil {
		return err
	}
	return emit(o)
}

// target reads from the config which folder to write to. Without a provider a path is one of the node.
func target(config map[string]any, secrets map[string]string) (place, error) {
	n := named{field: "folder-path", path: text(config, "folder-path"), bucket: text(config, "bucket"), provider: text(config, "provider"), secrets: secrets}
	if n.path == "" {
		return place{}, orbit.Permanent(orbit.CodeInvalidConfig, "folder-path is empty; give the folder to write to")
	}
	if _, isURI := providerAt(n.path); n.provider == "" && n.bucket == "" && !isURI {
		n.provider = providerFile
	}
	if n.bucket != "" && !strings.Contains(n.path, "://") {
		n.path = strings.TrimPrefix(n.path, "/") // people write folders of a bucket from its root
	}
	return n.locate()
}

// localName checks that a name does not lead out of its folder.
func localName(name string) (string, error) {
	if !filepath.IsLocal(name) || strings.HasSuffix(name, "/") || filepath.Clean(name) == "." || strings.ContainsRune(name, 0) {
		return "", orbit.Permanent(orbit.CodeInvalidInput, "file-name %q is no name of a file in folder-path; it must be relative and stay in the folder", name)
	}
	return filepath.Clean(name), nil
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
