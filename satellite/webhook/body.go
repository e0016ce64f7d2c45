package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/satellite"
)

// given is what a request is to carry, from config and input.
type given struct {
	query   string // encoded
	body    any
	hasBody bool // body may be null and still be sent
	form    url.Values
}

// gather reads body, form-data and query-params from the config, then from the input, which wins. Without a body in
// either, the incoming object is one for the methods that have one.
func gather(inv *satellite.Invocation, method string) (*given, error) {
	g := &given{}
	if err := g.take(inv.Config, orbit.CodeInvalidConfig); err != nil {
		return nil, err
	}
	if inv.HasInput {
		input, ok := inv.Input.(map[string]any)
		if !ok && inv.Input != nil {
			return nil, orbit.Permanent(orbit.CodeInvalidInput, "input must be a map with body, query-params or form-data")
		}
		return g, g.take(input, orbit.CodeInvalidInput)
	}
	writes := method == "POST" || method == "PUT" || method == "PATCH"
	if writes && !g.hasBody && g.form == nil && inv.Input != nil {
		g.body, g.hasBody = asJSON{inv.Input}, true
	}
	return g, nil
}

// asJSON marks a body that is sent as JSON even where it is a string.
type asJSON struct{ value any }

func (g *given) take(from map[string]any, fault orbit.Code) error {
	body, hasBody := from["body"]
	form, hasForm := from["form-data"]
	switch {
	case hasBody && hasForm:
		return orbit.Permanent(fault, "body and form-data cannot both be sent; keep one")
	case hasBody:
		g.body, g.hasBody, g.form = body, true, nil
	case hasForm:
		values, err := encodeFields("form-data", form, fault)
		if err != nil {
			return err
		}
		g.body, g.hasBody, g.form = nil, false, values
	}
	query, err := encodeFields("query-params", from["query-params"], fault)
	if err != nil {
		return err
	}
	if g.query != "" && len(query) > 0 {
		g.query += "&"
	}
	g.query += query.Encode()
	return nil
}

// encode gives the body to send and its Content-Type; nil and "" where there is none.
func (g *given) encode() (io.Reader, string, error) {
	switch {
	case g.form != nil:
		return strings.NewReader(g.form.Encode()), "application/x-www-form-urlencoded", nil
	case !g.hasBody:
		return nil, "", nil
	}
	if text, ok := g.body.(string); ok {
		return strings.NewReader(text), "text/plain; charset=utf-8", nil
	}
	value := g.body
	if wrapped, ok := value.(asJSON); ok {
		value = wrapped.value
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, "", orbit.Permanent(orbit.CodeInvalidInput, "the body cannot be written as JSON: %v", err)
	}
	return bytes.NewReader(bytes.TrimSuffix(buf.Bytes(), []byte("\n"))), "application/json", nil
}

// encodeFields reads a map of scalars and lists of scalars. A null is left out.
func encodeFields(field string, v any, fault orbit.Code) (url.Values, error) {
	if v == nil {
		return nil, nil
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, orbit.Permanent(fault, "%s must be a map of names and values", field)
	}
	out := url.Values{}
	for key, value := range fields {
		entries, ok := value.([]any)
		if !ok {
			entries = []any{value}
		}
		entries = slices.DeleteFunc(slices.Clone(entries), func(e any) bool { return e == nil })
		for _, e := range entries {
			text, ok := scalar(e)
			if !ok {
				return nil, orbit.Permanent(fault, "%s: %s must be a string, a number, true or false, or a list of these", field, key)
			}
			out.Add(key, text)
		}
	}
	return out, nil
}

// scalar writes a value as text, numbers as JSON does.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool, int:
		return fmt.Sprint(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	}
	return "", false
}
