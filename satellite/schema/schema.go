// Package schema checks a value against a JSON Schema (draft 2020-12) and says what is wrong with it in sentences for
// the person who wrote the value, each with the path of the key at fault.
//
//	schema ──Compile──► Schema ──Check(value)──► [{[method] must be one of POST, GET, …} …]
//
// It refuses to know files, lines and steps: who calls it maps a path to a place. It loads nothing from anywhere, so a
// $ref may only lead to the same document or to a published meta-schema.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is a compiled JSON Schema. It is safe for concurrent use.
type Schema struct {
	compiled *jsonschema.Schema
	document any // the schema itself, for the sentences it brings along (see messageKey)
}

// location names the one document that a Compile knows; it is never fetched.
const location = "orbit:///schema.json"

// Compile reads and compiles a schema. An empty one accepts every value, and so does null, which an empty one becomes in JSON.
func Compile(raw json.RawMessage) (*Schema, error) {
	if text := bytes.TrimSpace(raw); len(text) == 0 || string(text) == "null" {
		raw = json.RawMessage("true")
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read the JSON Schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(nothing{})
	c.AssertFormat()
	for _, f := range formats {
		c.RegisterFormat(&jsonschema.Format{Name: f.name, Validate: f.validate})
	}
	if err := c.AddResource(location, document); err != nil {
		return nil, fmt.Errorf("compile the JSON Schema: %w", err)
	}
	compiled, err := c.Compile(location)
	if err != nil {
		return nil, fmt.Errorf("compile the JSON Schema: %w", err)
	}
	return &Schema{compiled: compiled, document: document}, nil
}

// nothing is the loader of a compiler that may not fetch.
type nothing struct{}

func (nothing) Load(url string) (any, error) {
	return nil, fmt.Errorf("%s cannot be fetched; put the definition into the schema itself", url)
}

// Violation is one thing that is wrong with a value.
type Violation struct {
	Path    []string // from the value's root to the key at fault, list positions as numbers; a missing key's path too
	Message string   // what must be different, without the key: "must be a number, not a string"
}

// String gives the path, dotted, and the message: "headers.X-Count must be a string, not a list".
func (v Violation) String() string {
	if len(v.Path) == 0 {
		return "it " + v.Message
	}
	return strings.Join(v.Path, ".") + " " + v.Message
}

// Check tells all that is wrong with a JSON-like value (nil, bool, string, int, float64, []any, map[string]any): nil
// when it fits, else each violation once, sorted by path.
func (s *Schema) Check(value any) []Violation {
	if !finite(value) {
		return nonFinite(value, nil) // the library compares numbers as fractions, and these are none
	}
	err := s.compiled.Validate(value)
	if err == nil {
		return nil
	}
	var failed *jsonschema.ValidationError
	if !errors.As(err, &failed) {
		return []Violation{{Message: "cannot be checked: " + err.Error()}}
	}
	var out []Violation
	for _, f := range s.flatten(failed) {
		out = append(out, f.Violation)
	}
	slices.SortStableFunc(out, func(a, b Violation) int {
		if c := slices.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.Message, b.Message)
	})
	return slices.CompactFunc(out, func(a, b Violation) bool {
		return slices.Equal(a.Path, b.Path) && a.Message == b.Message
	})
}
