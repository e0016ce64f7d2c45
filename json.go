package orbit

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// What is written for every run and every object is written by hand: encoding/json takes ten times as long for them.

// AppendJSON appends the run as encoding/json would write it, but for the escapes that only HTML needs.
func (r *Run) AppendJSON(dst []byte) ([]byte, error) {
	dst = appendText(append(dst, `{"id":`...), r.ID)
	dst = appendText(append(dst, `,"cluster":`...), r.Cluster)
	dst = appendText(append(dst, `,"version":`...), r.Version)
	dst = appendText(append(dst, `,"state":`...), string(r.State))
	dst = strconv.AppendInt(append(dst, `,"round":`...), int64(r.Round), 10)
	dst = appendText(append(dst, `,"sla":`...), r.SLA.String())
	dst = appendText(append(dst, `,"trigger":{"type":`...), r.Trigger.Type)
	dst = appendTime(append(dst, `,"at":`...), &r.Trigger.At)
	dst, err := r.Trigger.Payload.AppendJSON(append(dst, `,"payload":`...))
	if err != nil {
		return nil, err
	}
	dst = appendTime(append(dst, `},"created_at":`...), &r.CreatedAt)
	dst = appendTime(append(dst, `,"started_at":`...), r.StartedAt)
	dst = appendTime(append(dst, `,"deadline":`...), &r.Deadline)
	dst = appendTime(append(dst, `,"finished_at":`...), r.FinishedAt)
	dst = strconv.AppendBool(append(dst, `,"deadline_missed":`...), r.DeadlineMissed)
	if r.Error != "" {
		dst = appendText(append(dst, `,"error":`...), r.Error)
	}
	if len(r.Usage) > 0 {
		dst = r.Usage.appendJSON(append(dst, `,"usage":`...))
	}
	if r.Satellites == nil {
		return append(dst, `,"satellites":null}`...), nil
	}
	dst = append(dst, `,"satellites":[`...)
	for i := range r.Satellites {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = r.Satellites[i].appendJSON(dst)
	}
	return append(dst, "]}"...), nil
}

func (s *RunSatellite) appendJSON(dst []byte) []byte {
	dst = appendText(append(dst, `{"identifier":`...), s.Identifier)
	dst = appendText(append(dst, `,"uses":`...), s.Uses)
	dst = appendText(append(dst, `,"part":`...), s.Part)
	dst = appendText(append(dst, `,"class":`...), s.Class)
	dst = s.Items.appendJSON(append(dst, `,"items":`...))
	if len(s.Usage) > 0 {
		dst = s.Usage.appendJSON(append(dst, `,"usage":`...))
	}
	return append(dst, '}')
}

// MarshalJSON writes every state with its number.
func (c ItemCounts) MarshalJSON() ([]byte, error) { return c.appendJSON(nil), nil }

// UnmarshalJSON reads what MarshalJSON wrote; a state that is missing has none, an unknown one is passed over.
func (c *ItemCounts) UnmarshalJSON(text []byte) error {
	var counts map[ItemState]int
	if err := json.Unmarshal(text, &counts); err != nil {
		return err
	}
	*c = CountItems(counts)
	return nil
}

func (c *ItemCounts) appendJSON(dst []byte) []byte {
	for i, state := range ItemStates {
		dst = append(dst, "{,"[min(i, 1)])
		dst = append(appendText(dst, string(state)), ':')
		dst = strconv.AppendInt(dst, int64(c[i]), 10)
	}
	return append(dst, '}')
}

func appendTime(dst []byte, t *time.Time) []byte {
	if t == nil {
		return append(dst, "null"...)
	}
	return append(t.AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
}

// appendText appends a string in quotes.
func appendText[T string | []byte](dst []byte, s T) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return appendOddText(dst, string(s))
		}
	}
	return append(append(append(dst, '"'), s...), '"')
}

// appendOddText is for strings with characters that are escaped, or that may not be valid UTF-8.
func appendOddText(dst []byte, s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always can be
	return append(dst, bytes.TrimRight(buf.Bytes(), "\n")...)
}

// AppendJSON appends the object as JSON, keys sorted.
func (o Object) AppendJSON(dst []byte) ([]byte, error) {
	if len(o) == 0 {
		return append(dst, "null"...), nil
	}
	out, rest, ok := appendValue(dst, o, 0)
	if ok && len(rest) == 0 {
		return out, nil
	}
	text, err := o.marshal() // damaged, or with something that is seldom
	return append(dst, text...), err
}

// appendValue turns the first value of data into JSON. Not ok: it takes a decoder to do it, or to say what is wrong.
func appendValue(dst, data []byte, depth int) (out, rest []byte, ok bool) {
	if len(data) == 0 || depth > maxObjectDepth {
		return dst, nil, false
	}
	c := data[0]
	switch {
	case c == msgpcode.Nil:
		return append(dst, "null"...), data[1:], true
	case c == msgpcode.True:
		return append(dst, "true"...), data[1:], true
	case c == msgpcode.False:
		return append(dst, "false"...), data[1:], true
	case msgpcode.IsFixedNum(c):
		return strconv.AppendInt(dst, int64(int8(c)), 10), data[1:], true
	case c >= msgpcode.Uint8 && c <= msgpcode.Int64:
		return appendNumber(dst, data)
	}
	if text, rest, ok := takeText(data); ok {
		return appendText(dst, text), rest, true
	}
	if n, rest, ok := takeLength(data, msgpcode.FixedArrayLow, msgpcode.Array16); ok {
		dst = append(dst, '[')
		for i := range n {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, rest, ok = appendValue(dst, rest, depth+1); !ok {
				return dst, nil, false
			}
		}
		return append(dst, ']'), rest, true
	}
	n, rest, ok := takeLength(data, msgpcode.FixedMapLow, msgpcode.Map16)
	if !ok {
		return dst, nil, false
	}
	dst = append(dst, '{')
	var last []byte
	for i := range n {
		key, more, ok := takeText(rest)
		if !ok || i > 0 && bytes.Compare(key, last) <= 0 { // not in order: a decoder sorts them
			return dst, nil, false
		}
		if last = key; i > 0 {
			dst = append(dst, ',')
		}
		if dst, rest, ok = appendValue(append(appendText(dst, key), ':'), more, depth+1); !ok {
			return dst, nil, false
		}
	}
	return append(dst, '}'), rest, true
}

// appendNumber turns a whole number of the longer forms into JSON.
func appendNumber(dst, data []byte) (out, rest []byte, ok bool) {
	size := 1 << ((data[0] - msgpcode.Uint8) & 3)
	if len(data) <= size {
		return dst, nil, false
	}
	b, rest := data[1:1+size], data[1+size:]
	signed := data[0] >= msgpcode.Int8
	var n int64
	switch size {
	case 1:
		if n = int64(b[0]); signed {
			n = int64(int8(b[0]))
		}
	case 2:
		u := binary.BigEndian.Uint16(b)
		if n = int64(u); signed {
			n = int64(int16(u))
		}
	case 4:
		u := binary.BigEndian.Uint32(b)
		if n = int64(u); signed {
			n = int64(int32(u))
		}
	default:
		if n = int64(binary.BigEndian.Uint64(b)); n < 0 && !signed {
			return dst, nil, false
		}
	}
	return strconv.AppendInt(dst, n, 10), rest, true
}

// takeText takes a string off data.
func takeText(data []byte) (text, rest []byte, ok bool) {
	if len(data) == 0 {
		return nil, nil, false
	}
	n, rest, ok := takeLength(data, msgpcode.FixedStrLow, msgpcode.Str16)
	switch c := data[0]; {
	case msgpcode.IsFixedString(c):
		n, rest, ok = int(c&msgpcode.FixedStrMask), data[1:], true
	case c == msgpcode.Str8 && len(data) > 1:
		n, rest, ok = int(data[1]), data[2:], true
	}
	if !ok || n > len(rest) {
		return nil, nil, false
	}
	return rest[:n], rest[n:], true
}

// takeLength takes the length of an array, a map or a long string off data: in the low bits of its code, or in the two
// or four bytes after code16 and the code that follows it.
func takeLength(data []byte, low, code16 byte) (n int, rest []byte, ok bool) {
	switch c := data[0]; {
	case low != msgpcode.FixedStrLow && c&^0x0f == low:
		return int(c & 0x0f), data[1:], true
	case c == code16 && len(data) >= 3:
		return int(binary.BigEndian.Uint16(data[1:])), data[3:], true
	case c == code16+1 && len(data) >= 5:
		return int(binary.BigEndian.Uint32(data[1:])), data[5:], true
	}
	return 0, nil, false
}

// MarshalJSON writes the object as JSON, keys sorted.
func (o Object) MarshalJSON() ([]byte, error) {
	return o.AppendJSON(make([]byte, 0, len(o)+len(o)/2+8))
}

// marshal is MarshalJSON by way of a decoded value.
func (o Object) marshal() ([]byte, error) {
	v, err := o.Value()
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}
