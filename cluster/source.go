package cluster

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Pos is a place in a cluster file: line and column from 1, the column in characters.
type Pos struct {
	Line, Column int
}

func (p Pos) before(o Pos) bool {
	return p.Line < o.Line || p.Line == o.Line && p.Column < o.Column
}

// source is the text of a cluster file, cut into lines as YAML cuts it.
type source struct {
	file  string
	text  []byte
	lines []string
	ends  []int // of the lines, in bytes, behind the line break

	noText bool // there is none: lines stand for something else, and nothing is looked for within them

	last mark // where locate found the place asked for last: asked in file order, each line is walked once
}

// mark is a place in the text: Pos and the byte within the line.
type mark struct {
	Pos
	offset int
}

func newSource(file string, text []byte) *source {
	s := &source{file: file, text: text}
	count := bytes.Count(text, []byte("\n")) + 1 // most end so
	s.lines, s.ends = make([]string, 0, count), make([]int, 0, count)
	rest := string(text)
	next := nextBreak
	if strings.IndexByte(rest, '\r') < 0 && strings.IndexByte(rest, 0xc2) < 0 && strings.IndexByte(rest, 0xe2) < 0 { // no other breaks
		next = func(text string) int { return strings.IndexByte(text, '\n') }
	}
	for rest != "" {
		i := next(rest)
		if i < 0 {
			break
		}
		s.lines = append(s.lines, rest[:i])
		if strings.HasPrefix(rest[i:], "\r\n") {
			i++
		}
		_, size := utf8.DecodeRuneInString(rest[i:])
		rest = rest[i+size:]
		s.ends = append(s.ends, len(text)-len(rest))
	}
	s.lines = append(s.lines, rest)
	s.ends = append(s.ends, len(text))
	return s
}

// nextBreak gives the place of the first line break; less than 0 where there is none.
func nextBreak(text string) int {
	for i := range len(text) {
		switch text[i] {
		case '\n', '\r':
			return i
		case 0xc2, 0xe2: // with which the other breaks begin
			if rest := text[i:]; strings.HasPrefix(rest, "\u0085") || strings.HasPrefix(rest, "\u2028") || strings.HasPrefix(rest, "\u2029") {
				return i
			}
		}
	}
	return -1
}

// line gives a line by its number from 1, without its end; empty past the end.
func (s *source) line(n int) string {
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}

// locate gives the mark of a place.
func (s *source) locate(p Pos) mark {
	m := s.last
	if m.Line != p.Line || m.Column > p.Column {
		m = mark{Pos: Pos{p.Line, 1}}
	}
	line := s.line(p.Line)
	for m.Column < p.Column && m.offset < len(line) {
		_, size := utf8.DecodeRuneInString(line[m.offset:])
		m.offset += size
		m.Column++
	}
	s.last = m
	return m
}

// place gives the line and column of a byte of the whole text.
func (s *source) place(offset int) Pos {
	at := 0
	for n, line := range s.lines {
		end := at + len(line)
		if offset <= end {
			return Pos{n + 1, utf8.RuneCountInString(line[:max(0, offset-at)]) + 1}
		}
		at = end + lineBreak(s.text[end:])
	}
	return Pos{len(s.lines), 1}
}

// lineBreak is the length in bytes of the line break that the text begins with.
func lineBreak(text []byte) int {
	if len(text) > 1 && text[0] == '\r' && text[1] == '\n' {
		return 2
	}
	_, size := utf8.DecodeRune(text)
	return size
}

// firstText gives the column of the first character of a line that is no blank.
func firstText(line string) int {
	return utf8.RuneCountInString(line[:len(line)-len(strings.TrimLeft(line, " \t"))]) + 1
}
