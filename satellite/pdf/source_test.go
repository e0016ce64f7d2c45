package pdf

import (
	"testing"

	"github.com/exospherehost/orbit/satellite"
)

func TestSourceIsTheConfigsElseTheInputs(t *testing.T) {
	found := map[string]any{"file-uri": "s3://in/2024/report-07.pdf", "file-path": "2024/report-07.pdf", "file-name": "report-07.pdf"}
	for name, c := range map[string]struct {
		config map[string]any
		input  any
		want   source
	}{
		"config first": {map[string]any{"file-path": "s3://b/k/a.pdf"}, found, source{"s3://b/k/a.pdf", "k/a.pdf", "a.pdf"}},
		"input's URI":  {nil, found, source{"s3://in/2024/report-07.pdf", "2024/report-07.pdf", "report-07.pdf"}},
		"input's path": {nil, map[string]any{"file-path": "/data/a b.pdf"}, source{"file:///data/a%20b.pdf", "/data/a b.pdf", "a b.pdf"}},
		"input's name": {nil, map[string]any{"file-uri": "sftp://h/in/a%20b%23.pdf", "file-path": "/in/a b#.pdf"},
			source{"sftp://h/in/a%20b%23.pdf", "/in/a b#.pdf", "a b#.pdf"}},
		"escaped file URI": {map[string]any{"file-path": "file:///data/a%20b.pdf"}, nil, source{"file:///data/a%20b.pdf", "/data/a b.pdf", "a b.pdf"}},
		"plain file URI":   {map[string]any{"file-path": "file:///data/100%.pdf"}, nil, source{"file:///data/100%.pdf", "/data/100%.pdf", "100%.pdf"}},
		"key with a hash":  {map[string]any{"file-path": "s3://b/a#1%20.pdf"}, nil, source{"s3://b/a#1%20.pdf", "a#1%20.pdf", "a#1%20.pdf"}},
		"empty in config":  {map[string]any{"file-path": ""}, found, source{"s3://in/2024/report-07.pdf", "2024/report-07.pdf", "report-07.pdf"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := findSource(&satellite.Invocation{Config: c.config, Input: c.input})
			if err != nil || got != c.want {
				t.Errorf("got %+v, %v\nwant %+v", got, err, c.want)
			}
		})
	}
}

func TestFileIsOpenedWithOwnSecretsFirst(t *testing.T) {
	own, near, far := map[string]string{"AWS_ACCESS_KEY": "own"}, map[string]string{"AWS_ACCESS_KEY": "near"}, map[string]string{"AWS_ACCESS_KEY": "far"}
	d := &disk{files: map[string][]byte{"s3://b/a.pdf": nil}}
	p := starts(t, Options{Open: d.open})
	src, err := newSource("s3://b/a.pdf")
	if err != nil {
		t.Fatal(err)
	}
	inv := &satellite.Invocation{
		Config: map[string]any{"secrets": map[string]any{"AWS_ACCESS_KEY": "own"}},
		Grants: []map[string]string{near, far},
	}
	if _, err := p.load(t.Context(), inv, src); err != nil {
		t.Fatal(err)
	}
	same(t, d.secrets, []map[string]string{own, near, far})
	inv.Config = nil
	if _, err := p.load(t.Context(), inv, src); err != nil {
		t.Fatal(err)
	}
	same(t, d.secrets, []map[string]string{near, far})
}
