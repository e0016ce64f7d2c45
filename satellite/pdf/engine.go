package pdf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/rs/zerolog"
	"github.com/tetratelabs/wazero"

	"github.com/exospherehost/orbit"
)

var errClosed = orbit.Transient(orbit.CodeUnavailable, "this node is stopping and reads no more documents: another one takes over")

// wasmPage is WebAssembly's unit of memory.
const wasmPage = 64 * orbit.KiB

// engine is PDFium, compiled once for this process. Every document gets an instance of its own with a memory of its own
// (3 ms): what one document breaks, no other sees.
type engine struct {
	opts     Options
	slots    chan struct{} // a token for each document being read
	stopping context.Context
	stop     context.CancelFunc

	start sync.Once
	ready chan struct{} // closed when the start has ended; the fields below are set then
	pool  pdfium.Pool
	cache wazero.CompilationCache
	err   error

	end    sync.Once
	endErr error
}

func newEngine(o Options) *engine {
	e := &engine{opts: o, slots: make(chan struct{}, o.Workers), ready: make(chan struct{})}
	e.stopping, e.stop = context.WithCancel(context.Background())
	return e
}

// warm starts the engine in the background. A start cannot be called off: one that is under way at close frees what it
// made when it is through.
func (e *engine) warm() {
	e.start.Do(func() {
		go func() {
			begun := time.Now()
			if e.err = e.launch(); e.err != nil {
				e.opts.Log.Error().Err(e.err).Msg("pdf reader did not start")
			} else {
				e.opts.Log.Debug().Dur("took", time.Since(begun)).Msg("pdf reader started")
			}
			close(e.ready)
			if e.stopping.Err() != nil {
				_ = e.free() // nobody is left to tell
			}
		}()
	})
}

// launch compiles PDFium, or takes it from the cache, and tries it once. A cache that can't be used is done without.
func (e *engine) launch() error {
	if e.opts.CacheDir != "" {
		cache, err := wazero.NewCompilationCacheWithDir(e.opts.CacheDir)
		if err == nil {
			if err = e.compile(cache); err == nil {
				return nil
			}
		}
		e.opts.Log.Warn().Err(err).Str("folder", e.opts.CacheDir).Msg("pdf reader starts without its cache, which takes some seconds")
	}
	return e.compile(wazero.NewCompilationCache())
}

func (e *engine) compile(cache wazero.CompilationCache) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, cache.Close(context.Background()))
		}
	}()
	pool, err := webassembly.Init(webassembly.Config{
		MaxTotal: e.opts.Workers,
		FSConfig: wazero.NewFSConfig(), // no folder at all; the default is the whole disk
		Stdout:   io.Discard,
		Stderr:   io.Discard,
		RuntimeConfig: wazero.NewRuntimeConfig().
			WithCompilationCache(cache).
			WithCloseOnContextDone(true). // or a time limit could not end a call
			WithMemoryLimitPages(uint32(e.opts.MaxMemory / wasmPage)),
	})
	if err != nil {
		return fmt.Errorf("compile PDFium: %w", err)
	}
	in, err := newInstance(context.Background(), pool)
	if err != nil {
		return errors.Join(err, pool.Close())
	}
	in.close()
	e.pool, e.cache = pool, cache
	debug.FreeOSMemory() // compiling takes some 100 MiB once, which an idle node should not keep
	return nil
}

// acquire waits until the engine has started and a slot is free. The caller must call release.
func (e *engine) acquire(ctx context.Context) (release func(), err error) {
	e.warm()
	select {
	case <-e.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	release = func() { <-e.slots }
	switch {
	case e.stopping.Err() != nil:
		err = errClosed
	case e.err != nil:
		err = orbit.Transient(orbit.CodeInternal, "the PDF reader of this node did not start: %v", e.err)
	}
	if err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// read reads one document. The caller holds a slot.
func (e *engine) read(ctx context.Context, log zerolog.Logger, name string, data []byte) (*document, error) {
	if half := int64(e.opts.MaxMemory / 2); int64(len(data)) > half { // the reader holds the file and works on it
		return nil, tooLarge(name, "is "+orbit.Bytes(len(data)).String(), orbit.Bytes(half).String()+" for a file in the reader's memory")
	}
	in, err := newInstance(ctx, e.pool)
	if err != nil {
		return nil, orbit.Transient(orbit.CodeUnavailable, "the PDF reader has no room for %s: %v", name, err)
	}
	defer in.close()
	doc, err := in.read(name, data, e.opts)
	if err == nil || errors.As(err, new(*orbit.Error)) {
		return doc, err
	}
	log.Debug().Err(err).Str("file", name).Msg("pdf reader gave up")
	if in.memory() > e.opts.MaxMemory/4*3 { // it grows in large steps, and stops at the step that doesn't fit
		return nil, tooLarge(name, "needs too much memory to be read", e.opts.MaxMemory.String())
	}
	return nil, orbit.Permanent(orbit.CodePanic, "%s made the PDF reader crash; the node is unharmed: repair or replace the file", name)
}

// close ends what runs, waits for it and frees the memory. It does not wait for a start that is under way: compiling takes
// seconds, on a busy machine many, and nothing of it is worth a late end of the process.
func (e *engine) close() error {
	e.stop()
	e.start.Do(func() { e.err = errClosed; close(e.ready) })
	select {
	case <-e.ready:
		return e.free()
	default:
		return nil
	}
}

// free waits for the documents being read and gives back the memory, once.
func (e *engine) free() error {
	e.end.Do(func() {
		for range e.opts.Workers {
			e.slots <- struct{}{} // kept: no document is let in any more
		}
		if e.pool != nil {
			e.endErr = errors.Join(e.pool.Close(), e.cache.Close(context.Background()))
		}
	})
	return e.endErr
}
