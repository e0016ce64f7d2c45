package files

import (
	"bytes"
	"encoding/json"

	"github.com/exospherehost/orbit"
)

// encode gives the bytes of a file that holds v.
func encode(v any, format string) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf) // sorts keys and ends each value with a newline
	enc.SetEscapeHTML(false)     // a file is no web page
	var err error
	switch format {
	case "", "json":
		enc.SetIndent("", "  ")
		err = enc.Encode(v)
	case "jsonl":
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for i := 0; i < len(list) && err == nil; i++ {
			err = enc.Encode(list[i])
		}
	case "text":
		if s, ok := v.(string); ok {
			return []byte(s), nil
		}
		if err = enc.Encode(v); err == nil {
			buf.Truncate(buf.Len() - 1)
		}
	default:
		return nil, orbit.Permanent(orbit.CodeInvalidConfig, "format %s is not known; use json, jsonl or text", format)
	}
	if err != nil {
		return nil, orbit.Permanent(orbit.CodeInvalidInput, "the content cannot be written as JSON; check the expressions of input.content")
	}
	return buf.Bytes(), nil
}
