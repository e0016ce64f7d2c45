package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/exospherehost/orbit"
)

// Example is one item of a satellite and what comes of it: a file in the folder examples.
type Example struct {
	Name   string         // of the file
	Config map[string]any `json:"config"`
	Input  any            `json:"input"`
	Output any            `json:"output"` // what it returns: a list of objects, or the one object
	Error  *Failure       `json:"error"`  // instead, how it fails
}

// Failure is how an item fails. What is left out may be anything.
type Failure struct {
	Code    orbit.Code `json:"code"`
	Message string     `json:"message"` // a part of it
	Retry   *bool      `json:"retry"`
}

// Folder holds the examples of a satellite, beside its satellite.yml.
const Folder = "examples"

// ReadExamples reads the examples in a satellite's folder, by name; none is fine.
func ReadExamples(dir string) ([]Example, error) {
	files, err := filepath.Glob(filepath.Join(dir, Folder, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list the examples in %s: %w", dir, err)
	}
	slices.Sort(files)
	var out []Example
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			var path *fs.PathError
			if errors.As(err, &path) {
				err = path.Err
			}
			return nil, fmt.Errorf("%s cannot be read: %w", file, err)
		}
		e, err := ParseExample(strings.TrimSuffix(filepath.Base(file), ".json"), text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, e)
	}
	return out, nil
}

// ParseExample reads one example.
func ParseExample(name string, text []byte) (Example, error) {
	e := Example{Name: name}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		return e, fmt.Errorf(`it is no example: %w; write {"config": {…}, "input": …, "output": […]}, or "error" instead of "output"`, err)
	}
	if (e.Output == nil) == (e.Error == nil) {
		return e, errors.New(`it needs one of "output" and "error"; a satellite that returns nothing has the output []`)
	}
	for _, v := range []*any{&e.Input, &e.Output} {
		if *v == nil {
			continue
		}
		o, err := orbit.NewObject(*v) // the numbers of an item: whole ones are int
		if err == nil {
			*v, err = o.Value()
		}
		if err != nil {
			return e, fmt.Errorf("it is no example: %w", err)
		}
	}
	if e.Config == nil {
		e.Config = map[string]any{}
	}
	o, err := orbit.NewObject(e.Config)
	if err != nil {
		return e, fmt.Errorf("its config: %w", err)
	}
	v, err := o.Value()
	if err != nil {
		return e, fmt.Errorf("its config: %w", err)
	}
	e.Config, _ = v.(map[string]any)
	return e, nil
}

// outputs are the objects that the example returns.
func (e *Example) outputs() []any {
	if list, ok := e.Output.([]any); ok {
		return list
	}
	return []any{e.Output}
}
