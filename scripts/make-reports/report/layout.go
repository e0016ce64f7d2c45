package report

import (
	"fmt"
	"strings"
)

// layout typesets a report on exactly r.Pages pages.
type layout func(r Report) *document

const (
	a4Width, a4Height         = 595, 842
	letterWidth, letterHeight = 612, 792
)

// letter is a plain letter to the shareholders, with the figures in its middle, a line each.
func letter(r Report) *document {
	f := newFlow(r, helvetica, letterWidth, letterHeight, 72)
	f.headline(14, r.title())
	f.line(11, false, r.published("January 2, 2006"))
	f.skip(11)
	f.line(11, false, "Dear shareholders,")
	f.paragraph(11, paragraph(1))
	for _, g := range r.figures() {
		f.line(11, false, fmt.Sprintf("%s  %s million %s", g.label, amount(g.now), r.Currency))
	}
	f.skip(11)
	f.fill(11, 2)
	return f.end()
}

// table is a report with an income statement in columns: label, this year's quarter, last year's.
func table(r Report) *document {
	f := newFlow(r, times, a4Width, a4Height, 64)
	f.headline(18, r.title())
	f.line(10, false, "Published on "+r.published("2 January 2006")+". Figures are unaudited.")
	f.skip(12)
	f.line(13, true, "Income statement, in million "+r.Currency)
	f.statement(11, r)
	f.skip(12)
	f.fill(11, 3)
	return f.end()
}

// newsletter has a masthead over two columns.
func newsletter(r Report) *document {
	f := newFlow(r, helvetica, a4Width, a4Height, 48)
	f.doc.kern = true
	f.headline(17, r.title())
	f.doc.rule(f.margin, f.y, f.doc.width-2*f.margin)
	f.split(2, 24)
	f.line(12, true, "The quarter in short")
	f.paragraph(9.5, paragraph(4))
	f.line(12, true, "Key figures")
	for _, g := range r.figures() {
		f.line(9.5, false, fmt.Sprintf("%s  %s million %s", g.label, amount(g.now), r.Currency))
	}
	f.skip(9.5)
	f.fill(9.5, 5)
	return f.end()
}

// typewriter is set in Courier, with dots that lead from label to amount.
func typewriter(r Report) *document {
	f := newFlow(r, courier, a4Width, a4Height, 60)
	f.headline(11, r.title())
	f.skip(10)
	for _, g := range r.figures() {
		value := amount(g.now)
		f.line(10, false, g.label+" "+strings.Repeat(".", 44-len(g.label)-len(value))+" "+value+" million "+r.Currency)
	}
	f.skip(10)
	f.fill(10, 6)
	return f.end()
}

// wide leaves margins for notes and numbers the paragraphs.
func wide(r Report) *document {
	f := newFlow(r, times, a4Width, a4Height, 130)
	f.headline(13, r.title())
	f.skip(30)
	f.paragraph(12, "The board met in "+r.published("January")+" and approved the figures below. "+paragraph(7))
	for i, g := range r.figures() {
		f.line(12, false, fmt.Sprintf("%d.  %s: %s million %s", i+1, g.label, amount(g.now), r.Currency))
	}
	f.skip(12)
	f.fill(12, 8)
	return f.end()
}

// book has a cover, a table of contents, a page of key figures, and sections that each begin on a new page.
func book(r Report) *document {
	const front, perSection = 3, 4
	f := newFlow(r, helvetica, a4Width, a4Height, 80)
	f.skip(240)
	f.headline(18, r.title())
	f.line(12, false, "Published on "+r.published("2 January 2006"))

	f.nextPage()
	f.line(16, true, "Contents")
	f.entry(11, "Key figures", front)
	for i, at := 0, front+1; at <= r.Pages; i, at = i+1, at+perSection {
		f.entry(11, fmt.Sprintf("%d  %s", i+1, topics[i%len(topics)]), at)
	}

	f.nextPage()
	f.line(16, true, "Key figures")
	f.line(11, false, "In million "+r.Currency+", last year’s quarter beside this year’s.")
	f.statement(11, r)

	for i, at := 0, front+1; at <= r.Pages; i, at = i+1, at+perSection {
		f.nextPage()
		f.line(16, true, fmt.Sprintf("%d  %s", i+1, topics[i%len(topics)]))
		f.last = min(at+perSection-1, r.Pages)
		f.fill(11, 10+31*i)
	}
	return f.end()
}
