package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
)

// fill writes a value that fits a JSON Schema, with the words and numbers that the prompt has beside the names of its keys, else
// with any of them. It knows what describes plain data: types, properties in their order, items, enum, const, the local $ref,
// the first of anyOf and oneOf, and bounds; a pattern it does not heed.
func fill(schema json.RawMessage, prompt string) (string, error) {
	if len(bytes.TrimSpace(schema)) == 0 {
		schema = json.RawMessage(`{"type": "object"}`)
	}
	f := &filler{root: schema, prompt: newPrompt(prompt)}
	var out bytes.Buffer
	err := f.value(&out, schema, "answer", 0)
	return out.String(), err
}

type filler struct {
	root   json.RawMessage
	prompt *prompt
}

// node is what it reads of a schema.
type node struct {
	Ref        string            `json:"$ref"`
	Type       json.RawMessage   `json:"type"`
	Const      json.RawMessage   `json:"const"`
	Enum       []json.RawMessage `json:"enum"`
	AnyOf      []json.RawMessage `json:"anyOf"`
	OneOf      []json.RawMessage `json:"oneOf"`
	AllOf      []json.RawMessage `json:"allOf"`
	Properties ordered           `json:"properties"`
	Items      json.RawMessage   `json:"items"`
	MinItems   int               `json:"minItems"`
	MinLength  int               `json:"minLength"`
	MaxLength  *int              `json:"maxLength"`
	Minimum    *float64          `json:"minimum"`
	Maximum    *float64          `json:"maximum"`
	Format     string            `json:"format"`
}

// ordered is a map in the order of its text.
type ordered []struct {
	key   string
	value json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *ordered) UnmarshalJSON(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return errors.New("properties must be a map")
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		name, _ := key.(string)
		*o = append(*o, struct {
			key   string
			value json.RawMessage
		}{name, value})
	}
	return nil
}

// maxDepth bounds a schema that refers to itself.
const maxDepth = 32

func (f *filler) value(out *bytes.Buffer, schema json.RawMessage, key string, depth int) error {
	if depth > maxDepth {
		return errors.New("it goes too deep")
	}
	var n node
	if text := strings.TrimSpace(string(schema)); text == "true" || text == "" {
		n.Type = json.RawMessage(`"string"`)
	} else if err := json.Unmarshal(schema, &n); err != nil {
		return fmt.Errorf("at %s: %w", key, err)
	}
	for _, list := range [][]json.RawMessage{n.AnyOf, n.OneOf, n.AllOf} {
		if len(list) > 0 {
			return f.value(out, list[0], key, depth+1)
		}
	}
	switch {
	case n.Ref != "":
		target, err := f.find(n.Ref)
		if err != nil {
			return err
		}
		return f.value(out, target, key, depth+1)
	case n.Const != nil:
		out.Write(n.Const)
		return nil
	case len(n.Enum) > 0:
		out.Write(f.choose(n.Enum))
		return nil
	}
	switch n.kind() {
	case "object":
		return f.object(out, &n, depth)
	case "array":
		out.WriteByte('[')
		for i := range max(1, n.MinItems) {
			if i > 0 {
				out.WriteByte(',')
			}
			if err := f.value(out, n.Items, key, depth+1); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		return nil
	case "number", "integer":
		v := f.prompt.number(key)
		if n.Minimum != nil {
			v = max(v, *n.Minimum)
		}
		if n.Maximum != nil {
			v = min(v, *n.Maximum)
		}
		if n.kind() == "integer" {
			v = math.Trunc(v)
		}
		return write(out, v)
	case "boolean":
		return write(out, f.prompt.has(key))
	case "null":
		return write(out, nil)
	}
	return write(out, n.fit(f.prompt.words(key)))
}

func (f *filler) object(out *bytes.Buffer, n *node, depth int) error {
	out.WriteByte('{')
	for i, p := range n.Properties {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := write(out, p.key); err != nil {
			return err
		}
		out.WriteByte(':')
		if err := f.value(out, p.value, p.key, depth+1); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	return nil
}

// kind is the type, the first of several that is not null.
func (n *node) kind() string {
	var one string
	if json.Unmarshal(n.Type, &one) == nil && one != "" {
		return one
	}
	var several []string
	if json.Unmarshal(n.Type, &several) == nil {
		for _, t := range several {
			if t != "null" {
				return t
			}
		}
		if len(several) > 0 {
			return "null"
		}
	}
	switch {
	case n.Properties != nil:
		return "object"
	case n.Items != nil:
		return "array"
	}
	return "string"
}

// fit gives a text the form and length that are asked for.
func (n *node) fit(text string) string {
	switch n.Format {
	case "date":
		text = "2025-01-01"
	case "date-time":
		text = "2025-01-01T00:00:00Z"
	case "email":
		text = "nobody@example.com"
	case "uri":
		text = "https://example.com/"
	}
	for len([]rune(text)) < n.MinLength {
		text += "."
	}
	if runes := []rune(text); n.MaxLength != nil && len(runes) > *n.MaxLength {
		text = string(runes[:*n.MaxLength])
	}
	return text
}

// choose takes the value that the prompt names first, else the first.
func (f *filler) choose(values []json.RawMessage) json.RawMessage {
	best, at := values[0], -1
	for _, v := range values {
		var text string
		if json.Unmarshal(v, &text) != nil || text == "" {
			continue
		}
		if i := strings.Index(f.prompt.lower, strings.ToLower(text)); i >= 0 && (at < 0 || i < at) {
			best, at = v, i
		}
	}
	return best
}

// find follows a reference within the schema.
func (f *filler) find(ref string) (json.RawMessage, error) {
	pointer, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil, fmt.Errorf("the reference %s leads out of it", ref)
	}
	at := f.root
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if part == "" {
			continue
		}
		var m map[string]json.RawMessage
		if json.Unmarshal(at, &m) != nil || m[part] == nil {
			return nil, fmt.Errorf("the reference %s leads nowhere", ref)
		}
		at = m[part]
	}
	return at, nil
}

func write(out *bytes.Buffer, v any) error {
	text, err := json.Marshal(v)
	out.Write(text)
	return err
}
