package cli

import (
	"io"
	"strings"
	"unicode/utf8"
)

// table writes aligned columns. Rows may be flushed page by page: a long list is shown as it comes, and its columns only
// ever grow.
type table struct {
	w      io.Writer
	color  bool
	heads  []string
	rows   [][]string
	widths []int
	headed bool
}

// newTable makes a table with the given heads, written "ID STATE ERROR". A head that begins with > is aligned right.
func (a *app) newTable(heads string) *table {
	t := &table{w: a.stdout, color: a.colorOn(a.stdout), heads: strings.Fields(heads)}
	t.widths = make([]int, len(t.heads))
	for i, h := range t.heads {
		t.widths[i] = utf8.RuneCountInString(strings.TrimPrefix(h, ">"))
	}
	return t
}

// add adds a row, a cell for each head. An empty cell is shown as a dash.
func (t *table) add(cells ...string) {
	for i := range cells {
		if cells[i] = oneLine(cells[i]); cells[i] == "" {
			cells[i] = "-"
		}
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cells[i]))
	}
	t.rows = append(t.rows, cells)
}

// flush writes the rows that were added since the last flush, the heads before the first.
func (t *table) flush() error {
	var b strings.Builder
	if !t.headed {
		t.headed = true
		heads := make([]string, len(t.heads))
		for i, h := range t.heads {
			heads[i] = strings.TrimPrefix(h, ">")
		}
		t.line(&b, heads, true)
	}
	for _, row := range t.rows {
		t.line(&b, row, false)
	}
	t.rows = nil
	_, err := io.WriteString(t.w, b.String())
	return err
}

func (t *table) line(b *strings.Builder, cells []string, head bool) {
	for i, cell := range cells {
		blanks := strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(cell))
		right := strings.HasPrefix(t.heads[i], ">")
		if right {
			b.WriteString(blanks)
		}
		switch hue := hues[cell]; {
		case t.color && head:
			b.WriteString(paint("1", cell))
		case t.color && hue != "" && t.heads[i] == "STATE":
			b.WriteString(paint(hue, cell))
		default:
			b.WriteString(cell)
		}
		if last := i == len(cells)-1; !last {
			if !right {
				b.WriteString(blanks)
			}
			b.WriteString("  ")
		}
	}
	b.WriteByte('\n')
}

// hues are the colours of states of runs, items and nodes: SGR codes.
var hues = map[string]string{
	"succeeded": "32", "alive": "32", "ready": "32", // green
	"running": "36", "retrying": "33", "partial": "33", "suspect": "33", "draining": "33", "paused": "33", "starting": "33", "stopping": "33",
	"failed": "31", "dead": "31", "cancelled": "35",
}

func paint(hue, s string) string { return "\x1b[" + hue + "m" + s + "\x1b[0m" }
