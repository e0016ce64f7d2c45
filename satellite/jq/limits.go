package jq

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The limits of a program, so that checking any takes at most about 50 ms and 16 MiB; limits_test.go measures the memory.
const (
	maxLength  = 16 << 10 // bytes; some 400 lines, beyond which a program is better read in parts
	maxSymbols = 3_000    // each costs up to 1 KiB to compile, and the time grows with their square: an operator is a call inside a call
	maxNesting = 100      // brackets and interpolations within each other; compiling them is recursive
)

// MaxSymbolsOfFile bounds what the programs of one cluster file hold together: 200 for each satellite of the longest list.
// Checking a symbol takes 1 KiB at most, and somewhat more where a program names much of what jq has built in, so that
// compiling a whole file stays below 64 MiB.
const MaxSymbolsOfFile = 40_000

// TooLarge says by what a program is past a limit, and where.
type TooLarge struct {
	Offset  int    // in bytes, of the first symbol past it
	Message string // goes on after what holds the program: "is longer than 16 KiB"
}

// Hint says what to do about it.
func (*TooLarge) Hint() string { return "split the program over several jq satellites" }

// Error gives the message and what to do.
func (e *TooLarge) Error() string { return "the jq program " + e.Message + "; " + e.Hint() }

// Symbols counts the names, values and signs of a program: what compiling it costs goes by them, not by its length. It is 0
// for a program past the limits, which is not compiled.
func Symbols(query string) int {
	n, err := symbols(query)
	if err != nil {
		return 0
	}
	return n
}

// symbols counts them; the error is a *TooLarge.
func symbols(query string) (int, error) {
	if len(query) > maxLength {
		at := maxLength
		for at > 0 && !utf8.RuneStart(query[at]) {
			at--
		}
		return 0, &TooLarge{at, fmt.Sprintf("is longer than %d KiB", maxLength>>10)}
	}
	s := scanner{text: query}
	for s.next() {
		switch {
		case s.symbols > maxSymbols:
			return 0, &TooLarge{s.start, fmt.Sprintf("holds more than %d names, values and signs", maxSymbols)}
		case len(s.open) > maxNesting:
			return 0, &TooLarge{s.start, fmt.Sprintf("is nested more than %d levels deep", maxNesting)}
		}
	}
	return s.symbols, nil
}

// scanner goes through a program's symbols without judging their order.
type scanner struct {
	text    string
	start   int    // of the symbol last found
	at      int    // behind it
	symbols int    // so far
	open    []byte // brackets that are open; a quote for an interpolation, behind which its text goes on
}

// next finds the next symbol; each piece of a text around interpolations is one.
func (s *scanner) next() bool {
	for s.at < len(s.text) {
		c := s.text[s.at]
		if c == '#' {
			s.skip(func(c byte) bool { return c != '\n' && c != '\r' })
			continue
		}
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			break
		}
		s.at++
	}
	if s.at == len(s.text) {
		return false
	}
	s.start = s.at
	s.symbols++
	switch c := s.text[s.at]; {
	case c == '"':
		s.at++
		s.quoted()
	case isWord(c):
		s.skip(isWord)
	default:
		s.at++
		s.bracket(c)
	}
	return true
}

// bracket keeps account of what is open; one that closes something else is left to the parser to tell.
func (s *scanner) bracket(c byte) {
	switch {
	case strings.IndexByte("([{", c) >= 0:
		s.open = append(s.open, c)
	case strings.IndexByte(")]}", c) >= 0 && len(s.open) > 0:
		last := s.open[len(s.open)-1]
		s.open = s.open[:len(s.open)-1]
		if last == '"' {
			s.quoted()
		}
	}
}

// quoted goes to the end of a text, or into the interpolation that comes first.
func (s *scanner) quoted() {
	for s.at < len(s.text) {
		c := s.text[s.at]
		s.at++
		if c == '"' {
			return
		}
		if c == '\\' && s.at < len(s.text) {
			s.at++
			if s.text[s.at-1] == '(' {
				s.open = append(s.open, '"')
				return
			}
		}
	}
}

func (s *scanner) skip(while func(byte) bool) {
	for s.at < len(s.text) && while(s.text[s.at]) {
		s.at++
	}
}

// isWord tells what names and numbers are made of; so is the rest of a character that no program has outside texts.
func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf
}
