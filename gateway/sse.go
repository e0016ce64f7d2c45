package gateway

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

const (
	eventStreamType = "text/event-stream"
	// quietTime is how long a stream may be silent: proxies cut what says nothing for a minute.
	quietTime = 15 * time.Second
)

// eventStream writes server-sent events.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	last    time.Time // when something was flushed
	dirty   bool      // something was written since
	broken  error     // the client is gone
}

func newEventStream(w http.ResponseWriter) *eventStream {
	w.Header().Set("Content-Type", eventStreamType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	return &eventStream{w: w, control: http.NewResponseController(w), dirty: true}
}

// send writes one event; an empty id is left out. Its error means that the client is gone.
func (s *eventStream) send(event, id string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if id != "" {
		id = "id: " + id + "\n"
	}
	_, err = fmt.Fprintf(s.w, "event: %s\n%sdata: %s\n\n", event, id, data)
	s.dirty = true
	return s.note(err)
}

// rest passes on what was written, or a sign of life after a long silence.
func (s *eventStream) rest() error {
	if !s.dirty && time.Since(s.last) > quietTime {
		_, err := fmt.Fprint(s.w, ":\n\n")
		s.dirty = s.note(err) == nil
	}
	if s.dirty {
		_ = s.note(s.control.Flush())
		s.dirty, s.last = false, time.Now()
	}
	return s.broken
}

func (s *eventStream) note(err error) error {
	if err != nil && s.broken == nil {
		s.broken = err
	}
	return err
}
