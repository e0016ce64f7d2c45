package pdf

import (
	"context"
	"errors"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// parse is one of the two satellites: they differ in their description alone.
type parse struct {
	*Parser
	spec *satellite.Spec
}

// Spec implements satellite.Satellite.
func (s *parse) Spec() *satellite.Spec { return s.spec }

// Run implements satellite.Satellite: it reads one document and emits one object.
func (s *parse) Run(ctx context.Context, inv *satellite.Invocation, emit satellite.Emit) error {
	req, err := s.request(inv)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.engine.stopping, func() { cancel(errClosed) })()

	read := s.readHere
	if s.docling != nil {
		read = s.readWithDocling
	}
	out, err := read(ctx, inv, req)
	if ctx.Err() != nil && err != nil {
		return ended(ctx, req.source)
	}
	if err != nil {
		return err
	}
	out["file-path"], out["file-name"] = req.source.path, req.source.name
	object, err := orbit.NewObject(out)
	if err != nil {
		return orbit.Permanent(orbit.CodeInvalidInput, "%s holds values that are not JSON: %v", req.source.name, err)
	}
	return emit(object)
}

// request is what a step asks for, checked.
type request struct {
	source   source
	format   string // formatMarkdown, formatText or formatJSON
	language string
	images   bool
}

// The values of output-format; "markdown-string" is the same as "markdown".
const (
	formatMarkdown = "markdown"
	formatText     = "text"
	formatJSON     = "json"
)

func (s *parse) request(inv *satellite.Invocation) (request, error) {
	r := request{format: defaultFormat(s.spec), language: "en"}
	if v, ok := inv.Config["output-format"].(string); ok {
		r.format = v
	}
	switch r.format {
	case "markdown-string":
		r.format = formatMarkdown
	case formatMarkdown, formatText, formatJSON:
	default:
		return r, orbit.Permanent(orbit.CodeInvalidConfig,
			"output-format %q is not known: write json, markdown, markdown-string or text", r.format)
	}
	if v, ok := inv.Config["language"].(string); ok && v != "" {
		r.language = v
	}
	r.images, _ = inv.Config["extract-images"].(bool)
	if r.images && s.docling == nil {
		return r, orbit.Permanent(orbit.CodeInvalidConfig,
			"extract-images needs docling-serve, and this node names none: leave it out, or set the node's docling URL")
	}
	var err error
	r.source, err = findSource(inv)
	return r, err
}

// readHere reads a PDF file with PDFium in this process.
func (s *parse) readHere(ctx context.Context, inv *satellite.Invocation, req request) (map[string]any, error) {
	release, err := s.engine.acquire(ctx) // before the file is in memory: that bounds how many are
	if err != nil {
		return nil, err
	}
	defer release()
	data, err := s.load(ctx, inv, req.source)
	if err != nil {
		return nil, err
	}
	if err := checkMagic(req.source.name, data); err != nil {
		return nil, err
	}
	doc, err := s.engine.read(ctx, inv.Log, req.source.name, data)
	if err != nil {
		return nil, err
	}
	if doc.text() == "" {
		inv.Log.Warn().Str("file", req.source.name).Msg("the document holds no text: scanned pages need docling-serve")
	}
	return doc.output(req.format, req.source.name, s.opts.MaxTextBytes)
}

// ended says why the attempt ended before its document was read.
func ended(ctx context.Context, src source) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errClosed):
		return errClosed
	case errors.Is(cause, context.DeadlineExceeded):
		return orbit.Transient(orbit.CodeTimeout,
			"%s was not read within the time limit: raise the step's timeout or split the file", src.name)
	default:
		return cause
	}
}
