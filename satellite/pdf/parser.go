// Package pdf turns documents into text: the satellite parse-with-docling and its preset parse-pdf-with-docling.
//
//	file ──OpenFunc──► bytes ──┬─► PDFium in WebAssembly, in this process   (the default: PDF files only)
//	                           └─► docling-serve over HTTP                  (where the node names one)
//	                                        │
//	                         markdown, text or document ──emit──► one object a document
//
// It owns the WebAssembly runtime and how many documents are read at once. It refuses to know how a file is reached (an
// OpenFunc is given to it), to recognise characters in scanned pages and to cut out images: docling does both.
//
// The text of a page comes in the order in which the file writes it. Programs that write PDF files write columns one
// after the other and tables row by row, so that is the reading order of nearly all files.
package pdf

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"runtime"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// OpenFunc opens the file that a URI (file:///…, s3://bucket/key) names and tells its size, or -1 where it isn't known.
// It tries the maps of secrets in the order given. A file that isn't there is an error that is fs.ErrNotExist, or an
// *orbit.Error that says so.
type OpenFunc func(ctx context.Context, uri string, secrets ...map[string]string) (io.ReadCloser, int64, error)

// Options is what a Parser needs to know. Only Open is required.
type Options struct {
	Open OpenFunc

	DoclingURL string       // base URL of a docling-serve; empty: read in this process
	DoclingKey string       // its API key, where it wants one
	Client     *http.Client // for docling-serve; default: one of its own, without a time limit but the item's

	CacheDir string // keeps the compiled reader, so that the next start takes 0.1 s rather than 3 s; empty: not kept
	Workers  int    // documents read at once in this process; default GOMAXPROCS

	MaxFileBytes int64       // default 256 MiB
	MaxPages     int         // default 5000
	MaxTextBytes int64       // of one document's text; default 16 MiB
	MaxMemory    orbit.Bytes // of the reader, for each document being read; default 1 GiB, 4 GiB at most

	Log zerolog.Logger
}

// Parser is the code behind both satellites. It is safe for concurrent use.
type Parser struct {
	opts    Options
	engine  *engine
	docling *doclingClient // nil: documents are read in this process
}

// New makes a parser. It starts nothing: see Warm.
func New(o Options) *Parser {
	o.Workers = cmp.Or(max(o.Workers, 0), runtime.GOMAXPROCS(0))
	o.MaxFileBytes = cmp.Or(o.MaxFileBytes, int64(256*orbit.MiB))
	o.MaxPages = cmp.Or(o.MaxPages, 5000)
	o.MaxTextBytes = cmp.Or(o.MaxTextBytes, int64(16*orbit.MiB))
	o.MaxMemory = min(cmp.Or(o.MaxMemory, orbit.GiB), 4*orbit.GiB)
	p := &Parser{opts: o, engine: newEngine(o)}
	if o.DoclingURL != "" {
		p.docling = newDoclingClient(o)
	}
	return p
}

// Satellites gives the two satellites, which share this parser.
func (p *Parser) Satellites() []satellite.Satellite {
	return []satellite.Satellite{
		&parse{Parser: p, spec: doclingSpec()},
		&parse{Parser: p, spec: presetSpec()},
	}
}

// Warm starts the reader in the background and returns at once; Run waits for it. Calling it again does nothing. Where
// docling-serve does the work there is nothing to start. What goes wrong is logged, and told by every Run.
func (p *Parser) Warm() {
	if p.docling == nil {
		p.engine.warm()
	}
}

// Close ends the documents being read, waits for them and frees the reader. It may be called twice. Run afterwards is a
// transient error.
func (p *Parser) Close() error {
	if p.docling != nil {
		p.docling.client.CloseIdleConnections()
	}
	return p.engine.close()
}
