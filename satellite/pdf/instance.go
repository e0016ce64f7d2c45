package pdf

import (
	"context"
	"errors"
	"reflect"

	"github.com/klippa-app/go-pdfium"
	pdfium_errors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/tetratelabs/wazero/api"

	"github.com/exospherehost/orbit"
)

// instance is a fresh PDFium for one document, used by one goroutine.
type instance struct {
	pdfium pdfium.Pdfium
	module api.Module
}

// newInstance makes one whose every call ends soon after ctx has; it is of no use then.
func newInstance(ctx context.Context, pool pdfium.Pool) (*instance, error) {
	p, err := pool.GetInstanceWithContext(ctx)
	if err != nil {
		return nil, err
	}
	in := &instance{pdfium: p}
	if err := in.bind(ctx); err != nil {
		in.close()
		return nil, err
	}
	return in, nil
}

// bind gives the instance its context. go-pdfium calls WebAssembly with the Context field of its implementation, which
// is exported but has no setter, and its type can't be named here.
func (in *instance) bind(ctx context.Context) error {
	impl := reflect.Indirect(reflect.ValueOf(in.pdfium.GetImplementation()))
	if impl.Kind() != reflect.Struct {
		return errors.New("go-pdfium: the implementation is no struct")
	}
	field := impl.FieldByName("Context")
	if !field.CanSet() || !reflect.TypeOf(&ctx).Elem().AssignableTo(field.Type()) {
		return errors.New("go-pdfium: the implementation takes no context")
	}
	field.Set(reflect.ValueOf(ctx))
	module := impl.FieldByName("Module")
	if !module.IsValid() {
		return errors.New("go-pdfium: the implementation has no module")
	}
	var ok bool
	if in.module, ok = module.Interface().(api.Module); !ok {
		return errors.New("go-pdfium: the module is not wazero's")
	}
	return nil
}

// close throws the instance away. Not Kill: in go-pdfium 1.17 that never gives the place in the pool back.
func (in *instance) close() { _ = in.pdfium.Close() }

// memory is how much it has taken.
func (in *instance) memory() orbit.Bytes { return orbit.Bytes(in.module.Memory().Size()) }

// read reads a whole document. An error that is no *orbit.Error leaves the instance in an unknown state.
func (in *instance) read(name string, data []byte, o Options) (*document, error) {
	opened, err := in.pdfium.OpenDocument(&requests.OpenDocument{File: &data})
	if err != nil {
		return nil, refused(name, err)
	}
	ref := opened.Document
	count, err := in.pdfium.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: ref})
	if err != nil {
		return nil, err
	}
	if count.PageCount > o.MaxPages {
		return nil, orbit.Permanent(orbit.CodeTooLarge, "%s has %d pages; the limit of this node is %d: split the file, or raise the limit",
			name, count.PageCount, o.MaxPages)
	}
	doc := &document{metadata: in.metadata(ref)}
	var size int64
	for i := range count.PageCount {
		p, err := in.page(ref, i)
		if errors.Is(err, pdfium_errors.ErrPage) {
			return nil, orbit.Permanent(orbit.CodeInvalidInput, "%s is not a readable PDF (page %d is damaged): repair or replace the file", name, i+1)
		}
		if err != nil {
			return nil, err
		}
		for _, l := range p.lines {
			size += int64(len(l.text)) + 1
		}
		if size > o.MaxTextBytes {
			return nil, textTooLarge(name, o.MaxTextBytes)
		}
		doc.pages = append(doc.pages, p)
	}
	return doc, nil
}

func textTooLarge(name string, limit int64) error {
	return tooLarge(name, "holds more text than allowed", orbit.Bytes(limit).String()+" of text")
}

// refused tells in words why PDFium did not open a file; any other error is returned as it is.
func refused(name string, err error) error {
	switch {
	case errors.Is(err, pdfium_errors.ErrPassword):
		return orbit.Permanent(orbit.CodeInvalidInput, "%s is encrypted and needs a password: save it without one", name)
	case errors.Is(err, pdfium_errors.ErrSecurity):
		return orbit.Permanent(orbit.CodeInvalidInput, "%s is encrypted in a way that can't be read: save it without encryption", name)
	}
	for _, damage := range []error{pdfium_errors.ErrFormat, pdfium_errors.ErrFile, pdfium_errors.ErrPage,
		pdfium_errors.ErrUnknown, pdfium_errors.ErrSuccess, pdfium_errors.ErrUnexpected} {
		if errors.Is(err, damage) {
			return orbit.Permanent(orbit.CodeInvalidInput, "%s is not a readable PDF (its structure is damaged): repair or replace the file", name)
		}
	}
	return err
}

// metadata reads what the file says of itself; what it doesn't say is left out.
func (in *instance) metadata(ref references.FPDF_DOCUMENT) map[string]any {
	out := map[string]any{}
	for tag, key := range map[string]string{
		"Title": "title", "Author": "author", "Subject": "subject", "Keywords": "keywords",
		"Creator": "creator", "Producer": "producer", "CreationDate": "created", "ModDate": "modified",
	} {
		answer, err := in.pdfium.FPDF_GetMetaText(&requests.FPDF_GetMetaText{Document: ref, Tag: tag})
		if err != nil {
			continue
		}
		if v := clean(answer.Value); v != "" {
			out[key] = v
		}
	}
	return out
}
