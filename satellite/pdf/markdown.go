package pdf

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What makes a line a heading, and a gap the end of a paragraph.
const (
	headingSize   = 1.2 // times the size of most of the text: 12 pt over 10 pt
	headingLength = 120 // characters; longer is a paragraph in large print
	headingLevels = 3
	headingShare  = 1.0 / 3 // of all characters; where more is large, as in recognised scans, size says nothing
	paragraphGap  = 1.4     // times the page's usual distance between lines
)

// markdown writes the pages as paragraphs and headings. Lines stay lines; an empty line stands between paragraphs and
// between pages. Characters that mean something in Markdown are left as they are: the text is for reading.
func markdown(pages []page) string {
	levels := headings(pages)
	var b strings.Builder
	for _, p := range pages {
		usual := lineDistance(p.lines)
		var before line
		for i, l := range p.lines {
			level, was := levels[sizeStep(l.size)], levels[sizeStep(before.size)]
			if !headingText(l.text) {
				level = 0
			}
			if !headingText(before.text) {
				was = 0
			}
			down := before.bottom - l.bottom
			switch {
			case b.Len() == 0:
			case i > 0 && level > 0 && level == was && down > 0 && down < 2*l.size:
				b.WriteString(" " + l.text) // a heading of several lines
				before = l
				continue
			case i == 0, level > 0, was > 0, usual > 0 && down > paragraphGap*usual:
				b.WriteString("\n\n")
			default:
				b.WriteString("\n")
			}
			if level > 0 {
				b.WriteString(strings.Repeat("#", level) + " ")
			}
			b.WriteString(l.text)
			before = l
		}
	}
	return b.String()
}

// headings finds the sizes that are larger than that of most of the text, the largest as level 1.
func headings(pages []page) map[int]int {
	weight := map[int]int{} // characters of each size
	for _, p := range pages {
		for _, l := range p.lines {
			weight[sizeStep(l.size)] += utf8.RuneCountInString(l.text)
		}
	}
	body, most := 0, 0
	for size, n := range weight {
		if size > 0 && (n > most || n == most && size > body) { // even: the larger, so that nothing becomes a heading by chance
			body, most = size, n
		}
	}
	var large []int
	all, inLarge := 0, 0
	for size, n := range weight {
		all += n
		if body > 0 && float64(size) >= headingSize*float64(body) {
			large = append(large, size)
			inLarge += n
		}
	}
	if float64(inLarge) > headingShare*float64(all) {
		return nil
	}
	slices.Sort(large)
	slices.Reverse(large)
	levels := map[int]int{}
	for i, size := range large {
		levels[size] = min(i+1, headingLevels)
	}
	return levels
}

// sizeStep rounds a size to half points, so that fonts of one size count as one.
func sizeStep(size float64) int { return int(math.Round(2 * size)) }

func headingText(s string) bool {
	return utf8.RuneCountInString(s) <= headingLength && strings.IndexFunc(s, unicode.IsLetter) >= 0
}

// lineDistance is the middle one of the distances from line to line down the page; 0 with fewer than three lines.
func lineDistance(lines []line) float64 {
	var all []float64
	for i := 1; i < len(lines); i++ {
		if d := lines[i-1].bottom - lines[i].bottom; d > 0 {
			all = append(all, d)
		}
	}
	if len(all) < 2 {
		return 0
	}
	slices.Sort(all)
	return all[(len(all)-1)/2]
}
