package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/exospherehost/orbit"
)

const (
	// followEvery is how often a timeline that is followed is looked at.
	followEvery = 300 * time.Millisecond
	// lagLooks is how many more looks a replica gets to show what its leader has, once the run has ended.
	lagLooks = 20
	// vainLooks is how many looks in a row may fail, for half a minute, before the answer is broken off.
	vainLooks = 100
)

// timeline is a list of a run that grows while the run goes on: its log, its events.
type timeline[T any] interface {
	// read gives f each entry from the reader's place to the end as it is now, with the cursor of what comes after it.
	// Where f fails, the reader stays at that entry.
	read(ctx context.Context, f func(entry T, next fmt.Stringer) error) error
	// ends tells whether the reader is at the end, by the word of who cannot be behind.
	ends(ctx context.Context) (bool, error)
}

// cursorOf reads where a request wants to go on: a client that follows says it with the id of the last event it got.
func cursorOf(r *http.Request) string {
	if id := r.Header.Get("Last-Event-ID"); id != "" && wantsEvents(r) {
		return id
	}
	return r.URL.Query().Get("cursor")
}

// wantsEvents tells whether a request asks for server-sent events.
func wantsEvents(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), eventStreamType)
}

// giveTimeline answers with one page of a timeline, or follows it to the run's end. name is what an entry is called.
func giveTimeline[T any](g *Gateway, w http.ResponseWriter, r *http.Request, run, name string, t timeline[T]) error {
	if wantsEvents(r) {
		return followTimeline(g, w, r, run, name, t)
	}
	n, err := limit(r)
	if err != nil {
		return err
	}
	var out []T
	var next fmt.Stringer
	err = t.read(r.Context(), func(entry T, after fmt.Stringer) error {
		if len(out) == n {
			return errPageFull
		}
		out, next = append(out, entry), after
		return nil
	})
	if errors.Is(err, errPageFull) {
		return writeJSON(w, http.StatusOK, newPage(out, next.String()))
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, newPage(out, ""))
}

// followTimeline sends entries as they come. After the run's end come those that are left, and then an event that says so:
// without it the answer was broken off, and the client asks again with the id of the last entry.
func followTimeline[T any](g *Gateway, w http.ResponseWriter, r *http.Request, run, name string, t timeline[T]) error {
	if _, err := t.ends(r.Context()); err != nil { // what cannot be read at all is refused in words
		return err
	}
	s := newEventStream(w)
	ended, giveUp := g.waiters.wait(run)
	defer giveUp()
	looks, vain := 0, 0 // since the run has ended; that failed
	for {
		doc, err := g.readRun(r.Context(), run) // before the look: what led to the end is there when the end is
		if err == nil {
			err = t.read(r.Context(), func(entry T, after fmt.Stringer) error { return s.send(name, after.String(), entry) })
		}
		if err == nil && doc.State.Terminal() {
			looks++
			if all, err := t.ends(r.Context()); err == nil && all || looks > lagLooks {
				_ = s.send("end", "", map[string]orbit.RunState{"state": doc.State}) // not sent: the client is gone
				return nil
			}
		}
		if vain++; err == nil {
			vain = 0
		}
		if s.rest() != nil || vain > vainLooks { // the client is gone, or asks again and is told what is wrong
			return nil
		}
		timer := time.NewTimer(followEvery)
		select {
		case <-ended:
			ended = nil
		case <-timer.C:
		case <-r.Context().Done():
		case <-g.following.Done():
		}
		timer.Stop()
		if r.Context().Err() != nil || g.following.Err() != nil {
			return nil
		}
	}
}
