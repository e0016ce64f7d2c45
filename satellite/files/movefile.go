package files

import (
	"context"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// moveFile is exospherehost/move-file.
type moveFile struct {
	spec   *satellite.Spec
	opener *Opener
}

// Spec implements satellite.Satellite.
func (m *moveFile) Spec() *satellite.Spec { return m.spec }

// Run moves one file and emits where it is now.
func (m *moveFile) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	t, err := m.transfer(inv)
	if err != nil {
		return err
	}
	if err := t.run(ctx); err != nil {
		return err
	}
	o, err := t.to.at.result(map[string]any{})
	if err != nil {
		return err
	}
	return emit(o)
}

func (m *moveFile) transfer(inv *satellite.Invocation) (*transfer, error) {
	from, err := m.end(inv, []string{"source", "origin"})
	if err != nil {
		return nil, err
	}
	to, err := m.end(inv, []string{"destination"})
	if err != nil {
		return nil, err
	}
	if from.at == to.at && from.store.identity() == to.store.identity() {
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "source and destination are the same file, %s; give the destination another path or bucket", from.at.uri())
	}
	return &transfer{from: *from, to: *to, size: sizeIn(inv.Incoming, from.at)}, nil
}

// end reads one end of the move from the config, whose keys and secrets begin with one of the words.
func (m *moveFile) end(inv *satellite.Invocation, words []string) (*end, error) {
	n := named{secrets: map[string]string{}}
	given := inv.Secrets()
	for _, word := range words {
		for _, key := range []string{word + "-provider", word + "-source"} {
			n.provider = either(n.provider, text(inv.Config, key))
		}
		n.bucket = either(n.bucket, text(inv.Config, word+"-bucket"))
		if path := text(inv.Config, word+"-file-path"); path != "" || n.field == "" {
			n.field, n.path = word+"-file-path", path
		}
		for name, value := range strip(given, strings.ToUpper(word)+"_") {
			n.secrets[name] = value
		}
	}
	at, err := n.file()
	if err != nil {
		return nil, err
	}
	s, err := m.opener.store(at, n.secrets)
	if err != nil {
		return nil, err
	}
	return &end{store: s, at: at}, nil
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// sizeIn gives the size that the incoming object tells of a file, as get-files does; -1 where it tells none.
func sizeIn(incoming orbit.Object, at place) int64 {
	v, err := incoming.Value()
	if err != nil {
		return -1
	}
	object, _ := v.(map[string]any)
	if object["file-uri"] != at.uri() {
		return -1
	}
	switch size := object["size"].(type) {
	case int:
		return int64(size)
	case float64:
		return int64(size)
	}
	return -1
}
