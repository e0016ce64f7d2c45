package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/exospherehost/orbit/satellite/schema"
)

const (
	// maxOutputSchema bounds a schema: it goes into each request.
	maxOutputSchema = 256 << 10
	// maxShorthand bounds one that is not JSON: reading a large map takes the YAML library seconds.
	maxShorthand = 32 << 10
)

// anyObject is what an answer must be where no schema is given.
var anyObject = json.RawMessage(`{"type":"object"}`)

// OutputSchema makes a JSON Schema of what a config's output-schema says: a JSON Schema, as a map or as text; or the shorthand
// {"company": string, "revenue": number}, in which every key is required and no other is allowed, a list in brackets holds one
// type, and `string | null` may be null; or null, for any object. Its error is a sentence for who wrote it.
func OutputSchema(config any) (json.RawMessage, error) {
	var text string
	switch v := config.(type) {
	case nil:
		return anyObject, nil
	case string:
		text = v
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("output-schema cannot be read: %w", err)
		}
		text = string(raw)
	}
	if strings.TrimSpace(text) == "" {
		return anyObject, nil
	}
	if len(text) > maxOutputSchema {
		return nil, fmt.Errorf("output-schema is longer than %d KiB; ask for less", maxOutputSchema>>10)
	}
	raw, err := readSchema(text)
	if err != nil {
		return nil, err
	}
	if _, err := schema.Compile(raw); err != nil {
		return nil, fmt.Errorf("output-schema is no JSON Schema: %s", misfit(raw, err))
	}
	return raw, nil
}

// misfit says what is wrong with a schema that does not compile: of the keys that JSON Schema itself knows in words, else in
// those of the compiler.
func misfit(raw json.RawMessage, err error) string {
	meta, failed := schema.Compile(json.RawMessage(`{"$ref": "https://json-schema.org/draft/2020-12/schema"}`))
	if failed == nil {
		var root any
		if json.Unmarshal(raw, &root) == nil {
			for _, v := range meta.Check(root) {
				return v.String()
			}
		}
	}
	return excerpt(cause(err).Error())
}

func readSchema(text string) (json.RawMessage, error) {
	if json.Valid([]byte(text)) {
		var root any
		if err := json.Unmarshal([]byte(text), &root); err != nil {
			return nil, fmt.Errorf("output-schema cannot be read: %w", err)
		}
		if m, ok := root.(map[string]any); ok && isSchema(m) {
			var compact bytes.Buffer
			if err := json.Compact(&compact, []byte(text)); err != nil {
				return nil, fmt.Errorf("output-schema cannot be read: %w", err)
			}
			return compact.Bytes(), nil
		}
	}
	if len(text) > maxShorthand {
		return nil, fmt.Errorf("output-schema is longer than %d KiB and no JSON Schema; ask for less", maxShorthand>>10)
	}
	var doc yaml.Node // the shorthand, trailing comma and all, is YAML
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, fmt.Errorf("output-schema can be read neither as a JSON Schema nor as the shorthand {\"name\": string}: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("output-schema must describe an object: write a JSON Schema, or the shorthand {\"name\": string, \"revenue\": number}")
	}
	root := doc.Content[0]
	if hasAlias(root) {
		return nil, errors.New("output-schema holds an alias; write out what it stands for")
	}
	var m map[string]any
	if root.Decode(&m) == nil && isSchema(m) { // a JSON Schema in YAML
		raw, err := json.Marshal(m)
		if err != nil {
			return nil, fmt.Errorf("output-schema cannot be read: %w", err)
		}
		return raw, nil
	}
	var out bytes.Buffer
	if err := writeType(&out, root, "output-schema"); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// isSchema tells a JSON Schema from the shorthand, in which the names of keys are the user's own: what describes an object says
// so, or has a keyword that is hardly a field's name. {"type": string} is the shorthand.
func isSchema(m map[string]any) bool {
	if list, ok := m["type"].([]any); m["type"] == "object" || ok && slices.Contains(list, any("object")) {
		_, named := m["properties"]
		return named || len(m) == 1 || !shorthandMap(m)
	}
	for _, keyword := range []string{"$schema", "$ref", "$defs", "allOf", "anyOf", "oneOf", "additionalProperties"} {
		if _, ok := m[keyword]; ok {
			return true
		}
	}
	_, isMap := m["properties"].(map[string]any)
	return isMap && !shorthandMap(m)
}

// shorthandMap tells whether every value of a map is the name of a type.
func shorthandMap(m map[string]any) bool {
	for _, v := range m {
		name, ok := v.(string)
		if _, known := types[strings.TrimSpace(name)]; !ok || !known {
			return false
		}
	}
	return true
}

func hasAlias(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || slices.ContainsFunc(n.Content, hasAlias)
}

// types are the names of the shorthand, and what they are in a JSON Schema.
var types = map[string]string{
	"string": "string", "text": "string", "number": "number", "float": "number", "integer": "integer", "int": "integer",
	"boolean": "boolean", "bool": "boolean", "object": "object", "array": "array", "list": "array", "null": "null", "any": "",
}

// writeType writes the JSON Schema of a part of the shorthand. Keys keep their order: a model writes them in it.
func writeType(out *bytes.Buffer, n *yaml.Node, path string) error {
	switch n.Kind {
	case yaml.MappingNode:
		return writeObject(out, n, path)
	case yaml.SequenceNode:
		if len(n.Content) != 1 {
			return fmt.Errorf("%s: a list holds one type, as in [string]", path)
		}
		out.WriteString(`{"type":"array","items":`)
		if err := writeType(out, n.Content[0], path); err != nil {
			return err
		}
		out.WriteByte('}')
		return nil
	}
	var names []string
	for _, word := range strings.Split(n.Value, "|") {
		name, ok := types[strings.ToLower(strings.TrimSpace(word))]
		if !ok {
			return fmt.Errorf("%s: %q is no type; write string, number, integer, boolean, object, list, any or null", path, strings.TrimSpace(word))
		}
		if name == "" {
			out.WriteString("{}")
			return nil
		}
		names = append(names, name)
	}
	value := any(names)
	if len(names) == 1 {
		value = names[0]
	}
	return write(out, map[string]any{"type": value})
}

func writeObject(out *bytes.Buffer, n *yaml.Node, path string) error {
	keys := make([]string, 0, len(n.Content)/2)
	out.WriteString(`{"type":"object","properties":{`)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if slices.Contains(keys, key) {
			return fmt.Errorf("%s: the key %q stands there twice; keep one of them", path, key)
		}
		if keys = append(keys, key); i > 0 {
			out.WriteByte(',')
		}
		if err := write(out, key); err != nil {
			return err
		}
		out.WriteByte(':')
		if err := writeType(out, n.Content[i+1], path+"."+key); err != nil {
			return err
		}
	}
	out.WriteString(`},"required":`)
	if err := write(out, keys); err != nil {
		return err
	}
	out.WriteString(`,"additionalProperties":false}`)
	return nil
}

func write(out *bytes.Buffer, v any) error {
	text, err := json.Marshal(v)
	out.Write(text)
	return err
}
