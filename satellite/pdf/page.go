package pdf

import (
	"errors"
	"math"
	"strings"
	"unicode"

	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/structs"
)

// page is one page of a document.
type page struct {
	number        int     // from 1
	width, height float64 // in points
	lines         []line  // in the order of the file
}

// line is one line of text, cleaned, and where it stands. The place is that of its first character, in points.
type line struct {
	text         string
	size         float64 // height of the character's box, which grows with the font; 0 where unknown
	left, bottom float64 // distance from the left and the lower edge of the page
}

// text is the text of a page, line by line.
func (p page) text() string {
	lines := make([]string, len(p.lines))
	for i, l := range p.lines {
		lines[i] = l.text
	}
	return strings.Join(lines, "\n")
}

// page reads page i, from 0.
func (in *instance) page(ref references.FPDF_DOCUMENT, i int) (page, error) {
	p := page{number: i + 1}
	loaded, err := in.pdfium.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: ref, Index: i})
	if err != nil {
		return p, err
	}
	here := requests.Page{ByReference: &loaded.Page}
	width, err := in.pdfium.FPDF_GetPageWidthF(&requests.FPDF_GetPageWidthF{Page: here})
	if err != nil {
		return p, err
	}
	height, err := in.pdfium.FPDF_GetPageHeightF(&requests.FPDF_GetPageHeightF{Page: here})
	if err != nil {
		return p, err
	}
	p.width, p.height = float64(width.PageWidth), float64(height.PageHeight)

	open, err := in.pdfium.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: here})
	if err != nil {
		return p, err
	}
	count, err := in.pdfium.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: open.TextPage})
	if err != nil {
		return p, err
	}
	if count.Count > 0 {
		// All of the page in one call: a call per character takes three times as long.
		got, err := in.pdfium.FPDFText_GetText(&requests.FPDFText_GetText{TextPage: open.TextPage, Count: count.Count})
		if err != nil {
			return p, err
		}
		if p.lines, err = in.lines(open.TextPage, got.Text); err != nil {
			return p, err
		}
	}
	_, textErr := in.pdfium.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: open.TextPage})
	_, pageErr := in.pdfium.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: loaded.Page})
	return p, errors.Join(textErr, pageErr)
}

// lines finds the place of each line, and puts together what stands side by side, such as the cells of a table's row.
func (in *instance) lines(ref references.FPDF_TEXTPAGE, text string) ([]line, error) {
	var out []line
	at := 0 // index of the line's first character, in characters
	for raw := range strings.SplitAfterSeq(text, "\n") {
		runes := []rune(raw)
		l := line{text: clean(raw)}
		for i, r := range runes {
			if l.text == "" || unicode.IsSpace(r) || unicode.IsControl(r) {
				continue
			}
			box, ok := in.box(ref, at+i)
			if !ok && in.module.IsClosed() {
				return nil, errors.New("the instance has ended")
			}
			if ok {
				l.size, l.left, l.bottom = float64(box.Top-box.Bottom), float64(box.Left), float64(box.Bottom)
			}
			break
		}
		at += len(runes)
		switch last := len(out) - 1; {
		case l.text == "":
		case last >= 0 && l.beside(out[last]):
			out[last].text += " " + l.text
		default:
			out = append(out, l)
		}
	}
	return out, nil
}

// beside tells whether the line stands on the same height as another of its size, to the right of where that begins.
func (l line) beside(other line) bool {
	return l.size > 0 && sizeStep(l.size) == sizeStep(other.size) && l.left > other.left && math.Abs(l.bottom-other.bottom) < l.size/10
}

// box is the box of a character, given by its place in the page's text; that is not its number among PDFium's
// characters, some of which have no text.
func (in *instance) box(ref references.FPDF_TEXTPAGE, at int) (structs.FPDF_FS_RECTF, bool) {
	char, err := in.pdfium.FPDFText_GetCharIndexFromTextIndex(&requests.FPDFText_GetCharIndexFromTextIndex{TextPage: ref, NTextIndex: at})
	if err != nil {
		return structs.FPDF_FS_RECTF{}, false
	}
	box, err := in.pdfium.FPDFText_GetLooseCharBox(&requests.FPDFText_GetLooseCharBox{TextPage: ref, Index: char.CharIndex})
	if err != nil {
		return structs.FPDF_FS_RECTF{}, false
	}
	return box.Rect, true
}

// clean takes out what is no text (control characters, the marks PDFium puts where a word was hyphenated), and
// space at the ends of lines.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\u00a0':
			return ' '
		case unicode.IsControl(r) || r == '\ufffe' || r == '\uffff' || r == '\u00ad':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}
