package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// row is one figure: of what, which one, how much.
type row struct{ what, figure, value string }

// table is everything that was measured.
type table struct {
	header []row // figure is empty
	rows   []row
}

// print writes the table. A name is written once for the rows it stands for.
func (t *table) print(w io.Writer) {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range t.header {
		fmt.Fprintf(out, "%s\t%s\n", r.what, r.value)
	}
	_ = out.Flush()
	fmt.Fprintln(w, strings.Repeat("─", 100))
	last := ""
	for _, r := range t.rows {
		what := r.what
		if what == last {
			what = ""
		}
		last = r.what
		fmt.Fprintf(out, "%s\t%s\t%s\n", what, r.figure, r.value)
	}
	_ = out.Flush()
}
