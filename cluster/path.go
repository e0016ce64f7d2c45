package cluster

import (
	"fmt"
	"strconv"
	"strings"
)

// Path is a reference inside ${{ }}: a root word, names joined by dots, positions in brackets. Names may hold hyphens, so
// there is no subtraction.
type Path struct {
	Source   string // as written, without the braces and outer blanks
	Root     string // secrets, satellites, failure, cluster, run or trigger
	Step     string // of satellites.STEP.output…
	Segments []Segment
}

// Segment is one step down into a value.
type Segment struct {
	Name     string // a field; on a list it maps over it
	Index    int    // a position, where IsIndex
	IsIndex  bool
	Optional bool // written `name?`: a missing field is null
}

// PathError is what is wrong with the text of a path.
type PathError struct {
	Offset  int // in bytes, from the start of the source
	Message string
	Hint    string
}

// Error implements error.
func (e *PathError) Error() string { return e.Message }

// ParsePath reads the inside of ${{ }}. Names are not looked up; the compiler does that.
func ParsePath(source string) (*Path, error) {
	lead := len(source) - len(strings.TrimLeft(source, " \t\r\n"))
	text := strings.TrimSpace(source)
	if text == "" {
		return nil, &PathError{Offset: 0, Message: "the expression is empty", Hint: "write a path such as ${{ satellites.parse.output }}"}
	}
	p := &Path{Source: text}
	i := 0
	fail := func(at int, hint, format string, args ...any) error {
		return &PathError{Offset: lead + at, Message: fmt.Sprintf(format, args...), Hint: hint}
	}
	name := func() (string, error) {
		start := i
		for i < len(text) && isNameByte(text[i], i == start) {
			i++
		}
		if i == start {
			if i == len(text) {
				return "", fail(i, "", "a name is missing at the end of %q", text)
			}
			return "", fail(i, "", "a name cannot begin with %q", firstRune(text[i:]))
		}
		return text[start:i], nil
	}
	root, err := name()
	if err != nil {
		return nil, err
	}
	p.Root = root
	if n := strings.Count(text[i:], ".") + strings.Count(text[i:], "["); n > 0 {
		p.Segments = make([]Segment, 0, n)
	}
	for i < len(text) {
		switch text[i] {
		case '.':
			i++
			n, err := name()
			if err != nil {
				return nil, err
			}
			s := Segment{Name: n}
			if i < len(text) && text[i] == '?' {
				s.Optional = true
				i++
			}
			p.Segments = append(p.Segments, s)
		case '[':
			end := strings.IndexByte(text[i:], ']')
			if end < 0 {
				return nil, fail(i, "close it with ]", "the bracket is not closed")
			}
			n, err := strconv.Atoi(strings.TrimSpace(text[i+1 : i+end]))
			if err != nil || n < 0 {
				return nil, fail(i+1, "positions count from 0, as in output[0]", "%q is no position in a list", text[i+1:i+end])
			}
			i += end + 1
			s := Segment{Index: n, IsIndex: true}
			if i < len(text) && text[i] == '?' {
				s.Optional = true
				i++
			}
			p.Segments = append(p.Segments, s)
		default:
			return nil, fail(i, "", "%q is not expected here", firstRune(text[i:]))
		}
	}
	if p.Root == "satellites" && len(p.Segments) > 0 && !p.Segments[0].IsIndex {
		p.Step = p.Segments[0].Name
		p.Segments = p.Segments[1:]
	}
	return p, nil
}

// Whole tells whether the path is satellites.X.output and nothing below it.
func (p *Path) Whole() bool {
	return p.Root == "satellites" && len(p.Segments) == 1 && p.Segments[0].Name == "output"
}

func isNameByte(c byte, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
		return true
	case c >= '0' && c <= '9', c == '-':
		return !first || c != '-'
	}
	return false
}

func firstRune(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

// walk follows segments into a value. The error is a sentence without a place; the caller knows the item.
func walk(v any, segments []Segment) (any, error) {
	var err error
	for n, s := range segments {
		if v, err = s.take(v, n > 0 && segments[n-1].Optional); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// take goes one segment down. absent: what came before may be missing, so that nothing is below null, too.
func (s Segment) take(v any, absent bool) (any, error) {
	list, isList := v.([]any)
	switch {
	case s.IsIndex && isList && s.Index < len(list):
		return list[s.Index], nil
	case s.IsIndex && (s.Optional || v == nil && absent):
		return nil, nil
	case s.IsIndex && isList:
		return nil, fmt.Errorf("[%d] is past the end of a list of %d", s.Index, len(list))
	case s.IsIndex:
		return nil, fmt.Errorf("[%d] takes from a list, but the value is %s", s.Index, kindOf(v))
	case isList: // maps over it
		out := make([]any, len(list))
		for i, e := range list {
			var err error
			if out[i], err = s.take(e, absent); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		if s.Optional || v == nil && absent {
			return nil, nil
		}
		return nil, fmt.Errorf("there is no field %q in %s", s.Name, kindOf(v))
	}
	e, ok := m[s.Name]
	if !ok && !s.Optional {
		return nil, fmt.Errorf("there is no field %q; the fields are %s", s.Name, fieldList(m))
	}
	return e, nil
}
