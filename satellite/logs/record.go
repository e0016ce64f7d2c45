package logs

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// record is one record of a run's log.
type record struct {
	id        string // the same whenever the record is sent
	at        time.Time
	level     string
	message   string
	run       string
	cluster   string
	satellite string
	item      string
	attempt   int
	node      string
	fields    map[string]any
}

// readRecords takes the records of a batch that pass the level, in the order of their times: what different nodes have said
// lies in the log as it came, and some services want it in order.
func readRecords(inv *satellite.Invocation, least orbit.LogLevel) ([]record, error) {
	batch, _ := inv.Input.(map[string]any)
	list, ok := batch["records"].([]any)
	if !ok {
		return nil, orbit.Permanent(orbit.CodeInvalidInput, "there are no records in the input; put the step under `logs:`, or give it an input with a list of records")
	}
	var out []record
	for i, entry := range list {
		fields, ok := entry.(map[string]any)
		if !ok {
			return nil, orbit.Permanent(orbit.CodeInvalidInput, "records[%d] is no map with time, level and message", i)
		}
		r := record{cluster: text(batch["cluster"]), run: text(fields["run"]), level: text(fields["level"]), message: text(fields["message"]),
			satellite: text(fields["satellite"]), item: text(fields["item"]), node: text(fields["node"]), id: text(fields["key"])}
		r.attempt, _ = fields["attempt"].(int)
		r.fields, _ = fields["fields"].(map[string]any)
		var err error
		if r.at, err = time.Parse(time.RFC3339, text(fields["time"])); err != nil {
			return nil, orbit.Permanent(orbit.CodeInvalidInput, "records[%d].time is no time; write it like 2026-01-31T12:00:00Z", i)
		}
		if !orbit.LogLevel(r.level).Valid() {
			r.level = string(orbit.LogInfo)
		}
		if !orbit.LogLevel(r.level).AtLeast(least) {
			continue
		}
		if r.run == "" {
			r.run = inv.Run
		}
		if r.id == "" {
			r.id = orbit.HashID("record", inv.IdempotencyKey(), strconv.Itoa(i))
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b record) int { return a.at.Compare(b.at) })
	return out, nil
}

// document is the record as one object, for services that take any.
func (r *record) document() map[string]any {
	fields := r.fields
	if fields == nil {
		fields = map[string]any{}
	}
	return map[string]any{"id": r.id, "time": r.stamp(), "level": r.level, "message": r.message, "run": r.run, "cluster": r.cluster,
		"satellite": r.satellite, "item": r.item, "attempt": r.attempt, "node": r.node, "fields": fields}
}

// stamp is the record's time in milliseconds, as RFC 3339 has it.
func (r *record) stamp() string { return r.at.UTC().Format("2006-01-02T15:04:05.000Z") }

// flat gives everything of the record but its time and message, for services that take names with plain values. A field
// that is a list or a map is written as JSON. Past most names, fields are left out, the last ones by name.
func (r *record) flat(most int) map[string]any {
	out := map[string]any{"level": r.level, "run": r.run, "cluster": r.cluster, "satellite": r.satellite, "item": r.item, "attempt": r.attempt,
		"node": r.node, "record-id": r.id}
	for _, key := range sortedKeys(r.fields) {
		if len(out) >= most {
			break
		}
		switch v := r.fields[key].(type) {
		case nil:
		case string, bool, int, float64:
			out["fields."+key] = v
		default:
			out["fields."+key] = string(encode(v))
		}
	}
	return out
}

// encode writes a JSON-like value; the values that satellites get always encode.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("null")
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// text gives a string, and a number as it is written; accounts may be numbers.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}
