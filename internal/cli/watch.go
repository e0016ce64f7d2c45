package cli

import (
	"context"
	"crypto/sha256"
	"os"
	"time"

	"github.com/exospherehost/orbit/cluster"
)

const (
	lookEvery = time.Second / 3 // quick enough for who looks from the editor to the terminal, and next to no work
	goneAfter = 2               // looks: an editor that replaces a file by renaming another has it back sooner
)

// watched is a file that is checked whenever it has changed.
type watched struct {
	name    string
	seen    os.FileInfo // at the last look; nil: it was not there
	changed bool        // since it was checked last
	gone    int         // looks in a row that did not find it
	checked [sha256.Size]byte
}

// watch checks the files, and again whenever one has changed, until ctx ends. A file that cannot be read at the start is
// an error; later it is waited for.
func (a *app) watch(ctx context.Context, c *compiler, names []string) error {
	var files []*watched
	var texts [][]byte
	for _, name := range names {
		w := &watched{name: name}
		w.seen, _ = os.Stat(name) // before reading: what is written after it is found at the next look
		text, err := a.read(name)
		if err != nil {
			return err
		}
		files, texts = append(files, w), append(texts, text)
	}
	for i, w := range files {
		if err := a.check(c, w, texts[i]); err != nil {
			return err
		}
	}
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return exit(exitInterrupted)
		case <-ticker.C:
		}
		for _, w := range files {
			if err := a.look(c, w); err != nil {
				return err
			}
		}
	}
}

// look checks a file where it has changed. One that changes is left alone until it has been the same at two looks, since
// many editors empty a file before they write it.
func (a *app) look(c *compiler, w *watched) error {
	info, err := os.Stat(w.name)
	if err == nil && (w.seen == nil || !os.SameFile(info, w.seen) || info.Size() != w.seen.Size() || !info.ModTime().Equal(w.seen.ModTime())) {
		w.seen, w.changed = info, true
		return nil
	}
	if err == nil && !w.changed {
		return nil
	}
	var text []byte
	if err == nil {
		text, err = a.read(w.name)
	} else {
		err = failf("%s cannot be read: %s", w.name, cause(err))
	}
	if err != nil {
		if w.seen, w.gone = nil, w.gone+1; w.gone == goneAfter {
			a.say("%s %s; it is checked again as soon as it can be", clockTime(), a.sentence(err))
		}
		return nil
	}
	missed := w.gone >= goneAfter // and said so: then its return is worth a line, too
	w.changed, w.gone = false, 0
	if sha256.Sum256(text) == w.checked && !missed {
		return nil
	}
	return a.check(c, w, text)
}

// check compiles a text and shows what is wrong with it, under a line with the time.
func (a *app) check(c *compiler, w *watched, text []byte) error {
	w.checked = sha256.Sum256(text)
	f := c.compile(w.name, text)
	a.say("%s %s", clockTime(), w.name)
	if a.json() {
		return a.printJSON(append([]cluster.Diagnostic{}, f.Diagnostics...)) // [] rather than null
	}
	cluster.Render(a.stdout, f.Diagnostics, a.colorOn(a.stdout))
	switch {
	case f.Plan == nil:
		a.say("%s", tally(f.Diagnostics))
	case len(f.Diagnostics) > 0:
		a.say("no errors, %s", tally(f.Diagnostics))
	default:
		a.say("no errors")
	}
	return nil
}

// clockTime is the time of day.
func clockTime() string { return time.Now().Format("15:04:05") }
