package custom

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Bounds of a document, as cluster files have them: a file of one's own can be wrong in the same ways.
const (
	maxDocument = 256 << 10
	maxNesting  = 64
	maxNodes    = 20_000
)

// Mistake is what is wrong with a definition, in one sentence with its place.
type Mistake struct {
	File    string
	Line    int // 0: the file as a whole
	Message string
}

// Error gives "satellite.yml:12: …".
func (m *Mistake) Error() string {
	if m.Line == 0 {
		return m.File + ": " + m.Message
	}
	return m.File + ":" + strconv.Itoa(m.Line) + ": " + m.Message
}

// document is a file of YAML.
type document struct {
	file  string
	nodes int
}

func (d *document) wrong(n *yaml.Node, format string, args ...any) error {
	line := 0
	if n != nil {
		line = n.Line
	}
	return &Mistake{d.file, line, fmt.Sprintf(format, args...)}
}

// readFile reads a file of the folder, within bounds.
func readFile(dir, name string) ([]byte, error) {
	file := filepath.Join(dir, name)
	wrong := func(format string, args ...any) error { return &Mistake{file, 0, fmt.Sprintf(format, args...)} }
	if !filepath.IsLocal(name) {
		return nil, wrong("the file lies outside of the satellite's folder; move it there")
	}
	f, err := os.Open(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, wrong("there is no such file")
	}
	if err != nil {
		return nil, wrong("it cannot be read (%s)", cause(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err != nil {
		return nil, wrong("it cannot be read (%s)", cause(err))
	}
	if len(text) > maxDocument {
		return nil, wrong("it has more than %d KiB", maxDocument>>10)
	}
	return text, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// parse reads a text as one YAML value; nil where it is empty.
func (d *document) parse(text []byte) (*yaml.Node, error) {
	var root yaml.Node
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	if err := dec.Decode(&root); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		m := yamlLine.FindStringSubmatch(err.Error())
		line := 0
		if m != nil {
			line, _ = strconv.Atoi(m[1])
		}
		return nil, &Mistake{d.file, line, "it is no YAML: " + yamlLine.ReplaceAllString(err.Error(), "")}
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, &Mistake{d.file, 0, "it holds more than one document; keep one"}
	}
	return root.Content[0], nil
}

// value gives a node as JSON has it: nil, bool, string, int, float64, []any, map[string]any.
func (d *document) value(n *yaml.Node, depth int) (any, error) {
	if d.nodes++; d.nodes > maxNodes || depth > maxNesting {
		return nil, d.wrong(n, "it holds too much to be a definition: more than %d values, or %d within each other", maxNodes, maxNesting)
	}
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return nil, d.wrong(n, "anchors and aliases are not read; write the value out")
	case n.Kind == yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, e := range n.Content {
			v, err := d.value(e, depth+1)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case n.Kind == yaml.MappingNode:
		pairs, err := d.pairs(n)
		if err != nil {
			return nil, err
		}
		m := make(map[string]any, len(pairs))
		for _, p := range pairs {
			v, err := d.value(p.value, depth+1)
			if err != nil {
				return nil, err
			}
			m[p.key.Value] = v
		}
		return m, nil
	}
	switch n.ShortTag() {
	case "!!null":
		return nil, nil
	case "!!bool", "!!int", "!!float":
		var v any
		if err := n.Decode(&v); err != nil {
			return nil, d.wrong(n, "%q cannot be read as what it looks like; put it into quotes", n.Value)
		}
		return v, nil
	case "!!str", "!!timestamp":
		return n.Value, nil
	}
	return nil, d.wrong(n, "the tag %s is not read", n.Tag)
}

type pair struct{ key, value *yaml.Node }

// pairs gives the keys of a map and their values, in order.
func (d *document) pairs(n *yaml.Node) ([]pair, error) {
	if n.Kind != yaml.MappingNode {
		return nil, d.wrong(n, "a map is needed here: write key: value")
	}
	seen := map[string]int{}
	var out []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		switch {
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge":
			return nil, d.wrong(key, "a key must be a plain word")
		case seen[key.Value] > 0:
			return nil, d.wrong(key, "%s stands here for the second time, after line %d", key.Value, seen[key.Value])
		}
		seen[key.Value] = key.Line
		out = append(out, pair{key, n.Content[i+1]})
	}
	return out, nil
}

// cause is the innermost error's text.
func cause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}
