package placement

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/exospherehost/orbit"
	"gopkg.in/yaml.v3"
)

// Limits of a file of classes. Each class is one more consumer per pool and tier, and a stream serves about 100 of them.
const (
	maxFile    = 64 << 10
	maxClasses = 32
)

var (
	className = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`) // a token of a NATS subject, within a digest's limit
	classKeys = []string{"name", "gpu-memory", "cores", "memory"}
)

// ParseClasses reads a file such as configs/classes.yml. The error is a sentence that names the line.
func ParseClasses(text []byte) ([]orbit.Class, error) {
	if len(text) > maxFile {
		return nil, fmt.Errorf("the file has %d bytes; classes take at most %d", len(text), maxFile)
	}
	var doc yaml.Node // not into a struct: that expands aliases, and its errors are no sentences
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("this is no YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("the file must be a map with the key classes")
	}
	var list *yaml.Node
	if err := eachKey(doc.Content[0], []string{"classes"}, func(_ string, v *yaml.Node) error { list = v; return nil }); err != nil {
		return nil, err
	}
	switch {
	case list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0:
		return nil, fmt.Errorf("classes must be a list with at least one class")
	case len(list.Content) > maxClasses:
		return nil, fmt.Errorf("there are %d classes; at most %d are possible, as each costs a queue per pool and tier", len(list.Content), maxClasses)
	}
	var classes []orbit.Class
	lines := map[string]int{}
	for _, n := range list.Content {
		c, err := parseClass(n)
		if err != nil {
			return nil, err
		}
		if first, twice := lines[c.Name]; twice {
			return nil, fmt.Errorf("line %d: the class %s is defined already, at line %d", n.Line, c.Name, first)
		}
		lines[c.Name] = n.Line
		classes = append(classes, c)
	}
	return classes, inOrder(classes, lines)
}

// inOrder refuses a class that needs no more than one before it: work for it would land on the smaller one's machines.
func inOrder(classes []orbit.Class, lines map[string]int) error {
	for i, c := range classes {
		for _, before := range classes[:i] {
			if c.GPUMemory <= before.GPUMemory && c.Cores <= before.Cores && c.Memory <= before.Memory {
				return fmt.Errorf("line %d: the class %s needs no more than %s at line %d; write smaller classes first", lines[c.Name], c.Name, before.Name, lines[before.Name])
			}
		}
	}
	return nil
}

func parseClass(n *yaml.Node) (c orbit.Class, err error) {
	if n.Kind != yaml.MappingNode {
		return c, fmt.Errorf("line %d: a class must be a map with a name", n.Line)
	}
	err = eachKey(n, classKeys, func(key string, v *yaml.Node) error {
		if v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
			return fmt.Errorf("line %d: %s must be a single value", v.Line, key)
		}
		switch key {
		case "name":
			if !className.MatchString(v.Value) {
				return fmt.Errorf("line %d: %q is no name for a class; use up to 32 small letters, digits and hyphens", v.Line, v.Value)
			}
			c.Name = v.Value
		case "cores":
			n, err := strconv.ParseUint(v.Value, 10, 31)
			if err != nil || n > math.MaxInt16 {
				return fmt.Errorf("line %d: %q is no number of cores", v.Line, v.Value)
			}
			c.Cores = int(n)
		default:
			amount := &c.GPUMemory
			if key == "memory" {
				amount = &c.Memory
			}
			if err := amount.UnmarshalText([]byte(v.Value)); err != nil {
				return fmt.Errorf("line %d: %s: %w", v.Line, key, err)
			}
		}
		return nil
	})
	if err == nil && c.Name == "" {
		err = fmt.Errorf("line %d: the class has no name", n.Line)
	}
	return c, err
}

// eachKey walks a map whose keys must be known, each at most once.
func eachKey(n *yaml.Node, known []string, f func(key string, value *yaml.Node) error) error {
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case !slices.Contains(known, key.Value):
			return fmt.Errorf("line %d: unknown key %q%s", key.Line, key.Value, hint(key.Value, known))
		case seen[key.Value]:
			return fmt.Errorf("line %d: the key %s is there twice", key.Line, key.Value)
		case value.Kind == yaml.AliasNode:
			return fmt.Errorf("line %d: aliases are not supported here; write the value out", value.Line)
		}
		seen[key.Value] = true
		if err := f(key.Value, value); err != nil {
			return err
		}
	}
	return nil
}
