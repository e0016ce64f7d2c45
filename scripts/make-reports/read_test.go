package main

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/pdf"
	"github.com/exospherehost/orbit/scripts/make-reports/report"
)

// reader gives parse-pdf-with-docling, able to open the reports by file:///<name>.
func reader(t *testing.T) satellite.Satellite {
	t.Helper()
	files := map[string][]byte{}
	for _, r := range report.All() {
		files["file:///"+r.File] = r.PDF()
	}
	parser := pdf.New(pdf.Options{
		Open: func(_ context.Context, uri string, _ ...map[string]string) (io.ReadCloser, int64, error) {
			return io.NopCloser(bytes.NewReader(files[uri])), int64(len(files[uri])), nil
		},
		Log: zerolog.Nop(),
	})
	t.Cleanup(func() { parser.Close() })
	for _, s := range parser.Satellites() {
		if s.Spec().Name == "exospherehost/parse-pdf-with-docling" {
			return s
		}
	}
	t.Fatal("there is no satellite exospherehost/parse-pdf-with-docling")
	return nil
}

// read runs the satellite on one report as the example does, and gives the object it returns.
func read(ctx context.Context, s satellite.Satellite, r report.Report) (map[string]any, error) {
	inv := &satellite.Invocation{
		Config: map[string]any{"output-format": "markdown-string"},
		Input:  map[string]any{"file-uri": "file:///" + r.File, "file-name": r.File},
		Log:    zerolog.Nop(),
	}
	var out map[string]any
	err := s.Run(ctx, inv, func(o orbit.Object) error {
		v, err := o.Value()
		out, _ = v.(map[string]any)
		return err
	})
	return out, err
}
