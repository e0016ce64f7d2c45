package cluster

import (
	"strings"
	"unicode/utf8"
)

// layoutWriter writes a layout in canonical form.
type layoutWriter struct {
	strings.Builder
	full bool // an empty line would become part of the value above
}

func (l *layout) write() []byte {
	w := &layoutWriter{}
	w.asTheyAre(l.start)
	w.aside(l.root.head, 0)
	if l.root.block != nil {
		w.block(l.root.block, 0, "")
	} else if l.root.leaf != nil {
		w.leaf(l.root.leaf, -2, "")
	}
	w.aside(l.rest, 0)
	w.asTheyAre(l.end)
	return []byte(w.String())
}

// block writes the entries of a block, and what belongs to all of it. Begun is what stands on the line of the first entry
// already: the dash of the entry that holds the block; else it is empty.
func (w *layoutWriter) block(b *layoutBlock, column int, begun string) {
	w.aside(b.opening, column)
	for i, e := range b.entries {
		if i > 0 && len(b.entries[i-1].foot) > 0 {
			*e.lead() = true
		}
		w.aside(e.head, column)
		if e.blank {
			w.empty()
		}
		if begun == "" {
			begun = strings.Repeat(" ", column)
		}
		w.entry(b, e, column, begun)
		begun = ""
		w.aside(e.inner, column+2)
		w.aside(e.foot, column)
	}
	w.aside(b.tail, column)
}

// entry writes a key or dash and its value.
func (w *layoutWriter) entry(b *layoutBlock, e *layoutEntry, column int, begun string) {
	begun += e.key + ":"
	if b.list {
		begun = begun[:len(begun)-1] + "-"
	}
	switch {
	case e.block != nil && b.list:
		w.block(e.block, column+2, begun+" ")
	case e.block != nil:
		w.line(begun + e.note)
		w.block(e.block, column+2, "")
	case e.leaf != nil && e.below:
		w.line(begun + e.note)
		w.aside(e.above, column+2)
		w.leaf(e.leaf, column, strings.Repeat(" ", column+2))
	case e.leaf != nil:
		w.leaf(e.leaf, column, begun+" ")
	default:
		w.line(begun + e.note)
	}
}

// leaf writes a value behind what its line begins with. Column is that of the block around it, 2 less than that of its
// further lines.
func (w *layoutWriter) leaf(l *leaf, column int, begun string) {
	lines, indent := l.lines, column+2
	if l.header != "" {
		w.line(begun + l.header + l.note)
		switch {
		case l.indent > 0:
			indent = max(column, 0) + l.indent
		case column < 0:
			indent = 2
		}
		for i, text := range lines {
			w.text(indent, text, l.ends[i])
		}
		w.full = l.keep
		return
	}
	moved := utf8.RuneCountInString(begun) - l.column
	further := max(moved, indent-l.least())
	for i, text := range lines {
		bare, end := strings.TrimLeft(text, " \t"), l.ends[i]
		blanks, last := len(text)-len(bare), i == len(lines)-1
		if last {
			bare += l.note
			end = "\n"
		}
		switch {
		case i == 0:
			w.text(0, begun+bare, end)
		case !l.flow:
			w.text(indent, bare, end)
		case last && closes(bare):
			w.text(max(blanks+moved, column, 0), bare, end)
		default:
			w.text(blanks+further, bare, end)
		}
	}
	w.full = false
}

// aside writes comments that have lines of their own.
func (w *layoutWriter) aside(comments []comment, column int) {
	for _, c := range comments {
		if c.blank {
			w.empty()
		}
		w.line(strings.Repeat(" ", column) + c.text)
	}
}

// asTheyAre writes lines that only have the blanks at their ends removed, and their empty lines thinned.
func (w *layoutWriter) asTheyAre(lines []string) {
	blank := false
	for _, line := range lines {
		line = strings.TrimRight(line, " \t")
		if line == "" {
			blank = true
			continue
		}
		if blank {
			w.empty()
			blank = false
		}
		w.line(line)
	}
}

// empty writes an empty line where there is none yet.
func (w *layoutWriter) empty() {
	if s := w.String(); s != "" && !strings.HasSuffix(s, "\n\n") && !w.full {
		w.WriteByte('\n')
	}
}

func (w *layoutWriter) line(s string) {
	w.WriteString(s)
	w.WriteByte('\n')
	w.full = false
}

// text writes a line of a value; an empty one without its indentation.
func (w *layoutWriter) text(indent int, s, end string) {
	if s != "" {
		w.WriteString(strings.Repeat(" ", indent))
	}
	w.WriteString(s)
	w.WriteString(end)
}
