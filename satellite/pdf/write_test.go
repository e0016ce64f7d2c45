package pdf

import (
	"bytes"
	"fmt"
	"strings"
)

// sheet is a PDF file in the making: objects by number, from 1.
type sheet struct {
	objects []string
	trailer string // more entries of the trailer
}

// add takes an object and gives its number.
func (s *sheet) add(object string) int {
	s.objects = append(s.objects, object)
	return len(s.objects)
}

// stream takes a stream object with more entries of its dictionary.
func (s *sheet) stream(entries, content string) int {
	return s.add(fmt.Sprintf("<<%s/Length %d>>stream\n%s\nendstream", entries, len(content), content))
}

// bytes writes the file with a correct cross-reference table.
func (s *sheet) bytes() []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	offsets := make([]int, len(s.objects))
	for i, o := range s.objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, s.trailer, at)
	return b.Bytes()
}

// newSheet is a file whose pages have the given content streams.
func newSheet(contents ...string) *sheet {
	s := &sheet{}
	s.add("<</Type/Catalog/Pages 2 0 R>>")
	s.add("") // the pages, below
	s.add("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
	var kids strings.Builder
	for _, c := range contents {
		n := s.stream("", c)
		n = s.add(fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>", n))
		fmt.Fprintf(&kids, "%d 0 R ", n)
	}
	s.objects[1] = fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids.String(), len(contents))
	return s
}

// text is a content stream that writes lines downwards from x, y, in a size with a distance of 1.4 times the size.
func text(x, y, size float64, lines ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "BT /F1 %g Tf %g TL %g %g Td ", size, 1.4*size, x, y)
	for _, l := range lines {
		fmt.Fprintf(&b, "(%s) Tj T* ", strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(l))
	}
	return b.String() + "ET\n"
}

// endless is a small file whose only page takes practically for ever: forms that draw forms, ten at a time, nine deep.
func endless() []byte {
	s := newSheet("/Next Do")
	form := "/Type/XObject/Subtype/Form/BBox[0 0 595 842]"
	inner := s.stream(form+"/Resources<</Font<</F1 3 0 R>>>>", text(50, 800, 10, "again"))
	for range 9 {
		inner = s.stream(fmt.Sprintf("%s/Resources<</XObject<</Next %d 0 R>>>>", form, inner), strings.Repeat("/Next Do ", 10))
	}
	page := s.objects[4]
	s.objects[4] = strings.Replace(page, "/Resources<<", fmt.Sprintf("/Resources<</XObject<</Next %d 0 R>>", inner), 1)
	return s.bytes()
}
