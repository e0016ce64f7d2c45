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
	"github.com/exospherehost/orbit/satellite/schema"
)

// Options are the compiler's for the given satellites and classes. They are safe for concurrent use and remember what
// was slow to make, so keep them.
func Options(satellites *satellite.Registry, classes []orbit.Class) cluster.Options {
	checks := &checks{schemas: map[string]*schema.Schema{}}
	return cluster.Options{
		Catalog: satellites,
		Check:   checks.check,
		Classes: func(r orbit.Resources) (string, error) { return placement.LeastClass(r, classes) },
	}
}

// checks judge the values of configs and inputs.
type checks struct {
	mu      sync.Mutex
	schemas map[string]*schema.Schema // by the text of the schema
}

func (c *checks) check(spec *orbit.SatelliteSpec, part string, value any) []cluster.Violation {
	raw := spec.Config
	if part == "input" {
		raw = spec.Input
	}
	if len(raw) == 0 {
		return nil
	}
	s, err := c.schema(raw)
	if err != nil {
		return []cluster.Violation{{Message: fmt.Sprintf("cannot be checked, since the schema of %s is damaged: %v", spec.Name, err)}}
	}
	var found []cluster.Violation
	for _, v := range s.Check(value) {
		found = append(found, cluster.Violation{Path: v.Path, Message: v.Message})
	}
	if spec.Name == jqName && part == "config" {
		found = append(found, program(value)...)
	}
	return found
}

func (c *checks) schema(raw json.RawMessage) (*schema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.schemas[string(raw)]; ok {
		return s, nil
	}
	s, err := schema.Compile(raw)
	if err == nil {
		c.schemas[string(raw)] = s
	}
	return s, err
}

const jqName = "exospherehost/jq"

// program tells what is wrong with the program of a jq step.
func program(config any) []cluster.Violation {
	m, _ := config.(map[string]any)
	query, ok := m["query"].(string)
	if !ok {
		return nil
	}
	var bad *jq.SyntaxError
	if !errors.As(jq.Check(query), &bad) {
		return nil
	}
	return []cluster.Violation{{Path: []string{"query"}, Offset: offset(query, bad.Line, bad.Column), Message: "is no jq program: " + bad.Message}}
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
