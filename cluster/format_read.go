package cluster

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// layoutReader walks the text from value to value, as the decoded document names them. What lies between must be
// punctuation, blanks and comments; where it is anything else, the reader is lost.
type layoutReader struct {
	*layout
	src    *source
	line   int // from 1
	offset int // in bytes, within the line
	path   []open

	quoted map[int]bool   // the lines that end inside double quotes
	ends   map[int]string // of the lines whose end is not the usual one, which a scalar keeps
}

// open is a block that is being read, and the entry of it.
type open struct {
	block  *layoutBlock
	entry  *layoutEntry
	column int // of the block, from 0
}

func readLayout(src *source, root *yaml.Node) *layout {
	r := &layoutReader{layout: &layout{root: &layoutEntry{}}, src: src, line: 1, quoted: map[int]bool{}, ends: lineEnds(src)}
	r.begin()
	if !isBlock(root) { // else what stands above belongs to its first entry
		r.root.head, _ = r.skip()
	}
	r.value(r.root, root)
	gap, _ := r.skip()
	if len(r.path) > 0 {
		r.share(gap, false, nil, -1)
	} else {
		r.rest = gap
	}
	if r.offset == 0 && r.peek() == '.' {
		r.end = r.src.lines[r.line-1:]
		r.line = len(r.src.lines) + 1
	}
	for _, lines := range [][]string{r.start, r.end} {
		for _, line := range lines {
			if text := strings.TrimSpace(line); text != "" {
				r.comments = append(r.comments, text)
			}
		}
	}
	if r.line <= len(r.src.lines) {
		r.lose()
	}
	return r.layout
}

// begin takes the lines up to the --- as they are.
func (r *layoutReader) begin() {
	for i, line := range r.src.lines {
		if line == "---" || strings.HasPrefix(line, "--- ") || strings.HasPrefix(line, "---\t") {
			r.line, r.offset = i+1, len("---")
			note := r.note()
			r.comments = nil // it is told with the line
			r.start = append(r.start, r.src.lines[:i]...)
			r.start = append(r.start, "---"+note)
			return
		}
		if text := strings.TrimSpace(line); text != "" && text[0] != '#' && line[0] != '%' {
			return
		}
	}
}

// block reads a map or a list.
func (r *layoutReader) block(n *yaml.Node) *layoutBlock {
	b := &layoutBlock{list: n.Kind == yaml.SequenceNode}
	depth, step := len(r.path), 2
	if b.list {
		step = 1
	}
	for i := 0; i < len(n.Content) && r.lost == nil; i += step {
		e := &layoutEntry{}
		b.entries = append(b.entries, e)
		gap, blank := r.skip()
		r.share(gap, blank, &open{b, e, r.column()}, depth)
		if b.list {
			r.expect('-')
		} else {
			r.key(e, n.Content[i])
		}
		r.value(e, n.Content[i+step-1])
	}
	return b
}

// key reads a key and its colon.
func (r *layoutReader) key(e *layoutEntry, n *yaml.Node) {
	line, offset := r.line, r.offset
	if !absent(n) && !r.standsAt(n) {
		r.lose()
		return
	}
	r.scan(n)
	if r.line != line {
		r.lose()
		return
	}
	e.name, e.key = n.Value, r.src.line(line)[offset:r.offset]
	r.expect(':')
}

// value reads what stands behind a colon or dash.
func (r *layoutReader) value(e *layoutEntry, n *yaml.Node) {
	if r.lost != nil {
		return
	}
	e.note = r.note()
	switch {
	case absent(n) && r.peek() != '!':
	case isBlock(n):
		e.block = r.block(n)
	default:
		if r.peek() == 0 {
			e.above, _ = r.skip()
			e.below = true
		}
		e.leaf = r.leaf(n)
	}
}

// absent tells whether nothing stands in the file for a value, but perhaps a tag of one character.
func absent(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Style == 0 && n.Value == ""
}

func isBlock(n *yaml.Node) bool {
	return (n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode) && n.Style&yaml.FlowStyle == 0
}
