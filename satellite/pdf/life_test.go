package pdf

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
)

func TestManyDocumentsAtOnceAreReadByFewWorkers(t *testing.T) {
	var group sync.WaitGroup
	for i := range 12 {
		word := fmt.Sprintf("Document %d", i)
		uri := shelf.put(fmt.Sprintf("file:///in/many-%d.pdf", i), newSheet(text(50, 800, 10, word)).bytes())
		group.Go(func() {
			got, err := runs(t.Context(), shared, nil, map[string]any{"file-uri": uri})
			if err != nil || got["markdown"] != word {
				t.Errorf("%s: %v, %v", uri, got, err)
			}
		})
	}
	group.Wait()
}

func TestRunEndsWithItsContextWhileTheReaderStarts(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := New(Options{Open: shelf.open})
	p.engine.start.Do(func() {}) // a start that never ends
	_, err := runs(ctx, p, nil, map[string]any{"file-uri": "file:///in/a.pdf"})
	if err != context.Canceled {
		t.Errorf("error %v", err)
	}
}

func TestWarmAndCloseMayBeCalledTwiceAndInAnyOrder(t *testing.T) {
	p := New(Options{Open: shelf.open, CacheDir: cacheDir})
	for range 2 {
		p.Warm()
	}
	for range 2 {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	never := New(Options{Open: shelf.open})
	if err := never.Close(); err != nil {
		t.Error(err)
	}
	never.Warm()
	for _, closed := range []*Parser{p, never} {
		_, err := runs(t.Context(), closed, nil, map[string]any{"file-uri": "file:///in/a.pdf"})
		fails(t, err, orbit.CodeUnavailable, true, "this node is stopping")
	}
}

func TestCloseEndsADocumentThatNeverWould(t *testing.T) {
	uri := shelf.put("file:///in/endless.pdf", endless())
	p := New(Options{Open: shelf.open, CacheDir: cacheDir, Workers: 1})
	opened, result := make(chan struct{}), make(chan error)
	p.opts.Open = func(ctx context.Context, uri string, secrets ...map[string]string) (io.ReadCloser, int64, error) {
		close(opened)
		return shelf.open(ctx, uri, secrets...)
	}
	go func() {
		_, err := runs(t.Context(), p, nil, map[string]any{"file-uri": uri})
		result <- err
	}()
	<-opened
	closed := make(chan error)
	go func() { closed <- p.Close() }()
	fails(t, <-result, orbit.CodeUnavailable, true, "this node is stopping")
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestReaderStartsWithoutACacheThatIsBroken(t *testing.T) {
	notAFolder := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(notAFolder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := New(Options{Open: shelf.open, CacheDir: notAFolder, Workers: 1, Log: zerolog.Nop()})
	readsOn(t, p)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkDocumentOfTwentyPages(b *testing.B) {
	var lines, pages []string
	for i := range 50 {
		lines = append(lines, fmt.Sprintf("Line %d of a page, with some words to make it as long as a line of a book is.", i))
	}
	for range 20 {
		pages = append(pages, text(50, 800, 10, lines...))
	}
	uri := shelf.put("file:///in/bench.pdf", newSheet(pages...).bytes())
	<-shared.engine.ready
	for b.Loop() {
		if _, err := runs(b.Context(), shared, nil, map[string]any{"file-uri": uri}); err != nil {
			b.Fatal(err)
		}
	}
}
