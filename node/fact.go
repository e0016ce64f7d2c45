package node

import (
	"encoding/json"
	"time"

	"github.com/exospherehost/orbit"
)

// fact is what the node itself has to say of an item that did not succeed.
func fact(r *orbit.Result, wait time.Duration, now time.Time) orbit.LogEntry {
	fields := factFields{Code: r.Error.Code}
	level, message := orbit.LogError, "failed: "+r.Error.Message
	if r.State == orbit.ItemRetrying {
		due := now.Add(wait).UTC().Truncate(time.Millisecond)
		fields.Due = &due
		level, message = orbit.LogWarn, "did not succeed and is tried again: "+r.Error.Message
	}
	return orbit.LogEntry{Time: now.UTC(), Level: level, Message: message, Fields: fields.encode(), Lineage: r.Lineage, Attempt: r.Attempt}
}

// factFields are the fields of the node's own facts.
type factFields struct {
	Code orbit.Code `json:"code"`
	Due  *time.Time `json:"due,omitempty"` // of the next attempt
}

func (f factFields) encode() json.RawMessage {
	data, _ := json.Marshal(f) // a word and a time always encode
	return data
}
