package pdf

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

// serves gives a parser that works with a docling-serve of the test's own.
func serves(t *testing.T, o Options, handler http.HandlerFunc) *Parser {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	o.DoclingURL = server.URL + "/"
	return starts(t, o)
}

// converted is a docling-serve answer for a document of two pages.
func converted(w http.ResponseWriter, status string) {
	_ = json.NewEncoder(w).Encode(map[string]any{
		"status": status,
		"document": map[string]any{
			"md_content": "# Title", "text_content": "Title",
			"json_content": map[string]any{"schema_name": "DoclingDocument", "pages": map[string]any{"1": map[string]any{}, "2": map[string]any{}}},
		},
		"errors": []any{map[string]any{"component_type": "backend", "error_message": "no such stream"}},
	})
}

func TestDoclingGetsTheFileAndTheDocumentedFields(t *testing.T) {
	var form url.Values
	var key, path, name, body string
	p := serves(t, Options{DoclingKey: "k"}, func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1 << 20); err != nil || r.ContentLength <= 0 {
			http.Error(w, "no form", http.StatusBadRequest)
			return
		}
		form, key, path = r.MultipartForm.Value, r.Header.Get("X-Api-Key"), r.URL.Path
		file, head, err := r.FormFile("files")
		if err == nil {
			raw, _ := io.ReadAll(file)
			name, body = head.Filename, string(raw)
		}
		converted(w, "success")
	})
	uri := shelf.put("s3://in/a.docx", []byte("PK any kind of file"))
	got, err := runs(t.Context(), p, map[string]any{"extract-images": true, "language": "de"}, map[string]any{"file-uri": uri})
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, map[string]any{"markdown": "# Title", "pages": 2, "file-path": "a.docx", "file-name": "a.docx"})
	same(t, form, url.Values{"to_formats": {"json", "md"}, "image_export_mode": {"embedded"}, "include_images": {"true"}, "ocr_lang": {"de"}})
	same(t, []string{path, key, name, body}, []string{"/v1/convert/file", "k", "a.docx", "PK any kind of file"})
}

func TestDoclingAnswersInEveryFormat(t *testing.T) {
	p := serves(t, Options{}, func(w http.ResponseWriter, _ *http.Request) { converted(w, "success") })
	uri := shelf.put("s3://in/a.pdf", []byte("%PDF-"))
	for format, want := range map[string]map[string]any{
		"markdown": {"markdown": "# Title"},
		"text":     {"text": "Title"},
		"json": {"document": map[string]any{
			"schema_name": "DoclingDocument", "pages": map[string]any{"1": map[string]any{}, "2": map[string]any{}}}},
	} {
		got, err := runs(t.Context(), p, map[string]any{"output-format": format}, map[string]any{"file-uri": uri})
		if err != nil {
			t.Fatal(err)
		}
		want["pages"], want["file-path"], want["file-name"] = 2, "a.pdf", "a.pdf"
		same(t, got, want)
	}
}

func TestDoclingErrorsSayWhoseFaultTheyAre(t *testing.T) {
	uri := shelf.put("s3://in/a.pdf", []byte("%PDF-"))
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, `{"detail":"the queue is full"}`)
		}
	}
	for name, c := range map[string]struct {
		handler   http.HandlerFunc
		code      orbit.Code
		retryable bool
		part      string
	}{
		"400": {status(400), orbit.CodeRejected, false, "400 Bad Request, the queue is full"},
		"401": {status(401), orbit.CodeDenied, false, "check its API key"},
		"408": {status(408), orbit.CodeUnavailable, true, "not able to do this now"},
		"413": {status(413), orbit.CodeTooLarge, false, "takes no file of this size"},
		"422": {status(422), orbit.CodeRejected, false, "refused the document"},
		"425": {status(425), orbit.CodeUnavailable, true, "not able to do this now"},
		"429": {status(429), orbit.CodeUnavailable, true, "not able to do this now"},
		"500": {status(500), orbit.CodeUnavailable, true, "not able to do this now"},
		"504": {status(504), orbit.CodeUnavailable, true, "not able to do this now"},
		"failure": {func(w http.ResponseWriter, _ *http.Request) { converted(w, "failure") },
			orbit.CodeInvalidInput, false, "docling could not read a.pdf (no such stream)"},
		"no docling": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
			orbit.CodeUnavailable, true, "did not answer as docling-serve does"},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, orbit.CodeUnavailable, true, "can't be reached"},
		"too much": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 16*100+1)) },
			orbit.CodeTooLarge, false, "a.pdf makes docling's answer too large"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runs(t.Context(), serves(t, Options{MaxTextBytes: 100}, c.handler), nil, map[string]any{"file-uri": uri})
			fails(t, err, c.code, c.retryable, c.part)
		})
	}
}

func TestDoclingsOwnWaitIsHonoured(t *testing.T) {
	p := serves(t, Options{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	uri := shelf.put("s3://in/a.pdf", []byte("%PDF-"))
	_, err := runs(t.Context(), p, nil, map[string]any{"file-uri": uri})
	same(t, orbit.AsError(err).After, 7*time.Second)
}

func TestDoclingThatIsNotThereIsTriedAgain(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	p := starts(t, Options{DoclingURL: server.URL})
	uri := shelf.put("s3://in/a.pdf", []byte("%PDF-"))
	_, err := runs(t.Context(), p, nil, map[string]any{"file-uri": uri})
	fails(t, err, orbit.CodeUnavailable, true, "can't be reached")
}

func TestDoclingIsGivenUpAtTheTimeLimit(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	p := serves(t, Options{}, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server does not see the client leave
		cancel(context.DeadlineExceeded)
		<-r.Context().Done()
	})
	uri := shelf.put("s3://in/a.pdf", []byte("%PDF-"))
	_, err := runs(ctx, p, nil, map[string]any{"file-uri": uri})
	fails(t, err, orbit.CodeTimeout, true, "a.pdf was not read within the time limit")
}

func TestPasswordInTheDoclingURLIsNotShown(t *testing.T) {
	d := newDoclingClient(Options{DoclingURL: "https://orbit:CANARY@docling.example"})
	same(t, d.shown, "https://orbit:xxxxx@docling.example/v1/convert/file")
}
