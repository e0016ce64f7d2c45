package cluster

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// scan passes over a value; of a block scalar, over its header.
func (r *layoutReader) scan(n *yaml.Node) {
	ofKey := n.Kind == yaml.MappingNode && len(n.Content) > 0 && at(n) == at(n.Content[0])
	if r.peek() == '!' && !ofKey {
		for r.offset < len(r.text()) && r.text()[r.offset] != ' ' && r.text()[r.offset] != '\t' {
			r.offset++
		}
		if n.Kind == yaml.ScalarNode && n.Style&^yaml.TaggedStyle == 0 && n.Value == "" {
			return
		}
		r.toText()
	}
	switch style := n.Style &^ yaml.TaggedStyle; {
	case n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode:
		r.scanFlow(n)
	case style == yaml.DoubleQuotedStyle:
		r.scanDouble()
	case style == yaml.SingleQuotedStyle:
		r.scanSingle()
	case style == yaml.LiteralStyle || style == yaml.FoldedStyle:
		for r.offset < len(r.text()) && strings.IndexByte("|>+-123456789", r.text()[r.offset]) >= 0 {
			r.offset++
		}
	default:
		r.scanPlain(n.Value)
	}
}

// scanFlow passes over a map or list in braces or brackets; the map that is an entry of a list, [key: value], has none.
func (r *layoutReader) scanFlow(n *yaml.Node) {
	bracket := r.peek()
	closed := bracket != '{' && bracket != '['
	if !closed {
		r.offset++
	}
	for _, e := range n.Content {
		m := r.src.locate(at(e))
		if absent(e) && (m.offset >= len(r.src.line(m.Line)) || r.src.line(m.Line)[m.offset] != '!') {
			continue
		}
		if !r.within(&m) {
			r.lose()
			return
		}
		r.scan(e)
	}
	if closed {
		return
	}
	r.within(nil)
	r.expect(bracket + 2) // ] and } are two behind [ and {
}

func (r *layoutReader) scanDouble() {
	r.offset++
	for r.line <= len(r.src.lines) {
		line := r.text()
		for r.offset < len(line) {
			c := line[r.offset]
			r.offset++
			switch c {
			case '"':
				return
			case '\\':
				_, size := utf8.DecodeRuneInString(line[r.offset:])
				r.offset += size
			}
		}
		r.quoted[r.line] = true
		r.line, r.offset = r.line+1, 0
	}
}

func (r *layoutReader) scanSingle() {
	r.offset++
	for r.line <= len(r.src.lines) {
		line := r.text()
		for r.offset < len(line) {
			c := line[r.offset]
			r.offset++
			if c != '\'' {
				continue
			}
			if r.offset == len(line) || line[r.offset] != '\'' {
				return
			}
			r.offset++
		}
		r.line, r.offset = r.line+1, 0
	}
}

// scanPlain passes over plain text: as many characters as its value has, but for blanks, which its lines fold.
func (r *layoutReader) scanPlain(value string) {
	left := 0
	for _, c := range value {
		if !isBlank(c) {
			left++
		}
	}
	for left > 0 && r.line <= len(r.src.lines) {
		line := r.text()
		for left > 0 && r.offset < len(line) {
			c, size := utf8.DecodeRuneInString(line[r.offset:])
			if !isBlank(c) {
				left--
			}
			r.offset += size
		}
		if left > 0 {
			r.line, r.offset = r.line+1, 0
		}
	}
}
