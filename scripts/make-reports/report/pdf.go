package report

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
)

// family is one of the standard fonts that every PDF reader has, so that no font need be embedded.
type family struct {
	regular, bold string
	widths        string // width of the characters from space to ~ in 1/1000 of the size, three digits each; or one width for all
}

// The widths are those of Adobe's published metrics for the standard fonts; @ (above 999 in Helvetica) is cut to 999.
var (
	helvetica = family{"Helvetica", "Helvetica-Bold", "" +
		"278278355556556889667191333333389584278333278278556556556556556556556556556556278278584584584556" +
		"999667667722722667611778722278500667556833722778667778722667611722667944667667611278278278469556" +
		"333556556500556556278556556222222500222833556556556556333500278556500722500500500334260334584"}
	times = family{"Times-Roman", "Times-Bold", "" +
		"250333408500500833778180333333500564250333250278500500500500500500500500500500278278564564564444" +
		"921722667667722611556722722333389722611889722722556722667556611722722944722722611333278333469500" +
		"333444500444500444333500500278278500278778500500500500333389278500500722500500444480200480541"}
	courier = family{"Courier", "Courier-Bold", "600"}
)

// width is the length of s in points. Characters beyond ASCII count as wide as an "n".
func (f family) width(s string, size float64) float64 {
	total := 0
	for _, r := range s {
		i := 3 * (int(r) - ' ')
		if r < ' ' || r > '~' {
			i = 3 * ('n' - ' ')
		}
		if len(f.widths) == 3 {
			i = 0
		}
		for n, d := range f.widths[i : i+3] {
			total += int(d-'0') * []int{100, 10, 1}[n]
		}
	}
	return float64(total) * size / 1000
}

// document is a PDF in the making: pages that are painted one after the other. Points are counted from the lower left
// corner of the page.
type document struct {
	family        family
	width, height float64
	compress      bool // content streams with FlateDecode
	kern          bool // lines painted in pieces with kerning (TJ), as typesetting programs do
	pages         []*bytes.Buffer
}

func (d *document) newPage() { d.pages = append(d.pages, &bytes.Buffer{}) }

// text paints one line with its first letter at x on the base line y.
func (d *document) text(x, y, size float64, bold bool, s string) {
	face := 1
	if bold {
		face = 2
	}
	show := "(" + escape(s) + ") Tj"
	if d.kern && len([]rune(s)) > 6 {
		r := []rune(s)
		cut := len(r) / 2
		show = "[(" + escape(string(r[:cut])) + ") 12 (" + escape(string(r[cut:])) + ")] TJ"
	}
	fmt.Fprintf(d.pages[len(d.pages)-1], "BT /F%d %g Tf 1 0 0 1 %.2f %.2f Tm %s ET\n", face, size, x, y, show)
}

// rule draws a thin horizontal line.
func (d *document) rule(x, y, length float64) {
	fmt.Fprintf(d.pages[len(d.pages)-1], "0.5 w %.2f %.2f m %.2f %.2f l S\n", x, y, x+length, y)
}

// bytes writes the file: header, objects, cross-reference table, trailer. Nothing in it depends on the time of day. The
// catalog comes last, so that a file cut in two cannot be mended from its objects.
func (d *document) bytes(title, author, date string) []byte {
	const pagesObj, regularObj, boldObj, infoObj, firstPage = 1, 2, 3, 4, 5
	var out bytes.Buffer
	var offsets []int
	object := func(body string) {
		offsets = append(offsets, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", len(offsets), body)
	}
	out.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")

	var kids []string
	for i := range d.pages {
		kids = append(kids, fmt.Sprintf("%d 0 R", firstPage+2*i))
	}
	object(fmt.Sprintf("<< /Type /Pages /Count %d /Kids [%s] /MediaBox [0 0 %g %g] >>", len(kids), strings.Join(kids, " "), d.width, d.height))
	for _, name := range []string{d.family.regular, d.family.bold} {
		object("<< /Type /Font /Subtype /Type1 /BaseFont /" + name + " /Encoding /WinAnsiEncoding >>")
	}
	object(fmt.Sprintf("<< /Title (%s) /Author (%s) /Producer (Exosphere Orbit examples) /CreationDate (%s) >>", escape(title), escape(author), date))
	for i, page := range d.pages {
		object(fmt.Sprintf("<< /Type /Page /Parent %d 0 R /Resources << /Font << /F1 %d 0 R /F2 %d 0 R >> >> /Contents %d 0 R >>",
			pagesObj, regularObj, boldObj, firstPage+2*i+1))
		content, filter := page.Bytes(), ""
		if d.compress {
			var packed bytes.Buffer
			w := zlib.NewWriter(&packed)
			w.Write(content) // writing to memory does not fail
			w.Close()
			content, filter = packed.Bytes(), " /Filter /FlateDecode"
		}
		object(fmt.Sprintf("<< /Length %d%s >>\nstream\n%s\nendstream", len(content), filter, content))
	}
	object(fmt.Sprintf("<< /Type /Catalog /Pages %d 0 R >>", pagesObj))

	xref, size := out.Len(), len(offsets)+1
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", size)
	for _, at := range offsets {
		fmt.Fprintf(&out, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&out, "trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", size, len(offsets), infoObj, xref)
	return out.Bytes()
}

// escape turns s into the inside of a PDF string in WinAnsi encoding. What that encoding lacks becomes a question mark.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch special, ok := winAnsi[r]; {
		case r == '(' || r == ')' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r >= 0xa0 && r <= 0xff:
			fmt.Fprintf(&b, "\\%03o", r)
		case ok:
			fmt.Fprintf(&b, "\\%03o", special)
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// winAnsi holds the characters that have another code in WinAnsi than in Unicode and that the reports use.
var winAnsi = map[rune]byte{'€': 0x80, '…': 0x85, '’': 0x92, '“': 0x93, '”': 0x94, '•': 0x95, '–': 0x96, '—': 0x97}
