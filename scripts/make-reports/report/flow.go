package report

import (
	"fmt"
	"strings"
)

// flow sets lines one below the other, column after column, page after page.
type flow struct {
	doc    *document
	margin float64
	foot   string // stands at the foot of each page, before its number
	last   int    // fill stops at the end of this page
	words  int    // fill begins so many paragraphs later than it is told

	x, y, width float64 // left edge of the column, next line's upper edge, width of the column
	top         float64 // where columns begin on this page
	columns     int     // per page
	column      int     // the present one, from 0
	gap         float64
}

func newFlow(r Report, f family, width, height, margin float64) *flow {
	fl := &flow{doc: &document{family: f, width: width, height: height, compress: r.compress},
		margin: margin, foot: r.Company, last: r.Pages, words: r.words, columns: 1}
	fl.nextPage()
	return fl
}

// end finishes the present page with its foot.
func (f *flow) end() *document {
	f.doc.text(f.margin, 32, 8, false, fmt.Sprintf("%s – page %d", f.foot, len(f.doc.pages)))
	return f.doc
}

func (f *flow) nextPage() {
	if len(f.doc.pages) > 0 {
		f.end()
	}
	f.doc.newPage()
	f.top, f.y = f.doc.height-f.margin, f.doc.height-f.margin
	f.column = 0
	f.place()
}

// split divides the rest of this page, and the pages after it, into n columns.
func (f *flow) split(n int, gap float64) {
	f.columns, f.column, f.gap, f.top = n, 0, gap, f.y-gap
	f.y = f.top
	f.place()
}

// place puts the cursor's left edge where the present column begins.
func (f *flow) place() {
	n := float64(f.columns)
	f.width = (f.doc.width - 2*f.margin - (n-1)*f.gap) / n
	f.x = f.margin + float64(f.column)*(f.width+f.gap)
}

// fits says whether height points are left in this column.
func (f *flow) fits(height float64) bool { return f.y-height >= max(f.margin, 48) }

// advance goes to the next column, or page.
func (f *flow) advance() {
	if f.column++; f.column == f.columns {
		f.nextPage()
		return
	}
	f.y = f.top
	f.place()
}

func (f *flow) skip(height float64) { f.y -= height }

// line sets s as it is.
func (f *flow) line(size float64, bold bool, s string) {
	if !f.fits(1.35 * size) {
		f.advance()
	}
	f.doc.text(f.x, f.y-size, size, bold, s)
	f.y -= 1.35 * size
	if bold { // a heading
		f.y -= 0.35 * size
	}
}

// headline sets s in bold letters on one line, in a smaller size where it would not fit.
func (f *flow) headline(size float64, s string) {
	for 1.08*f.doc.family.width(s, size) > f.width { // bold letters are a little wider
		size -= 0.5
	}
	f.line(size, true, s)
}

// entry sets a line of a table of contents.
func (f *flow) entry(size float64, s string, page int) {
	dots := (f.width - f.doc.family.width(fmt.Sprintf("%s  %d", s, page), size)) / f.doc.family.width(".", size)
	f.line(size, false, fmt.Sprintf("%s %s %d", s, strings.Repeat(".", int(dots)), page))
}

// paragraph breaks s into lines and leaves a gap below.
func (f *flow) paragraph(size float64, s string) {
	for _, l := range f.wrap(size, s) {
		f.line(size, false, l)
	}
	f.y -= 0.7 * size
}

func (f *flow) wrap(size float64, s string) []string {
	lines := []string{""}
	for _, word := range strings.Fields(s) {
		now := &lines[len(lines)-1]
		switch longer := strings.TrimSpace(*now + " " + word); {
		case f.doc.family.width(longer, size) <= f.width:
			*now = longer
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// fill sets invented paragraphs, the nth first, until the page f.last is full.
func (f *flow) fill(size float64, n int) {
	for n += f.words; ; n++ {
		if n%4 == 0 && f.fits(12*size) {
			f.line(size+2, true, topics[n/4%len(topics)])
		}
		if s := paragraph(n); f.fits(1.35 * size * float64(len(f.wrap(size, s)))) {
			f.paragraph(size, s)
		} else if len(f.doc.pages) < f.last || f.column < f.columns-1 {
			f.advance()
			f.paragraph(size, s)
		} else {
			return
		}
	}
}

// statement sets the income statement as a table: label at the left, amounts flush right in two columns.
func (f *flow) statement(size float64, r Report) {
	row := func(bold bool, label, now, before string) {
		y := f.y - size
		f.doc.text(f.x, y, size, bold, label)
		f.doc.text(f.x+0.7*f.width-f.doc.family.width(now, size), y, size, bold, now)
		f.doc.text(f.x+f.width-f.doc.family.width(before, size), y, size, false, before)
		f.doc.rule(f.x, y-0.4*size, f.width)
		f.y -= 1.7 * size
	}
	row(true, "", r.Quarter+" "+r.Year, "a year before")
	for _, g := range r.figures() {
		row(false, g.label, amount(g.now), amount(g.before))
	}
}
