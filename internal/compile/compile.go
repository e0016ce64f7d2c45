// Package compile brings the compiler of cluster files together with what it is to know: the satellites, what their
// schemas and they themselves say of values, and the hardware classes. Every program that compiles asks it, so that
// `orbit lint` and a gateway judge a file alike.
//
//	satellite.Registry ─┐
//	                    ├──Options──► cluster.Compile
//	hardware classes  ──┘
//
// It refuses to judge anything itself.
package compile

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/exospherehost/orbit"
	"github.com/exospherehost/orbit/cluster"
	"github.com/exospherehost/orbit/placement"
	"github.com/exospherehost/orbit/satellite"
	"github.com/exospherehost/orbit/satellite/jq"
	"github.com/exospherehost/orbit/satellite/llm"
	"github.com/exospherehost/orbit/satellite/schema"
)

// Options are the compiler's for the given satellites and classes. They are safe for concurrent use and remember what
// was slow to make, so keep them.
func Options(satellites *satellite.Registry, classes []orbit.Class) cluster.Options {
	checks := &checks{programs: jq.NewChecker(), schemas: map[string]*schema.Schema{}}
	return cluster.Options{
		Catalog: satellites,
		Schemas: cluster.NewSchemas(),
		ForFile: func() cluster.Check { return (&file{checks: checks}).check },
		Classes: func(r orbit.Resources) (string, error) { return placement.LeastClass(r, classes) },
	}
}

// checks judge the values of configs and inputs.
type checks struct {
	programs *jq.Checker

	mu      sync.Mutex
	schemas map[string]*schema.Schema // by the text of the schema
}

// maxSchemas bounds what is remembered: more than the satellites of a mesh have, but for those that come anew again and
// again.
const maxSchemas = 1_000

// file is the check of one file.
type file struct {
	*checks
	symbols int // of the jq programs so far
}

func (f *file) check(spec *orbit.SatelliteSpec, part string, value any) []cluster.Violation {
	raw := spec.Config
	if part == "input" {
		raw = spec.Input
	}
	if len(raw) == 0 {
		return nil
	}
	s, err := f.schema(raw)
	if err != nil {
		return []cluster.Violation{{Message: fmt.Sprintf("cannot be checked, since the schema of %s is damaged: %v", spec.Name, err)}}
	}
	var found []cluster.Violation
	for _, v := range s.Check(value) {
		found = append(found, cluster.Violation{Path: v.Path, Message: v.Message})
	}
	if spec.Name == jqName && part == "config" {
		found = append(found, f.program(value)...)
	}
	if orbit.IsModelPool(spec.Pool) && part == "config" {
		found = append(found, outputSchema(value)...)
	}
	return found
}

// outputSchema tells what is wrong with the output-schema of a model's step.
func outputSchema(config any) []cluster.Violation {
	m, _ := config.(map[string]any)
	switch m["output-schema"].(type) {
	case string, map[string]any: // anything else is told by the schema of the config, or is none
	default:
		return nil
	}
	if _, err := llm.OutputSchema(m["output-schema"]); err != nil {
		return []cluster.Violation{{Path: []string{"output-schema"}, Message: "cannot be used: " + err.Error()}}
	}
	return nil
}

func (c *checks) schema(raw json.RawMessage) (*schema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.schemas[string(raw)]; ok {
		return s, nil
	}
	s, err := schema.Compile(raw)
	if err != nil {
		return nil, err
	}
	if len(c.schemas) >= maxSchemas {
		clear(c.schemas)
	}
	c.schemas[string(raw)] = s
	return s, nil
}

const jqName = "exospherehost/jq"

// program tells what is wrong with the program of a jq step. Past the bound of the whole file, which is told once, none is
// looked at.
func (f *file) program(config any) []cluster.Violation {
	m, _ := config.(map[string]any)
	query, ok := m["query"].(string)
	if !ok || f.symbols > jq.MaxSymbolsOfFile {
		return nil
	}
	path := []string{"query"}
	if f.symbols += jq.Symbols(query); f.symbols > jq.MaxSymbolsOfFile {
		return []cluster.Violation{{Path: path, Hint: "split the cluster; one can start another by its trigger",
			Message: fmt.Sprintf("and the jq programs before it hold more than %d names, values and signs together", jq.MaxSymbolsOfFile)}}
	}
	err := f.programs.Check(query)
	var large *jq.TooLarge
	if errors.As(err, &large) {
		return []cluster.Violation{{Path: path, Offset: large.Offset, Message: large.Message, Hint: large.Hint()}}
	}
	var bad *jq.SyntaxError
	if errors.As(err, &bad) {
		return []cluster.Violation{{Path: path, Offset: offset(query, bad.Line, bad.Column), Message: "is no jq program: " + bad.Message}}
	}
	return nil
}

// offset gives the byte that stands at a line and column, both from 1, in characters.
func offset(text string, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		next := strings.IndexByte(text[at:], '\n')
		if next < 0 {
			return len(text)
		}
		at += next + 1
	}
	for i := range text[at:] {
		if column--; column <= 0 {
			return at + i
		}
	}
	return len(text)
}
