package cluster

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Severity tells whether a diagnostic stands in the way of a plan.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Diagnostic is one thing that is wrong, or worth a look, in a cluster file.
type Diagnostic struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`   // from 1
	Column   int      `json:"column"` // from 1, in characters
	Severity Severity `json:"severity"`
	Code     string   `json:"code"` // "ORB-C012"; see Explain
	Message  string   `json:"message"`
	Hint     string   `json:"hint"` // what to try; may be empty

	source string // the line, for Render
}

// String gives the first line that Render writes, without color.
func (d Diagnostic) String() string {
	return fmt.Sprintf("%s:%d:%d: %s[%s]: %s", d.File, d.Line, d.Column, d.Severity, d.Code, d.Message)
}

// Attach gives the diagnostics the lines of the file they speak of, so that Render can show them. Diagnostics of Compile
// have theirs; those that came as JSON have not.
func Attach(ds []Diagnostic, source []byte) {
	s := newSource("", source)
	for i := range ds {
		ds[i].source = s.line(ds[i].Line)
		if ds[i].Code == codeInlineSecret {
			ds[i].source = ds[i].source[:s.locate(Pos{ds[i].Line, ds[i].Column}).offset] + hidden
		}
	}
}

// sortDiagnostics puts them into file order; of several at one place, errors come first.
func sortDiagnostics(ds []Diagnostic) {
	slices.SortStableFunc(ds, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Severity, b.Severity))
	})
}

// Render writes diagnostics for people: what and where, the line, a caret under the place, and the hint.
func Render(w io.Writer, ds []Diagnostic, color bool) {
	paint := func(code, s string) string {
		if !color {
			return s
		}
		return "\x1b[" + code + "m" + s + "\x1b[0m"
	}
	var b strings.Builder
	var last string // the line shown last, and its characters: many may stand on one
	var runes []rune
	for _, d := range ds {
		hue := "1;31" // red
		if d.Severity == SeverityWarning {
			hue = "1;33" // yellow
		}
		fmt.Fprintf(&b, "%s %s %s\n", paint("1", fmt.Sprintf("%s:%d:%d:", d.File, d.Line, d.Column)),
			paint(hue, fmt.Sprintf("%s[%s]:", d.Severity, d.Code)), d.Message)
		if !blankLine(d.source) {
			if d.source != last {
				last, runes = d.source, []rune(strings.TrimRight(d.source, " \t"))
			}
			line, lead := excerpt(runes, d.Column)
			number := lineNumber(d.Line)
			fmt.Fprintf(&b, "%s%s\n%s%s%s\n", number, line, strings.Repeat(" ", len(number)), lead, paint(hue, "^"))
		}
		if d.Hint != "" {
			fmt.Fprintf(&b, "%s %s\n", paint("1;36", "hint:"), d.Hint)
		}
	}
	_, _ = io.WriteString(w, b.String())
}

func blankLine(line string) bool { return strings.TrimLeft(line, " \t") == "" }

// lineNumber stands before a line of the file.
func lineNumber(n int) string { return fmt.Sprintf("%5d | ", n) }

// excerptWidth bounds the part of a long line that is shown, in characters.
const excerptWidth = 160

// excerpt gives what to show of a line's characters, and blanks as wide as what stands before the column. Tabs stay tabs, so that
// both lines break alike on any terminal; control characters are shown as a dot.
func excerpt(runes []rune, column int) (shown, lead string) {
	at := min(max(column-1, 0), len(runes))
	from, to := 0, len(runes)
	if len(runes) > excerptWidth {
		from = max(0, min(at-excerptWidth/2, len(runes)-excerptWidth))
		to = min(len(runes), from+excerptWidth)
	}
	var s, l strings.Builder
	if from > 0 {
		s.WriteString("…")
		l.WriteByte(' ')
	}
	for i, r := range runes[from:to] {
		if r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == utf8.RuneError) {
			r = '·'
		}
		s.WriteRune(r)
		if from+i < at {
			if r == '\t' {
				l.WriteByte('\t')
			} else {
				l.WriteString("  "[:width(r)])
			}
		}
	}
	if to < len(runes) {
		s.WriteString("…")
	}
	return s.String(), l.String()
}

// width is the number of columns that a terminal gives to a character.
func width(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff:
		return 2
	}
	return 1
}
