package pdf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/exospherehost/orbit"
)

func TestFileThatCannotBeReadIsRefusedForGoodWithASentence(t *testing.T) {
	whole := newSheet(text(50, 800, 10, "Hello")).bytes()
	locked := newSheet(text(50, 800, 10, "Secret"))
	locked.trailer = "/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]/Encrypt<</Filter/Standard/V 1/R 2/P -4" +
		"/O<" + strings.Repeat("1f", 32) + ">/U<" + strings.Repeat("2e", 32) + ">>>"
	foreign := newSheet(text(50, 800, 10, "Secret"))
	foreign.trailer = "/Encrypt<</Filter/Nobody.Knows/V 9>>"
	for name, c := range map[string]struct {
		file []byte
		part string
	}{
		"empty":              {nil, "empty.pdf is not a readable PDF (it is empty): repair or replace the file"},
		"no PDF":             {[]byte("PK\x03\x04 a Word file"), "is not a PDF"},
		"cut off":            {whole[:40], "cut_off.pdf is not a readable PDF (its structure is damaged): repair or replace the file"},
		"only a first line":  {[]byte("%PDF-1.7\n"), "is not a readable PDF"},
		"noise":              {append([]byte("%PDF-1.7\n"), strings.Repeat("\x00\xff<<>>[", 500)...), "is not a readable PDF"},
		"needs a password":   {locked.bytes(), "needs_a_password.pdf is encrypted and needs a password: save it without one"},
		"foreign encryption": {foreign.bytes(), "is encrypted in a way that can't be read"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := reads(t, c.file, nil)
			fails(t, err, orbit.CodeInvalidInput, false, c.part)
		})
	}
}

func TestPageThatIsMissingIsNamed(t *testing.T) {
	s := newSheet(text(50, 800, 10, "One"), text(50, 800, 10, "Two"))
	s.objects[6] = "null"
	_, err := reads(t, s.bytes(), nil)
	fails(t, err, orbit.CodeInvalidInput, false, "page 2 is damaged")
}

func TestMissingFileIsNotFound(t *testing.T) {
	_, err := runs(t.Context(), shared, nil, map[string]any{"file-uri": "file:///in/nothing.pdf"})
	fails(t, err, orbit.CodeNotFound, false, "file:///in/nothing.pdf is not there")
}

func TestOpenErrorsSayWhoseFaultTheyAre(t *testing.T) {
	told := orbit.Permanent(orbit.CodeDenied, "the bucket said no")
	for name, c := range map[string]struct {
		err       error
		code      orbit.Code
		retryable bool
		part      string
	}{
		"told already": {fmt.Errorf("open: %w", told), orbit.CodeDenied, false, "the bucket said no"},
		"forbidden":    {fs.ErrPermission, orbit.CodeDenied, false, "may not be read"},
		"anything":     {errors.New("connection reset"), orbit.CodeUnavailable, true, "connection reset"},
	} {
		t.Run(name, func(t *testing.T) {
			p := starts(t, Options{Workers: 1, Open: func(context.Context, string, ...map[string]string) (io.ReadCloser, int64, error) {
				return nil, 0, c.err
			}})
			_, err := runs(t.Context(), p, nil, map[string]any{"file-uri": "file:///a.pdf"})
			fails(t, err, c.code, c.retryable, c.part)
		})
	}
}

func TestStepThatCannotWorkIsRefused(t *testing.T) {
	file := map[string]any{"file-uri": "file:///in/a.pdf"}
	for name, c := range map[string]struct {
		config map[string]any
		input  any
		code   orbit.Code
		part   string
	}{
		"no file at all":  {nil, nil, orbit.CodeInvalidInput, "there is no file to read"},
		"input is a list": {nil, []any{file}, orbit.CodeInvalidInput, "there is no file to read"},
		"no name":         {nil, map[string]any{"file-uri": "s3://bucket"}, orbit.CodeInvalidInput, "s3://bucket names no file"},
		"images":          {map[string]any{"extract-images": true}, file, orbit.CodeInvalidConfig, "extract-images needs docling-serve"},
		"format":          {map[string]any{"output-format": "html"}, file, orbit.CodeInvalidConfig, `output-format "html" is not known`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := runs(t.Context(), shared, c.config, c.input)
			fails(t, err, c.code, false, c.part)
		})
	}
}

func TestLimitsAreTooLargeForGood(t *testing.T) {
	uri := shelf.put("file:///in/limits.pdf", newSheet(text(50, 800, 10, "One, two, three, four."), "", "").bytes())
	for name, c := range map[string]struct {
		limits Options
		part   string
	}{
		"file":  {Options{MaxFileBytes: 100}, "limits.pdf is "},
		"pages": {Options{MaxPages: 2}, "limits.pdf has 3 pages; the limit of this node is 2"},
		"text":  {Options{MaxTextBytes: 10}, "limits.pdf holds more text than allowed; the limit of this node is 10B of text"},
	} {
		t.Run(name, func(t *testing.T) {
			c.limits.Workers = 1
			_, err := runs(t.Context(), starts(t, c.limits), nil, map[string]any{"file-uri": uri})
			fails(t, err, orbit.CodeTooLarge, false, c.part)
		})
	}
}

func TestFileOfUnknownSizeIsStillLimited(t *testing.T) {
	p := starts(t, Options{MaxFileBytes: 100, Workers: 1, Open: func(context.Context, string, ...map[string]string) (io.ReadCloser, int64, error) {
		return io.NopCloser(strings.NewReader(strings.Repeat("x", 1000))), -1, nil
	}})
	_, err := runs(t.Context(), p, nil, map[string]any{"file-uri": "file:///a.pdf"})
	fails(t, err, orbit.CodeTooLarge, false, "a.pdf is larger than allowed")
}

func TestTimeLimitHoldsInsideAPageThatNeverEnds(t *testing.T) {
	uri := shelf.put("file:///in/endless.pdf", endless())
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	p := starts(t, Options{Workers: 1})
	_, err := runs(ctx, p, nil, map[string]any{"file-uri": uri})
	fails(t, err, orbit.CodeTimeout, true, "endless.pdf was not read within the time limit")
	readsOn(t, p)
}

func TestFileLargerThanTheReadersMemoryIsTooLarge(t *testing.T) {
	uri := shelf.put("file:///in/large.pdf", append(newSheet("").bytes(), make([]byte, 17*orbit.MiB)...))
	_, err := runs(t.Context(), starts(t, Options{Workers: 1, MaxMemory: 32 * orbit.MiB}), nil, map[string]any{"file-uri": uri})
	fails(t, err, orbit.CodeTooLarge, false, "large.pdf is 17MiB; the limit of this node is 16MiB")
}

func TestDocumentThatEatsAllMemoryIsTooLarge(t *testing.T) {
	uri := shelf.put("file:///in/endless.pdf", endless())
	p := starts(t, Options{Workers: 1, MaxMemory: 32 * orbit.MiB})
	_, err := runs(t.Context(), p, nil, map[string]any{"file-uri": uri})
	fails(t, err, orbit.CodeTooLarge, false, "endless.pdf needs too much memory")
	readsOn(t, p)
}

// readsOn checks that the only slot is free again and that nothing is broken.
func readsOn(t *testing.T, p *Parser) {
	t.Helper()
	uri := shelf.put("file:///in/next.pdf", newSheet(text(50, 800, 10, "Still here")).bytes())
	got, err := runs(t.Context(), p, nil, map[string]any{"file-uri": uri})
	if err != nil {
		t.Fatal(err)
	}
	same(t, got["markdown"], "Still here")
}
