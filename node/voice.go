package node

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/rs/zerolog"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

const (
	// maxLines bounds what an attempt may say. A satellite in a loop must not fill the log of everyone.
	maxLines = 1000
	// maxText and maxFields bound one record, in bytes; a stack trace fits.
	maxText   = 4 << 10
	maxFields = 16 << 10
)

// logger gives the logger of one item, which masks what it is given. quick items, of satellites that are done when they
// return, share one.
func (b *book) logger(inv *satellite.Invocation, quick bool) zerolog.Logger {
	v := &b.voice
	if !quick {
		v = &voice{book: b}
	}
	v.inv = inv
	return zerolog.New(v).Level(zerolog.DebugLevel)
}

// voice takes the finished lines of a zerolog.Logger, which are JSON, for the item of an invocation. Each becomes a record of the
// run's log, and goes to the node's log where its level is wanted.
type voice struct {
	book *book
	inv  *satellite.Invocation

	mu      sync.Mutex // guards all below: a satellite may log from several goroutines
	lineage orbit.Lineage
	said    int // records of this attempt
}

// Write implements io.Writer.
func (v *voice) Write(line []byte) (int, error) { return v.WriteLevel(zerolog.NoLevel, line) }

// WriteLevel implements zerolog.LevelWriter. It never fails: what cannot be read is not let through.
func (v *voice) WriteLevel(level zerolog.Level, line []byte) (int, error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(line, &fields) != nil {
		return len(line), nil
	}
	var message string
	_ = json.Unmarshal(fields[zerolog.MessageFieldName], &message) // absent: a record of fields alone
	delete(fields, zerolog.MessageFieldName)
	delete(fields, zerolog.LevelFieldName)
	v.mu.Lock()
	defer v.mu.Unlock()
	inv := v.inv
	if inv.Lineage != v.lineage { // the next of several items that share this voice
		v.lineage, v.said = inv.Lineage, 0
	}
	v.said++
	v.aside(level, message, fields)
	switch {
	case v.said == maxLines:
		message, fields = "this attempt says more than is kept; the rest is left out", nil
	case v.said > maxLines:
		return len(line), nil
	}
	v.book.write(orbit.LogEntry{Time: time.Now().UTC(), Level: logLevel(level), Message: short(message), Fields: encodeFields(fields), Lineage: inv.Lineage,
		Attempt: inv.Attempt, Index: v.said})
	return len(line), nil
}

// aside writes the line to the node's own log.
func (v *voice) aside(level zerolog.Level, message string, fields map[string]json.RawMessage) {
	log := &v.book.logs.node.log
	if log.GetLevel() > level && level != zerolog.NoLevel {
		return
	}
	ev := log.WithLevel(level).Str("run", v.inv.Run).Str("item", v.inv.Item()).Str("satellite", v.inv.Step).Int("attempt", v.inv.Attempt)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		ev = ev.RawJSON(name, fields[name])
	}
	ev.Msg(message)
}

func logLevel(l zerolog.Level) orbit.LogLevel {
	switch {
	case l == zerolog.NoLevel:
		return orbit.LogInfo
	case l <= zerolog.DebugLevel:
		return orbit.LogDebug
	case l == zerolog.InfoLevel:
		return orbit.LogInfo
	case l == zerolog.WarnLevel:
		return orbit.LogWarn
	}
	return orbit.LogError
}

// encodeFields gives fields as an object, its keys in order; texts are cut to a length, and too many fields are left out.
func encodeFields(fields map[string]json.RawMessage) json.RawMessage {
	if len(fields) == 0 {
		return nil
	}
	size := 0
	for name, raw := range fields {
		var text string
		if len(raw) > maxText && json.Unmarshal(raw, &text) == nil {
			raw, _ = json.Marshal(short(text)) // a string always encodes
			fields[name] = raw
		}
		size += len(name) + len(raw)
	}
	if size > maxFields {
		fields = map[string]json.RawMessage{"left-out": json.RawMessage(`"` + strconv.Itoa(len(fields)) + ` fields of ` + strconv.Itoa(size) + ` bytes"`)}
	}
	data, err := json.Marshal(fields)
	if err != nil {
		return nil
	}
	return data
}

// short cuts a text to the length that is kept.
func short(s string) string {
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
