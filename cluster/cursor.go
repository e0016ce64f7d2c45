package cluster

import (
	"strconv"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// cursor walks a scalar as it is written, and so tells where a part of its value stands in the file. YAML folds lines
// and takes indentation away, but leaves every character that is no blank in its order: the n-th of the value is the
// n-th of the text. Escapes of quoted scalars are read as what they stand for.
type cursor struct {
	src   *source
	at    mark
	style yaml.Style
}

func newCursor(src *source, n *yaml.Node) *cursor {
	if src.noText {
		return &cursor{src: src, at: mark{Pos: Pos{n.Line, n.Column}}}
	}
	c := &cursor{src: src, at: src.locate(Pos{n.Line, n.Column}), style: n.Style &^ yaml.TaggedStyle}
	for n.Style&yaml.TaggedStyle != 0 || n.Anchor != "" { // the position is that of the tag or anchor
		r, at := c.peek()
		if r != '!' && r != '&' {
			break
		}
		for r, next := c.peek(); r != 0 && next.Line == at.Line && !isBlank(c.raw()); r, next = c.peek() {
			c.skip()
		}
	}
	switch {
	case c.style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0: // the content begins on the line after |, >
		c.peek()
		c.at = mark{Pos: Pos{c.at.Line + 1, 1}}
	case c.style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		c.peek()
		c.skip()
	}
	return c
}

// advance passes over the next part of the scalar's value.
func (c *cursor) advance(passed string) {
	if c.src.noText {
		return
	}
	for _, r := range passed {
		if !isBlank(r) {
			c.next()
		}
	}
}

// place gives where the next character that is no blank stands.
func (c *cursor) place() Pos {
	if c.src.noText {
		return c.at.Pos
	}
	saved := *c
	_, at := c.next()
	*c = saved
	return at
}

// next reads one character of the value that is no blank; 0 at the end of the text.
func (c *cursor) next() (rune, Pos) {
	for {
		r, at := c.peek()
		if r == 0 {
			return 0, at
		}
		c.skip()
		switch {
		case r == '\'' && c.style&yaml.SingleQuotedStyle != 0 && c.raw() == '\'':
			c.skip()
		case r == '\\' && c.style&yaml.DoubleQuotedStyle != 0:
			if r = c.escape(); r == 0 || isBlank(r) {
				continue
			}
		}
		return r, at
	}
}

// escape reads what follows a backslash; 0 for the escaped end of a line.
func (c *cursor) escape() rune {
	r := c.raw()
	if r == 0 {
		return 0
	}
	c.skip()
	digits := 0
	switch r {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	case 'n', 't', 'r', ' ', '\t', 'N', 'L', 'P':
		return ' '
	}
	if digits == 0 {
		return r // which character it is does not matter, only that it is one
	}
	var hex []byte
	for range digits {
		hex = utf8.AppendRune(hex, c.raw())
		c.skip()
	}
	if v, err := strconv.ParseUint(string(hex), 16, 32); err == nil && isBlank(rune(v)) {
		return ' '
	}
	return 'x'
}

// peek moves over blanks and line ends to the next character.
func (c *cursor) peek() (rune, Pos) {
	for c.at.Line <= len(c.src.lines) {
		r := c.raw()
		if r == 0 {
			c.at = mark{Pos: Pos{c.at.Line + 1, 1}}
			continue
		}
		if !isBlank(r) {
			return r, c.at.Pos
		}
		c.skip()
	}
	return 0, Pos{len(c.src.lines), 1}
}

// raw is the character at the cursor; 0 at the end of a line.
func (c *cursor) raw() rune {
	line := c.src.line(c.at.Line)
	if c.at.offset >= len(line) {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(line[c.at.offset:])
	return r
}

func (c *cursor) skip() {
	line := c.src.line(c.at.Line)
	if c.at.offset < len(line) {
		_, size := utf8.DecodeRuneInString(line[c.at.offset:])
		c.at.offset += size
		c.at.Column++
	}
}

func isBlank(r rune) bool {
	switch r {
	case ' ', '\t', '\n', '\r', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}
