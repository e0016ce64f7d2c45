package cluster

import (
	"math"
	"strings"

	"gopkg.in/yaml.v3"
)

// leaf is a value that is kept as it is written, but for the indentation of its lines: a scalar, or a map or list in
// braces or brackets.
type leaf struct {
	lines  []string // of a block scalar, those below its header, without their indentation
	ends   []string // of the lines
	note   string   // the comment behind it, or behind its header
	column int      // where it began, from 0

	flow   bool   // it has braces or brackets
	header string // of a block scalar, such as |-
	indent int    // the indentation that the header asks for; 0: none
	keep   bool   // empty lines behind it are part of it
}

// leaf reads a value up to the end of its last line.
func (r *layoutReader) leaf(n *yaml.Node) *leaf {
	l := &leaf{column: r.column(), flow: n.Kind != yaml.ScalarNode}
	line, offset := r.line, r.offset
	if !r.standsAt(n) {
		r.lose()
		return l
	}
	r.scan(n)
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		if r.line != line { // the tag stands above
			r.lose()
			return l
		}
		l.header = r.text()[offset:r.offset]
		l.note = r.note()
		r.blockLines(l)
		return l
	}
	if r.line > len(r.src.lines) {
		r.lose()
		return l
	}
	for i := line; i <= r.line; i++ {
		text := r.src.line(i)
		if i == r.line {
			text = text[:r.offset]
		}
		if i == line {
			text = text[offset:]
		}
		l.add(trimEnd(text, r.quoted[i]), r.ends[i])
	}
	l.note = r.note()
	if r.peek() != 0 {
		r.lose()
	}
	return l
}

func (l *leaf) add(line, end string) {
	if end == "" {
		end = "\n"
	}
	l.lines, l.ends = append(l.lines, line), append(l.ends, end)
}

// least gives the indentation of the line after the first that has the least, but for a last one that only closes.
func (l *leaf) least() int {
	least := math.MaxInt
	for i, line := range l.lines {
		bare := strings.TrimLeft(line, " \t")
		if i > 0 && bare != "" && (i < len(l.lines)-1 || !closes(bare)) {
			least = min(least, len(line)-len(bare))
		}
	}
	return least
}

// closes tells whether a line begins with a closing brace or bracket.
func closes(line string) bool { return line != "" && (line[0] == '}' || line[0] == ']') }

// trimEnd removes the blanks at the end of a line, but inside double quotes none that a backslash makes part of the text.
func trimEnd(line string, quoted bool) string {
	short := strings.TrimRight(line, " \t")
	if quoted && len(short) < len(line) && (len(short)-len(strings.TrimRight(short, `\`)))%2 == 1 {
		return line[:len(short)+1]
	}
	return short
}

// blockLines reads the lines of a block scalar below its header, as the library's scanner does.
func (r *layoutReader) blockLines(l *leaf) {
	if r.peek() != 0 {
		r.lose()
		return
	}
	parent := -1
	if len(r.path) > 0 {
		parent = r.path[len(r.path)-1].column
	}
	style := strings.LastIndexAny(l.header, "|>")
	digit := strings.Trim(l.header[style+1:], "+-")
	if digit != "" {
		l.indent = int(digit[0] - '0')
	}
	l.keep = strings.Contains(l.header[style:], "+")
	first, lines := r.line, r.src.lines // the line below the header, from 0
	indent := max(parent, 0) + l.indent
	if l.indent == 0 {
		indent = max(parent+1, 1)
		for i := first; i < len(lines); i++ {
			blanks := len(lines[i]) - len(strings.TrimLeft(lines[i], " "))
			indent = max(indent, blanks)
			if blanks < len(lines[i]) {
				break
			}
		}
	}
	end := first
	for i := first; i < len(lines); i++ {
		blanks := len(lines[i]) - len(strings.TrimLeft(lines[i], " "))
		switch {
		case blanks >= indent && len(lines[i]) > indent:
			end = i + 1
		case blanks < len(lines[i]):
			i = len(lines)
		case l.keep && i < len(lines)-1: // the last line has no end, so it is no empty line
			end = i + 1
		}
	}
	for i := first; i < end; i++ {
		l.add(lines[i][min(indent, len(lines[i])):], r.ends[i+1])
	}
	if end == len(lines) && end > first { // the file ends without a line end, and so does the value
		l.header, l.keep = l.header[:style+1]+digit+"-", false
	}
	r.line, r.offset = end+1, 0
}
