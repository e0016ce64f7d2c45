package cluster

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// skip passes over the rest of a line that has been read, and over comments and empty lines, to the next text. It gives
// the comments, and tells whether an empty line stands right above the text.
func (r *layoutReader) skip() (gap []comment, blank bool) {
	for r.line <= len(r.src.lines) {
		whole := r.offset == 0
		switch r.peek() {
		case 0:
			blank = blank || whole
		case '#':
			gap = append(gap, comment{r.comment(), r.column(), blank})
			blank = false
		default:
			return gap, blank
		}
		r.line, r.offset = r.line+1, 0
	}
	return gap, blank
}

// note reads the comment that stands behind something on its line, with the blanks before it.
func (r *layoutReader) note() string {
	from := r.offset
	if from == 0 || r.peek() != '#' {
		return ""
	}
	space := r.text()[from:r.offset]
	if space == "" || strings.Contains(space, "\t") {
		space = " "
	}
	note := space + r.comment()
	r.offset = len(r.text())
	return note
}

// comment notes the comment at the reader's place.
func (r *layoutReader) comment() string {
	text := strings.TrimRight(r.text()[r.offset:], " \t")
	r.comments = append(r.comments, text)
	return text
}

// toText passes over blanks, line ends and comments.
func (r *layoutReader) toText() {
	for r.line <= len(r.src.lines) {
		switch r.peek() {
		case '#':
			r.comment()
		case 0:
		default:
			return
		}
		r.line, r.offset = r.line+1, 0
	}
}

// within passes over what may stand between two values in braces or brackets, but not over the target. It tells whether it
// came there.
func (r *layoutReader) within(target *mark) bool {
	for r.toText(); r.line <= len(r.src.lines); r.toText() {
		if target != nil && target.Line == r.line && target.offset == r.offset {
			return true
		}
		if strings.IndexByte(",:?", r.peek()) < 0 {
			return false
		}
		r.offset++
	}
	return false
}

// peek passes over blanks to the next character of the line; 0 at its end.
func (r *layoutReader) peek() byte {
	line := r.text()
	for r.offset < len(line) && (line[r.offset] == ' ' || line[r.offset] == '\t') {
		r.offset++
	}
	if r.offset >= len(line) {
		return 0
	}
	return line[r.offset]
}

// expect passes over a character.
func (r *layoutReader) expect(c byte) {
	if r.peek() != c {
		r.lose()
		return
	}
	r.offset++
}

// text is the line where the reader is.
func (r *layoutReader) text() string { return r.src.line(r.line) }

// column is the reader's column, from 0.
func (r *layoutReader) column() int {
	return utf8.RuneCountInString(r.text()[:r.offset])
}

// standsAt tells whether the reader is where a value begins.
func (r *layoutReader) standsAt(n *yaml.Node) bool {
	m := r.src.locate(at(n))
	return m.Line == r.line && m.offset == r.offset
}

// lose notes where the reader came upon something that it did not expect.
func (r *layoutReader) lose() {
	if r.lost == nil {
		r.lost = &Pos{r.line, r.column() + 1}
	}
}

// lineEnds finds the line ends that scalars keep: the separators U+2028 and U+2029. All others become a line feed there.
func lineEnds(src *source) map[int]string {
	ends := map[int]string{}
	offset := 0
	for i, line := range src.lines {
		offset += len(line)
		if offset == len(src.text) {
			break
		}
		size := lineBreak(src.text[offset:])
		if size == len("\u2028") {
			ends[i+1] = string(src.text[offset : offset+size])
		}
		offset += size
	}
	return ends
}
