package logs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite/internal/service"
)

// row is a record as a service takes it.
type row struct {
	at   time.Time
	text []byte
}

// limits are a service's own, as its documentation states them; 0 is none.
type limits struct {
	rows     int           // of one request
	bytes    int           // of one request
	overhead int           // bytes that count for each row beside its text
	row      int           // bytes of one row
	span     time.Duration // from the first row of a request to its last
}

// outcome counts what has become of rows.
type outcome struct {
	sent    int
	refused int // the service took the request and left these out, or one alone is too large for it
}

// provider is one service.
type provider interface {
	limits() limits
	// encode writes a record as a row.
	encode(r *record) []byte
	// put sends rows in one request. An error says that it took none of them.
	put(ctx context.Context, rows []row) (outcome, error)
}

// deliver sends records in as few requests as the service's limits allow. What it has taken is not sent again here, even
// where a later request fails: the error says how far it got.
func deliver(ctx context.Context, p provider, records []record) (done outcome, err error) {
	l := p.limits()
	rows := make([]row, len(records))
	for i := range records {
		rows[i] = row{records[i].at, fit(&records[i], l.row, p.encode)}
	}
	parts := split(rows, l)
	for len(parts) > 0 {
		part := parts[0]
		parts = parts[1:]
		got, err := p.put(ctx, part)
		var told *orbit.Error
		switch {
		case errors.As(err, &told) && told.Code == orbit.CodeTooLarge && len(part) > 1: // its limits are narrower than it says
			parts = append([][]row{part[:len(part)/2], part[len(part)/2:]}, parts...)
		case errors.As(err, &told) && told.Code == orbit.CodeTooLarge:
			done.refused++ // no attempt would make it smaller, and the others must not wait for it
		case err != nil:
			return done, progress(err, done, len(rows))
		}
		done.sent += got.sent
		done.refused += got.refused
	}
	return done, nil
}

// progress adds to an error how much was taken before it.
func progress(err error, done outcome, all int) error {
	var told *orbit.Error
	if done.sent == 0 || !errors.As(err, &told) {
		return err
	}
	e := *told
	e.Message += fmt.Sprintf("; %d of %d records were taken before that", done.sent, all)
	return &e
}

// split cuts rows into requests, in their order.
func split(rows []row, l limits) (parts [][]row) {
	start, size := 0, 0
	for i, r := range rows {
		n := len(r.text) + l.overhead
		full := l.rows > 0 && i-start >= l.rows || l.bytes > 0 && size+n > l.bytes || l.span > 0 && r.at.Sub(rows[start].at) >= l.span
		if i > start && full {
			parts = append(parts, rows[start:i])
			start, size = i, 0
		}
		size += n
	}
	if start < len(rows) {
		parts = append(parts, rows[start:])
	}
	return parts
}

// fit encodes a record in at most so many bytes: at first its fields go, then the end of its message.
func fit(r *record, most int, encode func(*record) []byte) []byte {
	out := encode(r)
	if most == 0 || len(out) <= most {
		return out
	}
	short := *r
	short.fields = map[string]any{"left-out": "the record is larger than the service takes"}
	for out = encode(&short); len(out) > most && short.message != ""; out = encode(&short) {
		short.message = service.Cut(short.message, len(short.message)-(len(out)-most))
	}
	return out
}

// join puts the texts of rows behind each other, with signs between them.
func join(rows []row, between string) []byte {
	var out []byte
	for i, r := range rows {
		if i > 0 {
			out = append(out, between...)
		}
		out = append(out, r.text...)
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
